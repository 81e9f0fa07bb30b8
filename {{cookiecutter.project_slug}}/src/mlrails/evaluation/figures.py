"""What is known of a model after the test rows: one plain value, which the report renders.

Pure: the same rows and scores give the same figures, to the last bit on one class of CPU.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.layout import Part
from ..core.params import Evaluation, Params
from ..data.arrays import Rows, Vector
from ..modeling.protocols import Model
from . import baselines, calls, diagnostics, selection
from .bootstrap import Figure, Numbers, Sample, sample
from .diagnostics import behaviour
from .metrics import BIAS, Metric

if TYPE_CHECKING:
    import pandas as pd


_DIGITS = 6
"""Figures are rounded: the last bits differ between classes of CPU and mean nothing."""

_LEAST_ROWS_OF_SLICE = 100
_ROWS_FOR_IMPORTANCE = 5_000
"""Enough to rank columns, and a tenth of the time that all rows would take."""
MISSING = "missing"
"""What the group of rows without a category is called."""


@dataclass(frozen=True)
class Scored:
    """The rows of a part with one score for each model: the model itself and the baselines."""

    target: Vector
    times: np.ndarray | None
    scores: Mapping[str, Vector]
    groups: Numbers | None = None
    """The number of each row's group (rows,); None where nothing tells it."""
    weight: Vector | None = None
    """How much each row counts (rows,); None where all count alike."""
    calls: Mapping[str, Vector] = field(default_factory=dict)
    """What each model calls (rows,), 0 or 1, where it is asked for."""

    def given(self, metric: Metric) -> Mapping[str, Vector]:
        """Return what a metric is asked of, for each model: calls or scores."""
        return self.calls if metric.of_calls else self.scores

    def of(self, keep: np.ndarray) -> "Scored":
        """Return the rows that a (rows,) mask keeps."""
        return Scored(
            self.target[keep],
            None if self.times is None else self.times[keep],
            {name: score[keep] for name, score in self.scores.items()},
            None if self.groups is None else self.groups[keep],
            None if self.weight is None else self.weight[keep],
            {name: called[keep] for name, called in self.calls.items()},
        )

    def values(self, metric: Metric, score: Vector, on: Sample) -> Vector:
        """Return a metric of scores at each of a sample's weights."""
        return on.values(lambda block: metric.by_block(self.target, score, block, self.weight))

    def mean(self, values: Vector) -> float:
        """Return the mean of values (rows,) by the weights of the rows."""
        return float(np.average(values, weights=self.weight))


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
    categories = list(categories)
    known = {it for it in categories if isinstance(it, str)}
    missing = MISSING if MISSING not in known else f"({MISSING})"
    named = [it if isinstance(it, str) else missing for it in categories]
    return np.array(named, dtype=object)  # An array of text would drop a last "\0".


def groups(
    metric: Metric, scored: Scored, labels: np.ndarray, rules: Evaluation, seed: int
) -> Sequence[Mapping[str, Any]]:
    """Return the model's metric for each label of the rows, labels in order."""
    found = []
    for label in np.unique(labels):
        part = scored.of(labels == label)
        found.append(
            {
                "name": str(label),
                "rows": len(part.target),
                "target": round(part.mean(part.target), _DIGITS),
                "score": round(part.mean(part.scores[MODEL]), _DIGITS),
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
    return _of_rows(BIAS, scored, rules, seed)


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
        "model": {
            "estimator": type(model.estimator).__name__,
            "hyperparameters": dict(params.estimator),
            "categories": getattr(model, "categories", None),  # An earlier one does not say it.
            "features": params.features.model_dump(mode="json"),
        },
        "threshold_rule": rules.threshold,
        "hindsight": baselines.HINDSIGHT[task],
        "parts": {part: _describe(params, frame) for part, frame in rows.items()},
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
        "behaviour": behaviour(task, test.target, test.scores[MODEL], model.threshold),
        "importance": importance(params, model, rows["test"], primary),
    }


def _judged(
    params: Params, model: Model, rows: "Mapping[Part, pd.DataFrame]", metric: Metric
) -> Mapping[Part, Scored]:
    """Return every part with scores, and with calls where the metric is asked of them."""
    scored = score(params, model, rows)
    selection.check_target(metric, scored["test"].target, params.data.target)
    return _called(scored, params, model, metric) if metric.of_calls else scored


def score(
    params: Params, model: Model, rows: "Mapping[Part, pd.DataFrame]"
) -> Mapping[Part, Scored]:
    """Return every part with the scores of the model and of each baseline."""
    target = {part: frame[params.data.target].to_numpy(np.float64) for part, frame in rows.items()}
    matrix = {part: model.encoder.encode(frame) for part, frame in rows.items()}
    simple = baselines.fit(params.task, model.encoder, matrix["train"], target["train"])
    time = params.data.time
    return {
        part: Scored(
            target[part],
            frame[time].to_numpy() if time else None,
            {
                MODEL: model.scores_of(matrix[part]),
                **{name: baseline(matrix[part]) for name, baseline in simple.items()},
                **baselines.hindsight(params.task, target[part]),
            },
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


def importance(
    params: Params, model: Model, rows: "pd.DataFrame", metric: Metric
) -> Mapping[str, Any]:
    """Return the permutation importance of each raw column on a sample of the test rows."""
    sample = rows.sample(min(len(rows), _ROWS_FOR_IMPORTANCE), random_state=params.seed)
    target = sample[params.data.target].to_numpy(np.float64)
    sign = -1 if metric.higher_is_better else 1

    cut = calls.at(model.threshold)

    def worse(scores: Vector) -> float:
        return sign * metric.whole(target, calls.called(scores, cut) if metric.of_calls else scores)

    # What is made of one raw column is shuffled together, so rows need to be encoded only once.
    encoder, encoded = model.encoder, model.encoder.encode(sample)
    sources = np.array([encoder.source(name) for name in encoder.names])
    places = {column: np.flatnonzero(sources == column) for column in encoder.columns}

    def predict(blocks: Rows) -> Vector:
        matrix = encoded.copy()
        for column, place in places.items():
            matrix[:, place] = blocks[column]
        return model.scores_of(matrix)

    blocks = {column: encoded[:, place] for column, place in places.items()}
    return diagnostics.importance(blocks, encoder.columns, predict, worse, params.seed)


def _describe(params: Params, rows: "pd.DataFrame") -> Mapping[str, Any]:
    times = rows[params.data.time] if params.data.time else None
    return {
        "rows": len(rows),
        "target": round(float(rows[params.data.target].mean()), 6),
        "from": None if times is None else f"{times.min():%Y-%m-%d}",
        "to": None if times is None else f"{times.max():%Y-%m-%d}",
        "days": None if times is None else int(times.dt.normalize().nunique()),
    }


def _months(params: Params, rows: "pd.DataFrame") -> np.ndarray:
    if params.data.time is None:
        return np.full(len(rows), "all")
    return np.asarray(rows[params.data.time].dt.strftime("%Y-%m"), dtype=object)
