"""How much better one model is than another on the same rows, and how sure that is.

The difference is paired: both are scored on the same drawn days, so what is hard for both falls
out. It is above zero where the first model is better, whichever way the metric goes.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from ..data.arrays import Vector
from . import bootstrap
from .bootstrap import Sample
from .metrics import BIAS, Metric

POWER = 0.8
"""How often as many days as are said to decide do decide, where the difference is the true one."""


@dataclass(frozen=True)
class Comparison:
    """A difference, the ends of its interval, and the days and rows that it was seen on."""

    value: float
    low: float
    high: float
    days: int | None
    """None where rows carry no time: there are no days to count."""
    rows: int
    error: float = 0.0
    """The standard error that the interval is made with."""

    @property
    def size(self) -> int:
        """How much was seen: days, or rows where there are no days."""
        return self.rows if self.days is None else self.days

    def to_decide(self, margin: float) -> float:
        """Return how much has to be seen for the interval to leave −margin out, at `POWER`.

        That is the sample size of a non-inferiority test (Julious 2004, doi:10.1002/sim.1783): an
        interval shrinks with the root of what was seen, and its end must stay on this side of the
        margin in spite of the luck of the next days.
        """
        distance = abs(self.value + margin)
        reach = (self.high - self.low) / 2 + float(special.ndtri(POWER)) * self.error
        if not distance or not math.isfinite(reach):
            return math.inf
        return math.ceil(self.size * (reach / distance) ** 2)


@dataclass(frozen=True)
class Rows:
    """Rows to compare models on: the target (rows,), and the days that are drawn of them."""

    target: Vector
    sample: Sample

    @property
    def days(self) -> int:
        """How many days, or groups, the rows are of."""
        return self.sample.days

    def values(self, metric: Metric, scores: Vector) -> Vector:
        """Return a model's metric at each of the sample's weights."""
        return metric.by_day(self.target, scores, self.sample.day)(self.sample.weights)

    def compare(self, values: Vector, confidence: float) -> Comparison:
        """Return a difference that is known at each of the sample's weights."""
        on, (error, worth) = self.sample, self.sample.error(values)
        found = bootstrap.interval(float(values[0]), error, worth, confidence)
        seen = on.days if on.dated else None
        return Comparison(found.value, found.low, found.high, seen, len(self.target), error)


def rows(target: Vector, times: npt.NDArray[np.datetime64] | None, draw: int, seed: int) -> Rows:
    """Return rows with `draw` resamples of their days; without times of arbitrary groups."""
    return Rows(target, bootstrap.sample(len(target), times, draw, seed))


def gain(metric: Metric, of: Vector, over: Vector, on: Rows, confidence: float) -> Comparison:
    """Return how much better the scores `of` (rows,) are than the scores `over` (rows,)."""
    sign = 1 if metric.higher_is_better else -1
    return on.compare(sign * (on.values(metric, of) - on.values(metric, over)), confidence)


def more_biased(of: Vector, over: Vector, on: Rows, confidence: float) -> Comparison:
    """Return by how much the mean of the scores `of` is further off the target's mean."""
    ours, theirs = (np.abs(on.values(BIAS, scores)) for scores in (of, over))
    return on.compare(ours - theirs, confidence)


def bias(of: Vector, on: Rows, confidence: float) -> Comparison:
    """Return by how much the mean of the scores `of` is above the target's mean."""
    return on.compare(on.values(BIAS, of), confidence)
