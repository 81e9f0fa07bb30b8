"""Intervals of figures: whole days are drawn, since rows of one day are not independent.

They share their weather and their queues; an interval from resampled rows would be far too narrow
(block bootstrap, Künsch 1989, doi:10.1214/aos/1176347265).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from .features import Vector

Draws = npt.NDArray[np.float64]
"""(draws, days): how often each day was drawn."""


@dataclass(frozen=True)
class Figure:
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float

    def within(self, least: float, most: float) -> "Figure":
        """Cut the interval to what the figure can be: no area under a curve is above 1."""
        return Figure(self.value, max(self.low, least), min(self.high, most))


def days(rows: int, times: npt.NDArray[np.datetime64] | None) -> npt.NDArray[np.int64]:
    """Number each row's block from 0: its day, or without time one of 200 arbitrary groups."""
    if times is None:
        return np.arange(rows) % 200
    return np.unique(times.astype("datetime64[D]"), return_inverse=True)[1]


def draws(day_count: int, resamples: int, seed: int) -> Draws:
    """Draw days with replacement. The first row is the sample itself, each day once."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(day_count, np.full(day_count, 1 / day_count), size=resamples)
    return np.vstack([np.ones(day_count), drawn]).astype(np.float64)


def figure(values: Vector, day_count: int, confidence: float) -> Figure:
    """Make the interval of a metric's (draws,) values, the first of which is the sample's own.

    Student's t with the bootstrap's standard error: percentile intervals are too narrow with
    some sixty skewed days (decision 0006).
    """
    center, drawn = float(values[0]), values[1:][np.isfinite(values[1:])]
    if day_count < 2 or len(drawn) < 2 or not np.isfinite(center):
        return Figure(center, float("nan"), float("nan"))
    error = float(np.std(drawn, ddof=1)) * np.sqrt(day_count / (day_count - 1))
    reach = float(special.stdtrit(day_count - 1, (1 + confidence) / 2)) * error
    return Figure(center, center - reach, center + reach)
