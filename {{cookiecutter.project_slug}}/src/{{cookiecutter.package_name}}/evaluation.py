"""What is known of a model after the test rows: one plain value, which the report renders.

Pure: the same rows and scores give the same figures, to the last bit on one class of CPU.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .features import Vector
from .intervals import Figure, Sample, sample
from .metrics import BIAS, METRICS, Metric
from .params import Evaluation
from .task import Task

_DIGITS = 6
"""Figures are rounded: the last bits differ between classes of CPU and mean nothing."""

_LEAST_ROWS_OF_SLICE = 100
MISSING = "missing"
"""What the group of rows without a category is called."""


@dataclass(frozen=True)
class Scored:
    """The rows of a part with one score for each model: the model itself and the baselines."""

    target: Vector
    times: np.ndarray | None
    scores: Mapping[str, Vector]

    def of(self, keep: np.ndarray) -> "Scored":
        """Return the rows that a (rows,) mask keeps."""
        return Scored(
            self.target[keep],
            None if self.times is None else self.times[keep],
            {name: score[keep] for name, score in self.scores.items()},
        )


MODEL = "model"
"""The name of the trained model among the scores; every other one is a baseline."""


def figures(task: Task, scored: Scored, rules: Evaluation, seed: int) -> Mapping[str, Any]:
    """Return each metric of each model, and the model's gain over each baseline, with intervals.

    The gains are paired: model and baseline are compared on the same drawn days. A gain is above
    zero where the model is better, whichever way the metric goes.
    """
    on, sure = _sample(scored, rules, seed), rules.confidence
    result: dict[str, Any] = {}
    for metric in METRICS[task]:
        values = {
            name: metric.by_day(scored.target, score, on.day)(on.weights)
            for name, score in scored.scores.items()
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
                name: _plain(on.paired(sign * (values[MODEL] - value), sure))
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
    task: Task, scored: Scored, labels: np.ndarray, rules: Evaluation, seed: int
) -> Sequence[Mapping[str, Any]]:
    """Return the model's primary metric for each label of the rows, labels in order."""
    metric = METRICS[task][0]
    found = []
    for label in np.unique(labels):
        part = scored.of(labels == label)
        found.append(
            {
                "name": str(label),
                "rows": len(part.target),
                "target": round(float(part.target.mean()), _DIGITS),
                "score": round(float(part.scores[MODEL].mean()), _DIGITS),
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
    values = metric.by_day(part.target, part.scores[MODEL], on.day)(on.weights)
    found = on.alone(values, rules.confidence)
    return _plain(found.within(metric.least, metric.most))


def _sample(scored: Scored, rules: Evaluation, seed: int) -> Sample:
    return sample(len(scored.target), scored.times, rules.resamples, seed, weekly=True)


def bias(scored: Scored, rules: Evaluation, seed: int) -> Mapping[str, float]:
    """Return by how much the model's mean prediction is above the mean target."""
    return _of_rows(BIAS, scored, rules, seed)
