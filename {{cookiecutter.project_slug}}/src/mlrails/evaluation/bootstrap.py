"""Intervals of figures: whole blocks of rows are drawn, since rows of one are not independent.

Rows of one day share their weather and their queues, rows of one group (a patient, a shop) are all
alike: an interval from resampled rows would be far too narrow (block bootstrap, Künsch 1989,
doi:10.1214/aos/1176347265). Rows that carry a time are drawn by days, rows that carry a group by
groups; where they carry both, the wider interval counts; where they carry neither, rows are drawn.
Days that follow each other are alike as well: an interval of a difference is widened by what their
correlation costs, one of a single figure is made of whole weeks where those are wider.

How to change this: the engine's `gate/test_rates.py` holds what the gate promises with these
intervals.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..core.params import Unit
from ..data.arrays import Vector

Draws = npt.NDArray[np.float64]
"""(draws, blocks): how often each block was drawn."""
OfDraws = Callable[[Draws], Vector]
"""A metric on one model and one set of rows: (draws, blocks) to (draws,)."""
Numbers = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]

_MOST_BLOCKS = 200
"""Of groups or rows: more of them are dealt to as many blocks, which tells the error as well."""
_LEAST_WEEKS = 8
"""Fewer weeks say little of how much weeks differ, and Student's t for them is wide."""
_MOST_ALIKE = 0.95
"""What a correlation is taken for at the most: at 1 nothing could ever be told."""
_DIGITS = 6


@dataclass(frozen=True)
class Figure:
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float

    def within(self, least: float, most: float) -> "Figure":
        """Cut the interval to what the figure can be: no area under a curve is above 1."""
        return Figure(self.value, max(self.low, least), min(self.high, most))

    def rounded(self) -> Mapping[str, float]:
        """Return plain values; the last bits differ between classes of CPU and mean nothing."""
        return {name: round(end, _DIGITS) for name, end in asdict(self).items()}

    @property
    def width(self) -> float:
        """How wide the interval is; without an end where it is not known."""
        return self.high - self.low if math.isfinite(self.high - self.low) else math.inf


@dataclass(frozen=True)
class Blocks:
    """Each row's block from 0 (rows,), and the weights of blocks that a metric is asked for.

    `weights` are (1 + left out + draws + weekly draws, blocks): the sample itself first, then each
    day left out in turn, then blocks as they were drawn, then whole weeks as they were drawn.
    """

    unit: Unit
    units: int
    """How many days, groups or rows there are, some of which may share a block."""
    of_row: Numbers
    weights: Draws
    resamples: int
    weeks: int = 0
    """How many weeks were drawn from; 0 where none were."""

    @property
    def count(self) -> int:
        """How many blocks the rows are in."""
        return int(self.weights.shape[1])

    def error(self, values: Vector) -> tuple[float, float]:
        """Return a difference's standard error, and of how many blocks apart it is worth one.

        `values` are the difference at each of the weights.
        """
        wider = self._stretch(values)
        drawn = values[self._drawn : self._drawn + self.resamples]
        return standard_error(drawn, self.count) * wider, max(self.count / wider**2, 2.0)

    def alone(self, values: Vector, confidence: float) -> Figure:
        """Return the interval of one model's figure: of blocks, or of weeks where that is wider."""
        drawn = self._drawn + self.resamples
        found = figure(np.append(values[0], values[self._drawn : drawn]), self.count, confidence)
        of_weeks = figure(np.append(values[0], values[drawn:]), self.weeks, confidence)
        wider = of_weeks.high - of_weeks.low > found.high - found.low  # never where unknown
        return of_weeks if wider else found

    @property
    def _drawn(self) -> int:
        """Where the draws begin among the weights."""
        return 1 + (self.count if self._in_order else 0)

    @property
    def _in_order(self) -> bool:
        """Whether blocks follow each other, as days do."""
        return self.unit is Unit.DAY

    def _stretch(self, values: Vector) -> float:
        return stretch(values[0] - values[1 : self._drawn]) if self._in_order else 1.0


@dataclass(frozen=True)
class Paired:
    """The interval of a difference, its standard error, and the blocks that it was made of."""

    figure: Figure
    error: float
    blocks: Blocks


@dataclass(frozen=True)
class Sample:
    """Rows in blocks of each kind that they have: of days, of groups, of both, or of rows."""

    kinds: tuple[Blocks, ...]

    def values(self, prepare: Callable[[Numbers], OfDraws]) -> Vector:
        """Return a metric at each of the weights, of one kind of blocks after the other.

        `prepare` makes the metric ready for the block of each row (rows,).
        """
        return np.concatenate([prepare(it.of_row)(it.weights) for it in self.kinds])

    def paired(self, values: Vector, confidence: float) -> Paired:
        """Return the interval of a difference: as wide as the blocks that differ most ask for."""
        found = [_paired(it, part, confidence) for it, part in self._parts(values)]
        return max(found, key=lambda it: it.figure.width)

    def alone(self, values: Vector, confidence: float) -> Figure:
        """Return the interval of one model's figure, the widest of those of all kinds of blocks."""
        found = (it.alone(part, confidence) for it, part in self._parts(values))
        return max(found, key=lambda it: it.width)

    def _parts(self, values: Vector) -> Iterator[tuple[Blocks, Vector]]:
        ends = np.cumsum([len(it.weights) for it in self.kinds])[:-1]
        return zip(self.kinds, np.split(values, ends), strict=True)


def _paired(blocks: Blocks, values: Vector, confidence: float) -> Paired:
    error, worth = blocks.error(values)
    return Paired(interval(float(values[0]), error, worth, confidence), error, blocks)


def sample(
    rows: int,
    times: Times | None,
    resamples: int,
    seed: int,
    weekly: bool = False,
    groups: Numbers | None = None,
) -> Sample:
    """Return a sample of rows with draws of its blocks, and `weekly` with draws of whole weeks.

    `times` and `groups` are (rows,): when each row was, and the number of its group.
    """
    kinds = [] if times is None else [_days(times, resamples, seed, weekly)]
    if groups is not None:
        kinds.append(_dealt(Unit.GROUP, groups, resamples, seed))
    return Sample(tuple(kinds or [_dealt(Unit.ROW, np.arange(rows), resamples, seed)]))


def _days(times: Times, resamples: int, seed: int, weekly: bool) -> Blocks:
    """Make a block of each day."""
    since = times.astype("datetime64[D]").astype(np.int64)
    since -= since.min(initial=0)
    there = np.flatnonzero(np.bincount(since))
    day, count = _numbered(since), len(there)
    if not count:
        return Blocks(Unit.DAY, 0, day, np.ones((1, 0)), 0)
    drawn, weeks = draws(count, resamples, seed), 0
    weights = [drawn[:1], 1 - np.eye(count), drawn[1:]]
    week = _weeks(there)
    if weekly and (weeks := int(week.max()) + 1) >= _LEAST_WEEKS:
        weights.append(draws(weeks, resamples, seed)[1:, week])
    else:
        weeks = 0
    return Blocks(Unit.DAY, count, day, np.vstack(weights), resamples, weeks)


def _weeks(days: Numbers) -> Numbers:
    """Number the week of each day that there is, seven days from the first one on. (days,)."""
    return _numbered((days - days[0]) // 7)


def _numbered(values: Numbers) -> Numbers:
    """Number from 0 what there is of whole values of zero or more, in their order."""
    found: Numbers = (np.cumsum(np.bincount(values) > 0) - 1)[values]
    return found


def _dealt(unit: Unit, of: Numbers, resamples: int, seed: int) -> Blocks:
    """Make a block of each group or row, or deal them to blocks where there are very many.

    Dealt after a shuffle, never in the order of the file: rows that are sorted by their target
    would make blocks that are all alike, and intervals as narrow as if nothing were by chance.
    """
    there, place = np.unique(of, return_inverse=True)
    count = min(len(there), _MOST_BLOCKS)
    if not count:
        return Blocks(unit, 0, place, np.ones((1, 0)), 0)
    block = np.random.default_rng([seed, len(there)]).permutation(len(there)) % count
    return Blocks(unit, len(there), block[place], draws(count, resamples, seed), resamples)


@lru_cache(maxsize=8)  # Most groups of rows are of the same days as all of them.
def draws(count: int, resamples: int, seed: int) -> Draws:
    """Draw blocks with replacement. The first row is the sample itself, each block once."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    found = np.vstack([np.ones(count), drawn]).astype(np.float64)
    found.setflags(write=False)
    return found


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


def standard_error(drawn: Vector, count: int) -> float:
    """Return the standard error of a figure from its values on drawn blocks; NaN for too few."""
    known = drawn[np.isfinite(drawn)]
    if count < 2 or len(known) < 2:
        return float("nan")
    return float(np.std(known, ddof=1) * np.sqrt(count / (count - 1)))


def interval(value: float, error: float, count: float, confidence: float) -> Figure:
    """Return the interval of Student's t around a value with the standard error of so many blocks.

    Days that are alike are worth fewer; their count need not be whole.
    """
    if not np.isfinite([value, error]).all():
        return Figure(value, float("nan"), float("nan"))
    from scipy import special  # Who asks for the metrics' names alone need not wait for it.

    reach = float(special.stdtrit(count - 1, (1 + confidence) / 2)) * error
    return Figure(value, value - reach, value + reach)


def figure(values: Vector, count: int, confidence: float) -> Figure:
    """Make the interval of a metric's (draws,) values, the first of which is the sample's own.

    Student's t with the bootstrap's standard error: percentile intervals are too narrow with
    some sixty skewed days.
    """
    return interval(float(values[0]), standard_error(values[1:], count), count, confidence)
