"""How good the model is where no outcome has come: an estimate, and how good such estimates were.

Were each probability exactly right, the model's own probabilities would tell what will come true:
each row counts as an event with its probability and as none with the rest (Performance estimation
from confidence, as "CBPE" by NannyML). That holds while outcomes depend on the columns as they did,
and probabilities are calibrated; nobody can tell by the rows alone. So an estimate is shown beside
what came of earlier ones and what the mean of the past would have said, and it never alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.params import Task
from ..data.arrays import Vector
from ..evaluation.metrics import Metric

_MOST_ROWS = 20_000
"""More rows of a window change nothing that can be seen."""


def is_tenable(task: Task, metric: Metric) -> bool:
    """Tell whether a model of this task says with its scores how sure it is, as the metric asks."""
    return task is not Task.REGRESSION and not metric.of_calls


def estimate(task: Task, metric: Metric, score: np.ndarray, seed: int = 0) -> float:
    """Return what the metric of rows with these scores would be, were they exactly right."""
    if task is Task.REGRESSION or not len(score):
        return float("nan")
    if len(score) > _MOST_ROWS:
        score = score[np.random.default_rng(seed).choice(len(score), _MOST_ROWS, replace=False)]
    chances = np.stack([1 - score, score]) if score.ndim == 1 else score.T
    target = np.repeat(np.arange(len(chances), dtype=np.float64), len(score))
    given = np.concatenate([score] * len(chances))
    return metric.whole(target, given, chances.ravel())


@dataclass(frozen=True)
class Record:
    """What estimates were worth where the outcomes have come: mean distances from what came."""

    windows: int
    off: float
    of_the_mean: float
    """The same of the plain mean of the windows before each."""

    @property
    def is_better(self) -> bool:
        """Whether an estimate was nearer than the mean of the past."""
        return self.off < self.of_the_mean


_LEAST_BEFORE = 2


def record(estimated: Sequence[float], came: Sequence[float]) -> Record | None:
    """Return the track record of estimates, in order of time; NaN where none or nothing came.

    None where fewer than two windows have a past to hold them against.
    """
    off, of_mean, before = [], [], list[float]()
    for guess, truth in zip(estimated, came, strict=True):
        if not np.isfinite(truth):
            continue
        if len(before) >= _LEAST_BEFORE and np.isfinite(guess):
            off.append(abs(guess - truth))
            of_mean.append(abs(float(np.mean(before)) - truth))
        before.append(truth)
    if len(off) < _LEAST_BEFORE:
        return None
    return Record(len(off), float(np.mean(off)), float(np.mean(of_mean)))


def came(metric: Metric, target: Vector, score: np.ndarray) -> float:
    """Return the metric of rows whose outcome is known, NaN where it is not defined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return metric.whole(target, score) if len(target) else float("nan")
