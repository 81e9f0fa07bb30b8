"""Intervals of figures: whole days are drawn, since rows of one day are not independent.

They share their weather and their queues; an interval from resampled rows would be far too narrow
(block bootstrap, Künsch 1989, doi:10.1214/aos/1176347265). Days that follow each other are alike
as well: an interval of a difference is widened by what their correlation costs, one of a single
figure is made of whole weeks where those are wider.

How to change this: the engine's `gate/test_rates.py` holds what the gate promises with these
intervals.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from ..data.arrays import Vector

Draws = npt.NDArray[np.float64]
"""(draws, days): how often each day was drawn."""
Numbers = npt.NDArray[np.int64]

_GROUPS = 200
"""Of rows that carry no time, where nobody can tell which ones belong together."""
_LEAST_WEEKS = 8
"""Fewer weeks say little of how much weeks differ, and Student's t for them is wide."""
_MOST_ALIKE = 0.95
"""What a correlation is taken for at the most: at 1 nothing could ever be told."""


@dataclass(frozen=True)
class Figure:
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float

    def within(self, least: float, most: float) -> "Figure":
        """Cut the interval to what the figure can be: no area under a curve is above 1."""
        return Figure(self.value, max(self.low, least), min(self.high, most))


@dataclass(frozen=True)
class Sample:
    """Each row's day from 0 (rows,), and the weights of days that a metric is asked for.

    `weights` are (1 + left out + draws + weekly draws, days): the sample itself first, then each
    day left out in turn, then days as they were drawn, then whole weeks as they were drawn.
    """

    day: Numbers
    weights: Draws
    resamples: int
    dated: bool
    """Whether days are days; else they are arbitrary groups of rows, and in no order."""
    weeks: int = 0
    """How many weeks were drawn from; 0 where none were."""

    @property
    def days(self) -> int:
        """How many days, or groups, the rows are of."""
        return int(self.weights.shape[1])

    def error(self, values: Vector) -> tuple[float, float]:
        """Return a difference's standard error, and of how many independent days it is worth one.

        `values` are the difference at each of the weights.
        """
        wider = self._stretch(values)
        drawn = values[self._drawn : self._drawn + self.resamples]
        return standard_error(drawn, self.days) * wider, max(self.days / wider**2, 2.0)

    def paired(self, values: Vector, confidence: float) -> Figure:
        """Return the interval of a difference: as wide as days that are alike ask for."""
        return interval(float(values[0]), *self.error(values), confidence)

    def alone(self, values: Vector, confidence: float) -> Figure:
        """Return the interval of one model's figure: of days, or of weeks where that is wider."""
        drawn = self._drawn + self.resamples
        of_days = figure(np.append(values[0], values[self._drawn : drawn]), self.days, confidence)
        of_weeks = figure(np.append(values[0], values[drawn:]), self.weeks, confidence)
        wider = of_weeks.high - of_weeks.low > of_days.high - of_days.low  # never where unknown
        return of_weeks if wider else of_days

    @property
    def _drawn(self) -> int:
        """Where the draws begin among the weights."""
        return 1 + (self.days if self.dated else 0)

    def _stretch(self, values: Vector) -> float:
        return stretch(values[0] - values[1 : self._drawn]) if self.dated else 1.0


def sample(
    rows: int,
    times: npt.NDArray[np.datetime64] | None,
    resamples: int,
    seed: int,
    weekly: bool = False,
) -> Sample:
    """Return a sample of rows with draws of its days, and `weekly` with draws of whole weeks."""
    day = days(rows, times)
    count = int(day.max()) + 1 if rows else 0
    if not count:
        return Sample(day, np.ones((1, 0)), 0, times is not None)
    weights, weeks = [draws(count, resamples, seed)], 0
    if times is not None:
        weights = [weights[0][:1], 1 - np.eye(count), weights[0][1:]]
        week = _weeks(times)
        if weekly and (weeks := int(week.max()) + 1) >= _LEAST_WEEKS:
            weights.append(draws(weeks, resamples, seed)[1:, week])
        else:
            weeks = 0
    return Sample(day, np.vstack(weights), resamples, times is not None, weeks)


def days(rows: int, times: npt.NDArray[np.datetime64] | None) -> Numbers:
    """Number each row's block from 0: its day, or without time one of 200 arbitrary groups."""
    if times is None:
        return np.arange(rows) % _GROUPS
    return np.unique(times.astype("datetime64[D]"), return_inverse=True)[1]


def _weeks(times: npt.NDArray[np.datetime64]) -> Numbers:
    """Number the week of each day that there is, seven days from the first one on. (days,)."""
    there = np.unique(times.astype("datetime64[D]"))
    return np.unique((there - there[0]).astype(np.int64) // 7, return_inverse=True)[1]


def draws(day_count: int, resamples: int, seed: int) -> Draws:
    """Draw days with replacement. The first row is the sample itself, each day once."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(day_count, np.full(day_count, 1 / day_count), size=resamples)
    return np.vstack([np.ones(day_count), drawn]).astype(np.float64)


def stretch(added: Vector) -> float:
    """Return how much wider an interval must be for days that are like the one before.

    `added` (days,) is what each day adds to the figure, in order of time. The mean of n values with
    the first autocorrelation ρ is as uncertain as that of n(1 − ρ)/(1 + ρ) independent ones (Bayley
    and Hammersley 1946, doi:10.2307/2983560). What is seen of ρ in n days is too low by about
    (1 + 3ρ)/n (Kendall 1954, doi:10.1093/biomet/41.3-4.403); below zero it counts as zero.
    """
    off = added - added.mean()
    spread = float(off @ off)
    if not np.isfinite(spread) or spread <= 0:
        return 1.0
    count = len(added)
    seen = (count * float(off[1:] @ off[:-1]) / spread + 1) / max(count - 3, 1)
    alike = min(max(seen, 0.0), _MOST_ALIKE)
    return float(np.sqrt((1 + alike) / (1 - alike)))


def standard_error(drawn: Vector, day_count: int) -> float:
    """Return the standard error of a figure from its values on drawn days; NaN for too few."""
    known = drawn[np.isfinite(drawn)]
    if day_count < 2 or len(known) < 2:
        return float("nan")
    return float(np.std(known, ddof=1) * np.sqrt(day_count / (day_count - 1)))


def interval(value: float, error: float, day_count: float, confidence: float) -> Figure:
    """Return the interval of Student's t around a value with this standard error of so many days.

    Days that are alike are worth fewer; their count need not be whole.
    """
    if not np.isfinite([value, error]).all():
        return Figure(value, float("nan"), float("nan"))
    reach = float(special.stdtrit(day_count - 1, (1 + confidence) / 2)) * error
    return Figure(value, value - reach, value + reach)


def figure(values: Vector, day_count: int, confidence: float) -> Figure:
    """Make the interval of a metric's (draws,) values, the first of which is the sample's own.

    Student's t with the bootstrap's standard error: percentile intervals are too narrow with
    some sixty skewed days.
    """
    return interval(float(values[0]), standard_error(values[1:], day_count), day_count, confidence)
