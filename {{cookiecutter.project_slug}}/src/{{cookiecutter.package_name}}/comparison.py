"""How much better one model is than another on the same rows, and how sure that is.

The difference is paired: both are scored on the same drawn days, so what is hard for both falls
out. It is above zero where the first model is better, whichever way the metric goes.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .features import Vector
from .intervals import days, draws, figure
from .metrics import BIAS, Metric


@dataclass(frozen=True)
class Comparison:
    """A difference, the ends of its interval, and the days and rows that it was seen on."""

    value: float
    low: float
    high: float
    days: int
    rows: int

    def days_to_decide(self, margin: float) -> float:
        """Return how many such days would put an end of the interval at −margin.

        An interval shrinks with the root of the number of days.
        """
        distance = abs(self.value + margin)
        reach = (self.high - self.low) / 2
        if not distance or not math.isfinite(reach):
            return math.inf
        return math.ceil(self.days * (reach / distance) ** 2)


@dataclass(frozen=True)
class Rows:
    """Rows to compare models on: the target (rows,), each row's day from 0, and what is drawn."""

    target: Vector
    day: npt.NDArray[np.int64]
    drawn: npt.NDArray[np.float64]

    @property
    def days(self) -> int:
        """How many days the rows are of."""
        return int(self.drawn.shape[1])


def rows(target: Vector, times: npt.NDArray[np.datetime64] | None, draw: int, seed: int) -> Rows:
    """Return rows with `draw` resamples of their days; without times of arbitrary groups."""
    day = days(len(target), times)
    count = int(day.max()) + 1 if len(day) else 0
    return Rows(target, day, draws(count, draw, seed) if count else np.ones((1, 0)))


def gain(metric: Metric, of: Vector, over: Vector, on: Rows, confidence: float) -> Comparison:
    """Return how much better the scores `of` (rows,) are than the scores `over` (rows,)."""
    sign = 1 if metric.higher_is_better else -1
    ours, theirs = (metric.by_day(on.target, scores, on.day)(on.drawn) for scores in (of, over))
    return _compare(sign * (ours - theirs), on, confidence)


def more_biased(of: Vector, over: Vector, on: Rows, confidence: float) -> Comparison:
    """Return by how much the mean of the scores `of` is further off the target's mean."""
    ours, theirs = (
        np.abs(BIAS.by_day(on.target, scores, on.day)(on.drawn)) for scores in (of, over)
    )
    return _compare(ours - theirs, on, confidence)


def _compare(values: Vector, on: Rows, confidence: float) -> Comparison:
    found = figure(values, on.days, confidence)
    return Comparison(found.value, found.low, found.high, on.days, len(on.target))
