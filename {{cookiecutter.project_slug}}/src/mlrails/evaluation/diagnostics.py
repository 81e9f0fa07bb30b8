"""How a model behaves: the threshold of its calls, curves, calibration, errors and importance.

`behaviour` gathers what its task has of them; scikit-learn is imported where one is asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.params import Costs, Params, Task, Threshold
from ..data.arrays import Rows, Vector
from . import outcomes

Curve = Mapping[str, list[float]]

_POINTS = 200
_DIGITS = 6
_AT = 0.5
"""The threshold of a model that has chosen none."""


def threshold(
    params: Params, target: Vector, score: Vector, weight: Vector | None = None
) -> float | None:
    """Return from where on an event is called, by the rule of the params; else None."""
    if params.task is not Task.CLASSIFICATION:
        return None
    rules = params.evaluation
    # Another rule reads no costs, so a change of them does not fit the model anew.
    costs = rules.costs if rules.threshold == "cost" else None
    return choose_threshold(rules.threshold, target, score, costs, weight)


def threshold_of(threshold: float | None) -> float:
    """Return a model's threshold."""
    return _AT if threshold is None else threshold


def choose_threshold(
    rule: Threshold,
    target: Vector,
    score: Vector,
    costs: Costs | None = None,
    weight: Vector | None = None,
) -> float:
    """Return the score from which on an event is called, the best by the rule.

    `target`, `score` and `weight` (rows,) are of validation rows, never of test rows. F1 is the
    harmonic mean of precision and recall; Youden's index is recall minus the false alarm rate. By
    cost it may be cheapest to call nobody. Counted here: who trains a network would wait for
    scikit-learn, which nothing else needs there.
    """
    order = np.argsort(-score, kind="stable")
    counted = np.ones(len(order), np.int64) if weight is None else weight[order]
    hits, alarms = (np.cumsum(counted * it) for it in (target[order] > 0, target[order] <= 0))
    events, others = hits[-1] or 1, alarms[-1] or 1
    by_rule = {
        "f1": 2 * hits / (hits + alarms + events),
        "youden": hits / events - alarms / others,
    }
    if costs is not None:
        by_rule["cost"] = costs.miss * hits - costs.false_alarm * alarms
    worth = by_rule[rule]
    last_of_score = np.append(np.diff(score[order]) != 0, True)
    best = np.flatnonzero(last_of_score)[np.argmax(worth[last_of_score])]
    # Rounded down, so that the rows of this very score are called.
    found = float(np.floor(score[order][best] * 1e6) / 1e6)
    return above_all(score) if rule == "cost" and worth[best] < 0 else found


def above_all(score: Vector) -> float:
    """Return a threshold that is above each score (rows,), so that nobody is called."""
    return float((np.floor(score.max() * 1e6) + 1) / 1e6)


def behaviour(
    task: Task,
    target: Vector,
    score: Vector,
    threshold: float | None,
    weight: Vector | None = None,
) -> Mapping[str, Any]:
    """Return curves, calibration and confusion of events, or residuals of numbers."""
    return _BEHAVIOUR[task](target, score, threshold, weight)


def _behaviour_of_events(
    target: Vector, score: Vector, threshold: float | None, weight: Vector | None
) -> Mapping[str, Any]:
    return {
        "roc": roc(target, score, weight),
        "precision_recall": precision_recall(target, score, weight),
        "average_precision": round(average_precision(target, score, weight), _DIGITS),
        **_calibration(target, score, 10, weight),
        "threshold": threshold,
        "confusion": confusion(target, score, threshold_of(threshold), weight),
    }


def _behaviour_of_numbers(
    target: Vector, score: Vector, _: float | None, weight: Vector | None
) -> Mapping[str, Any]:
    return {
        "residuals": residuals(target, score, weight),
        **_calibration(target, score, 20, weight),
    }


def _calibration(
    target: Vector, score: Vector, bins: int, weight: Vector | None
) -> Mapping[str, Any]:
    curve = calibration(target, score, bins, weight)
    return {
        "mean_score": round(float(np.average(score, weights=weight)), _DIGITS),
        "calibration": curve,
        "calibration_error": round(calibration_error(curve), _DIGITS),
    }


def _behaviour_of_classes(
    target: Vector, score: Vector, _: float | None, weight: Vector | None
) -> Mapping[str, Any]:
    right, sure = outcomes.plain(target, score)
    return {
        **_calibration(right, sure, 10, weight),
        "mean_target": round(float(np.average(right, weights=weight)), _DIGITS),
        "confusion_matrix": outcomes.confusion(target, score),
    }


_Behaviour = Callable[[Vector, Vector, float | None, Vector | None], Mapping[str, Any]]
_BEHAVIOUR: Mapping[Task, _Behaviour] = {
    Task.CLASSIFICATION: _behaviour_of_events,
    Task.REGRESSION: _behaviour_of_numbers,
    Task.MULTICLASS: _behaviour_of_classes,
}


def roc(target: Vector, score: Vector, weight: Vector | None = None) -> Curve:
    """Return the share of events found (y) for each share of false alarms (x)."""
    hits, alarms = (np.append(0, counts) for counts in _counts(target, score, weight))
    return _curve(alarms / (alarms[-1] or 1), hits / (hits[-1] or 1))


def precision_recall(target: Vector, score: Vector, weight: Vector | None = None) -> Curve:
    """Return the precision (y) at each recall (x)."""
    hits, alarms = _counts(target, score, weight)
    return _curve(hits / (hits[-1] or 1), hits / (hits + alarms))


def average_precision(target: Vector, score: Vector, weight: Vector | None = None) -> float:
    """Return the area under the precision-recall curve, as a sum of steps; 0 without events."""
    from sklearn.metrics import average_precision_score

    event = target > 0
    return float(average_precision_score(event, score, sample_weight=weight)) if any(event) else 0.0


def _counts(target: Vector, score: Vector, weight: Vector | None = None) -> tuple[Vector, Vector]:
    """Return events and others at or above each distinct score, the highest first.

    scikit-learn's curves have no figures, but warnings, where all rows are of one class.
    """
    from sklearn.metrics import confusion_matrix_at_thresholds

    found = confusion_matrix_at_thresholds(target > 0, score, sample_weight=weight)
    _, alarms, _, hits, _ = found
    return hits, alarms


def _curve(x: Vector, y: Vector) -> Curve:
    keep = thinned(len(x))
    return {"x": x[keep].tolist(), "y": y[keep].tolist()}


def thinned(points: int) -> np.ndarray:
    """Return the places of those of a curve's points that a picture can show."""
    return np.unique(np.linspace(0, points - 1, _POINTS).round().astype(int))


def calibration(
    target: Vector, score: Vector, bins: int = 10, weight: Vector | None = None
) -> Curve:
    """Return the mean target (y) against the mean score (x) in tenths of the rows by score.

    Rows of one score stay together: their order says nothing, and an edge among them would.
    """
    order = np.argsort(score, kind="stable")
    last_of_score = np.flatnonzero(np.append(np.diff(score[order]) != 0, True)) + 1
    edges = np.linspace(0, len(score), bins + 1)[1:-1].round()
    ends = np.unique(last_of_score[np.searchsorted(last_of_score, edges)])
    parts = [part for part in np.split(order, ends) if len(part)]
    counted = np.ones(len(score)) if weight is None else weight
    return {
        "x": [float(np.average(score[part], weights=counted[part])) for part in parts],
        "y": [float(np.average(target[part], weights=counted[part])) for part in parts],
        "rows": [len(part) for part in parts],
        **({} if weight is None else {"weight": [float(weight[part].sum()) for part in parts]}),
    }


def calibration_error(curve: Curve) -> float:
    """Return the mean distance of target and score over the groups of a calibration curve."""
    off = np.abs(np.subtract(curve["y"], curve["x"]))
    return float(np.average(off, weights=curve.get("weight", curve["rows"])))


def confusion(
    target: Vector, score: Vector, threshold: float, weight: Vector | None = None
) -> Mapping[str, int]:
    """Count called and uncalled events at the threshold, each by its weight, to the next whole."""
    from sklearn.metrics import confusion_matrix

    called = score >= threshold
    cells = confusion_matrix(target > 0, called, labels=[True, False], sample_weight=weight)
    names = ("true_positive", "false_positive", "false_negative", "true_negative")
    return dict(zip(names, np.rint(cells.T.ravel()).astype(int).tolist(), strict=True))


def residuals(target: Vector, score: Vector, weight: Vector | None = None) -> Mapping[str, Any]:
    """Return quantiles and the histogram of target minus prediction."""
    shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    error = np.round(target - score, 9)  # What is left of rounding has no histogram.
    quantiles = _quantiles(error, shares, weight).tolist()
    return {
        "quantiles": dict(zip(map(str, shares), quantiles, strict=True)),
        "histogram": _histogram(error, weight),
    }


def _quantiles(values: Vector, shares: Sequence[float], weight: Vector | None) -> Vector:
    """Return quantiles; numpy knows weights for those that are values themselves, no others."""
    if weight is None:
        return np.quantile(values, shares)
    return np.quantile(values, shares, weights=weight, method="inverted_cdf")


def _histogram(values: Vector, weight: Vector | None) -> Mapping[str, list[float]]:
    low, high = _quantiles(values, [0.005, 0.995], weight)
    counts, edges = np.histogram(values, 60, (low, high) if low < high else None, weights=weight)
    return {"edges": edges.tolist(), "counts": counts.astype(float).tolist()}


def importance(
    rows: Rows,
    columns: Sequence[str],
    predict: Callable[[Rows], Vector],
    worse: Callable[[Vector], float | Vector],
    seed: int,
    repeats: int = 3,
    ends: Callable[[Vector], Mapping[str, float]] | None = None,
) -> Mapping[str, Mapping[str, float]]:
    """Return by how much the metric gets worse when one raw column is shuffled.

    Permutation importance (Breiman 2001, doi:10.1023/A:1010933404324): mean and standard deviation
    over the repeats. `worse` turns scores (rows,) into a figure where more is worse, or into that
    figure and others of rows that are drawn anew (draws,), of whose differences `ends` makes more.
    """
    rng = np.random.default_rng(seed)
    whole = {name: np.asarray(rows[name]) for name in columns}
    base = worse(predict(whole))

    together = {name: np.concatenate([values] * repeats) for name, values in whole.items()}

    def losses(name: str) -> Vector:
        # All repeats at once: a call costs an estimator more than some rows more.
        shuffled = np.concatenate([rng.permutation(whole[name]) for _ in range(repeats)])
        scores = np.split(predict(together | {name: shuffled}), repeats)
        return np.array([np.atleast_1d(worse(it) - base) for it in scores])

    found = {name: losses(name) for name in columns}
    more = {name: ends(loss.mean(axis=0)) if ends else {} for name, loss in found.items()}
    first = {name: loss[:, 0].copy() for name, loss in found.items()}
    return {
        name: {"mean": float(loss.mean()), "sd": float(loss.std(ddof=1)), **more[name]}
        for name, loss in sorted(first.items(), key=lambda item: -item[1].mean())
    }
