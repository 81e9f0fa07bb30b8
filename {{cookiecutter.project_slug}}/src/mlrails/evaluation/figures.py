"""What is known of a model after the test rows: one plain value, which the report renders.

Pure: the same rows and scores give the same figures, to the last bit on one class of CPU.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.layout import Part
from ..core.params import Evaluation, Params
from ..modeling.classes import Classes
from ..modeling.dataset import weights
from ..modeling.protocols import Model
from . import baselines, calls, outcomes, per_class, permutation, selection
from .bootstrap import Figure, Sample, sample
from .diagnostics import behaviour
from .metrics import BIAS, Metric
from .scored import Scored

if TYPE_CHECKING:
    import pandas as pd


_DIGITS = 6
"""Figures are rounded: the last bits differ between classes of CPU and mean nothing."""

_LEAST_ROWS_OF_SLICE = 100
MISSING = "missing"
"""What the group of rows without a category is called."""


MODEL = "model"
"""The name of the trained model among the scores; every other one is a baseline."""


def figures(
    metrics: Sequence[Metric], scored: Scored, rules: Evaluation, seed: int
) -> Mapping[str, Any]:
    """Return each metric of each model, and the model's gain over each baseline, with intervals.

    The gains are paired: model and baseline are compared on the same drawn blocks. A gain is above
    zero where the model is better, whichever way the metric goes.
    """
    on, sure = _sample(scored, rules, seed), rules.confidence
    result: dict[str, Any] = {}
    for metric in metrics:
        values = {
            name: scored.values(metric, score, on) for name, score in scored.given(metric).items()
        }
        sign = 1 if metric.higher_is_better else -1
        result[metric.name] = {
            "title": metric.title,
            "higher_is_better": metric.higher_is_better,
            "models": {
                name: _plain(on.alone(value, sure).within(metric.least, metric.most))
                for name, value in values.items()
            },
            "gains": {
                name: _plain(on.paired(sign * (values[MODEL] - value), sure).figure)
                for name, value in values.items()
                if name != MODEL
            },
        }
    return result


def _plain(value: Figure) -> Mapping[str, float]:
    return {name: round(end, _DIGITS) for name, end in asdict(value).items()}


def as_good(found: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Return for each metric the baselines that the model does not beat beyond the interval."""
    return {
        # A gain without an interval (one day only) is not shown either, so `not >`, never `<=`.
        metric: [name for name, gain in figure["gains"].items() if not gain["low"] > 0]
        for metric, figure in found.items()
    }


def labels(categories: Iterable[object]) -> np.ndarray:
    """Return the name of each row's group (rows,), whole; rows without a category are one too."""
    codes, found = _coded(categories)
    missing = MISSING if MISSING not in found else f"({MISSING})"
    named = [it if isinstance(it, str) else missing for it in (*found, None)]
    texts = np.array(named, dtype=object)  # An array of text would drop a last "\0".
    of_rows: np.ndarray = texts[codes]
    return of_rows


def _coded(values: Iterable[object]) -> tuple[np.ndarray, np.ndarray]:
    """Return each value's number, the last one (−1) where there is none, and the sorted values."""
    import pandas as pd

    return pd.factorize(np.asarray(values, dtype=object), sort=True)


def groups(
    metric: Metric, scored: Scored, labels: np.ndarray, rules: Evaluation, seed: int
) -> Sequence[Mapping[str, Any]]:
    """Return the model's metric for each label of the rows, labels in order."""
    found = []
    codes, names = _coded(labels)
    for code, label in enumerate(names):
        part = scored.of(codes == code)
        plain = part.plain(MODEL)
        found.append(
            {
                "name": str(label),
                "rows": len(part.target),
                "target": round(part.mean(plain.target), _DIGITS),
                "score": round(part.mean(plain.scores[MODEL]), _DIGITS),
                metric.name: _of_group(metric, part, rules, seed),
            }
        )
    return found


def _of_group(
    metric: Metric, part: Scored, rules: Evaluation, seed: int
) -> Mapping[str, float] | None:
    """Return the figure of one group, or None where it is too small to say anything."""
    if len(part.target) < _LEAST_ROWS_OF_SLICE:
        return None
    return _of_rows(metric, part, rules, seed)


def _of_rows(metric: Metric, part: Scored, rules: Evaluation, seed: int) -> Mapping[str, float]:
    on = _sample(part, rules, seed)
    values = part.values(metric, part.given(metric)[MODEL], on)
    found = on.alone(values, rules.confidence)
    return _plain(found.within(metric.least, metric.most))


def _sample(scored: Scored, rules: Evaluation, seed: int) -> Sample:
    count, drawn = len(scored.target), rules.resamples
    return sample(count, scored.times, drawn, seed, weekly=True, groups=scored.groups)


def bias(scored: Scored, rules: Evaluation, seed: int) -> Mapping[str, float]:
    """Return by how much the model's mean prediction is above the mean target."""
    return _of_rows(BIAS, scored.plain(MODEL), rules, seed)


def of_model(params: Params, model: Model, rows: "Mapping[Part, pd.DataFrame]") -> dict[str, Any]:
    """Return all that is known of the model, as plain values."""
    task, rules, seed = params.task, params.evaluation, params.seed
    metrics = selection.told(task, rules)
    primary = metrics[0]
    scored = _judged(params, model, rows, primary)
    test = scored["test"]
    held_out: tuple[Part, ...] = ("validation", "test")
    whole: dict[str, Mapping[str, Any]] = {
        part: figures(metrics, scored[part], rules, seed) for part in held_out
    }
    return {
        "task": task.value,
        "target": params.data.target,
        "primary": primary.name,
        "confidence": rules.confidence,
        "resamples": rules.resamples,
        "model": _of_model(params, model),
        **({"weight": params.data.weight} if params.data.weight else {}),
        "threshold_rule": rules.threshold,
        "hindsight": baselines.HINDSIGHT[task],
        "parts": _parts(params, rows, scored),
        **whole,
        "as_good": as_good(whole["test"]),
        "slices": {
            name: groups(primary, test, labels(named), rules, seed)
            for name, named in rows["test"][[*rules.slices]].items()
        },
        "months": {
            part: groups(primary, scored[part], _months(params, frame), rules, seed)
            for part, frame in rows.items()
        },
        "bias": bias(test, rules, seed),
        "behaviour": _behaviour(params, test, model.threshold),
        **of_classes(scored, outcomes.known(model), rules, seed),
        "importance": permutation.importance(params, model, rows["test"], primary),
    }


def _of_model(params: Params, model: Model) -> Mapping[str, Any]:
    return {
        "estimator": type(model.estimator).__name__,
        "hyperparameters": dict(params.estimator),
        "categories": getattr(model, "categories", None),  # An earlier one does not say it.
        "features": params.features.model_dump(mode="json"),
    }


def _behaviour(params: Params, test: Scored, threshold: float | None) -> Mapping[str, Any]:
    target, score, costs = test.target, test.scores[MODEL], params.evaluation.costs
    found = behaviour(params.task, target, score, threshold, test.weight)
    if costs is None:
        return found
    at = calls.costs_at_thresholds(target, score, calls.at(threshold), costs, test.weight)
    return {**found, "costs": at}


def _judged(
    params: Params, model: Model, rows: "Mapping[Part, pd.DataFrame]", metric: Metric
) -> Mapping[Part, Scored]:
    """Return every part with scores, and with calls where the metric is asked of them."""
    scored = score(params, model, rows)
    selection.check_target(metric, scored["test"].target, params.data.target)
    return _called(scored, params, model, metric) if metric.of_calls else scored


def of_classes(
    scored: Mapping[Part, Scored], known: Classes, rules: Evaluation, seed: int
) -> Mapping[str, Any]:
    """Return what is found of each class of the test rows, where there are any."""
    test = scored["test"]
    if not test.classes:
        return {}
    rows = {part: it.target for part, it in scored.items()}
    of_test = replace(test, scores={MODEL: test.scores[MODEL]})
    return per_class.of_classes(rows, of_test, _sample(test, rules, seed), known, rules)


def score(
    params: Params, model: Model, rows: "Mapping[Part, pd.DataFrame]"
) -> Mapping[Part, Scored]:
    """Return every part with the scores of the model and of each baseline."""
    given = {part: frame[params.data.target] for part, frame in rows.items()}
    every = outcomes.every(model, *given.values())
    target = {part: outcomes.numbers(it, every) for part, it in given.items()}
    matrix = {part: model.encoder.encode(frame) for part, frame in rows.items()}
    weight = {part: weights(frame, params.data.weight) for part, frame in rows.items()}
    seen = matrix["train"], target["train"], weight["train"]
    simple = baselines.fit(params.task, model.encoder, *seen, len(every))
    return {
        part: Scored.from_rows(
            params.data,
            frame,
            {
                MODEL: outcomes.scores_of(model, matrix[part], every),
                **{name: baseline(matrix[part]) for name, baseline in simple.items()},
                **baselines.hindsight(params.task, target[part], weight[part], len(every)),
            },
            every,
        )
        for part, frame in rows.items()
    }


def _called(
    scored: Mapping[Part, Scored], params: Params, model: Model, metric: Metric
) -> Mapping[Part, Scored]:
    """Return every part with what each model calls there."""
    seen = scored["validation"]
    own, rows = {MODEL: calls.at(model.threshold)}, (seen.target, seen.scores, seen.weight)
    cuts = calls.thresholds(metric, params.evaluation, *rows) | own
    return {
        part: replace(
            it, calls={name: calls.called(score, cuts[name]) for name, score in it.scores.items()}
        )
        for part, it in scored.items()
    }


def _parts(
    params: Params, rows: "Mapping[Part, pd.DataFrame]", scored: Mapping[Part, Scored]
) -> Mapping[Part, Mapping[str, Any]]:
    """Return what is known of the rows of each part, and which test groups are no new ones."""
    found = {part: _describe(params, frame, scored[part]) for part, frame in rows.items()}
    if group := params.data.group:
        seen, new = (rows[part][group].drop_duplicates() for part in ("train", "test"))
        found["test"]["known_groups"] = int(new.isin(seen).sum())
    return found


def _describe(params: Params, rows: "pd.DataFrame", scored: Scored) -> dict[str, Any]:
    times, group = rows[params.data.time] if params.data.time else None, params.data.group
    return {
        "rows": len(rows),
        **_of_target(scored),
        "from": None if times is None else f"{times.min():%Y-%m-%d}",
        "to": None if times is None else f"{times.max():%Y-%m-%d}",
        "days": None if times is None else int(times.dt.normalize().nunique()),
        **({"groups": int(rows[group].nunique())} if group else {}),
    }


def _of_target(scored: Scored) -> Mapping[str, float | int | None]:
    """Return the mean of the target, or how many classes the rows have."""
    if scored.classes:
        return {"target": None, "classes": len(np.unique(scored.target))}
    return {"target": round(scored.mean(scored.target), _DIGITS)}


def _months(params: Params, rows: "pd.DataFrame") -> np.ndarray:
    if params.data.time is None:
        return np.full(len(rows), "all")
    months = rows[params.data.time].to_numpy().astype("datetime64[M]")
    names, of_row = np.unique(months.astype(np.int64), return_inverse=True)
    return names.astype("datetime64[M]").astype(str).astype(object)[of_row]
