"""Outcomes that have come: is the model as good, as well calibrated and as unbiased as it was?

Each figure is a ratio of sums over days, which are compared with those of the held-out rows that
the model was judged by. Days, not rows, are what chance deals: those of the reference and the new
ones are shuffled together, which is right for skewed days too, and what follows each other is
alike, which costs as much as it does in an interval of the gate. The largest change counts, so
several figures are one test. Each look spends its own share of the year's error, half of it on
the window alone and half on all days since the reference: looks that see the same days again never
add up to more than the budget.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..core.params import Task
from ..data.arrays import Matrix, Vector
from ..evaluation import bootstrap, outcomes
from .days import Days

DRAWS = 999
LEAST_REFERENCE, LEAST_CURRENT = 14, 5
"""Days with outcomes: fewer say too little of how much days differ."""
_LEAST_OF_DAY = 5
"""Rows of a day that can be put in an order."""
_TINY = 1e-12


@dataclass(frozen=True)
class Ratio:
    """A figure of any days: what `above` (days,) adds up to by what `below` (days,) does."""

    name: str
    title: str
    above: Vector
    below: Vector
    sign: int = 0
    """Which way is bad: 1 up, -1 down, 0 both."""

    def of(self, chosen: np.ndarray) -> float:
        """Return the figure of some days, NaN where they tell nothing."""
        below = float(self.below[chosen].sum())
        return float(self.above[chosen].sum()) / below if below > _TINY else float("nan")


LOSSES = {
    Task.CLASSIFICATION: "Brier score",
    Task.REGRESSION: "mean absolute error",
    Task.MULTICLASS: "log-loss",
}
RANKING, LOSS, BIAS, SLOPE = "ranking", "loss", "bias", "calibration"


def ratios(
    task: Task, target: Vector, score: np.ndarray, day: Days, days: int, center: float
) -> list[Ratio]:
    """Return the figures that are watched, of rows whose outcome is known.

    `target` (rows,) and `score` (rows,), of several classes (rows, classes), are as metrics take
    them; `center` is the mean score that the model is known by.
    """
    plain = outcomes.plain(target, score)
    off, from_center = plain.score - plain.target, plain.score - center
    every = np.ones(len(day))

    def sums(values: Vector) -> Vector:
        return np.bincount(day, weights=values, minlength=days).astype(np.float64)

    return [
        _ranking(task, plain, day, days),
        Ratio(LOSS, LOSSES[task], sums(_loss(task, target, score)), sums(every), 1),
        Ratio(BIAS, "prediction minus outcome", sums(off), sums(every)),
        Ratio(SLOPE, "lack of calibration", sums(off * from_center), sums(from_center**2)),
    ]


def _loss(task: Task, target: Vector, score: np.ndarray) -> Vector:
    if task is Task.MULTICLASS:
        return outcomes.log_loss(target, score)
    off: Vector = np.abs(target - score)
    return off**2 if task is Task.CLASSIFICATION else off


def _ranking(task: Task, plain: outcomes.Plain, day: Days, days: int) -> Ratio:
    """Return how well rows of one day are put in order, whatever that day was like for all.

    Of events that is the share of pairs that are in the right order (the area under ROC within
    days), of numbers the rank correlation, of several classes the share of rows that are right.
    """
    above, below = np.zeros(days), np.zeros(days)
    order = np.argsort(day, kind="stable")
    starts = np.searchsorted(day[order], np.arange(days + 1))
    for it in np.flatnonzero(np.diff(starts) >= _LEAST_OF_DAY):
        rows = order[starts[it] : starts[it + 1]]
        above[it], below[it] = _ORDERS[task](plain.target[rows], plain.score[rows])
    return Ratio(RANKING, _RANKINGS[task], above, below, -1)


def _pairs(target: Vector, score: Vector) -> tuple[float, float]:
    from scipy import stats

    events = target > 0
    count, others = int(events.sum()), int((~events).sum())
    ranks = float(stats.rankdata(score)[events].sum())
    return ranks - count * (count + 1) / 2, float(count * others)


def _correlated(target: Vector, score: Vector) -> tuple[float, float]:
    from scipy import stats

    ours, theirs = (stats.rankdata(it) - (len(it) + 1) / 2 for it in (target, score))
    size = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    return (len(target) * float(ours @ theirs) / size, float(len(target))) if size else (0.0, 0.0)


def _right(target: Vector, score: Vector) -> tuple[float, float]:
    return float(target.sum()), float(len(target))


_ORDERS = {
    Task.CLASSIFICATION: _pairs,
    Task.REGRESSION: _correlated,
    Task.MULTICLASS: _right,
}
_RANKINGS = {
    Task.CLASSIFICATION: "area under ROC within days",
    Task.REGRESSION: "rank correlation within days",
    Task.MULTICLASS: "share that is right",
}


@dataclass(frozen=True)
class Change:
    """A figure of the reference and of the new days, and whether it is another one by now."""

    name: str
    title: str
    before: float
    now: float
    errors: float
    """The difference in its own standard errors, as far as it is bad."""
    moved: bool


@dataclass(frozen=True)
class Comparison:
    """What outcomes of some days say against those of the reference."""

    changes: Sequence[Change]
    chance: float | None
    """How likely it is that days of nothing new differ like this; None where it is not known."""
    alarm: bool | None
    why: str = ""
    days: int = 0


def compare(
    found: Sequence[Ratio], reference: np.ndarray, current: np.ndarray, error: float, seed: int
) -> Comparison:
    """Compare some days with others, each told by a mask (days,)."""
    told = found[1].below > 0  # Days of which any outcome is known.
    ours, theirs = current & told, reference & told
    counts = int(theirs.sum()), int(ours.sum())
    if counts[0] < LEAST_REFERENCE or counts[1] < LEAST_CURRENT:
        words = (
            f"outcomes of {counts[1]} days (it takes {LEAST_CURRENT}), and of {counts[0]} of the "
            f"reference (it takes {LEAST_REFERENCE})"
        )
        return Comparison((), None, None, words, counts[1])
    place = np.concatenate([np.flatnonzero(theirs), np.flatnonzero(ours)])
    drawn = _drawn(len(place), counts[1], seed)
    errors = np.stack([_errors(it, place, drawn) for it in found])
    highest = errors.max(axis=0)
    chance = float(np.mean(highest >= highest[0] - _TINY))
    bound = float(np.quantile(highest[1:], 1 - error)) if len(highest) > 1 else np.inf
    alarm = chance <= error
    changes = [
        Change(it.name, it.title, it.of(theirs), it.of(ours), float(own), alarm and own >= bound)
        for it, own in zip(found, errors[:, 0], strict=True)
    ]
    return Comparison(changes, chance, alarm, "", counts[1])


@lru_cache(maxsize=32)  # Windows are of the same sizes again and again.
def _drawn(days: int, current: int, seed: int) -> Matrix:
    """Return which days are taken for the new ones (1 + draws, days): those that are, first."""
    rng = np.random.default_rng(seed)
    order = rng.random((DRAWS, days)).argsort(axis=1)
    found = np.zeros((1 + DRAWS, days))
    found[0, days - current :] = 1
    np.put_along_axis(found[1:], order[:, :current], 1, axis=1)
    found.setflags(write=False)
    return found


def _errors(of: Ratio, place: np.ndarray, drawn: Matrix) -> Vector:
    """Return how many standard errors each draw's difference is to the bad side (1 + draws,).

    The error is that of the shuffled days, as if none were like the one before; so the true
    difference is made smaller by what the days' likeness costs.
    """
    above, below = of.above[place], of.below[place]
    with np.errstate(invalid="ignore", divide="ignore"):
        ours = (drawn @ above) / (drawn @ below)
        theirs = ((1 - drawn) @ above) / ((1 - drawn) @ below)
        apart = np.nan_to_num(ours - theirs, nan=0.0, posinf=0.0, neginf=0.0)
    spread = float(apart[1:].std())
    if spread <= _TINY:
        return np.zeros(len(drawn))
    bad = np.abs(apart) if of.sign == 0 else of.sign * apart
    bad = bad / spread
    bad[0] /= bootstrap.stretch(_added(of, place, drawn[0] > 0))
    found: Vector = bad
    return found


def _added(of: Ratio, place: np.ndarray, new: np.ndarray) -> Vector:
    """Return what each day adds to its own side's figure, in order of time: what is alike of it."""
    found = np.zeros(len(place))
    for side in (new, ~new):
        days = place[side]
        figure = of.of(days)
        found[side] = of.above[days] - figure * of.below[days] if np.isfinite(figure) else 0.0
    return found


def sure(change: Mapping[str, bool]) -> bool:
    """Tell whether the order is kept where bias or calibration has moved: what to recalibrate."""
    return not change.get(RANKING, False) and (change.get(BIAS, False) or change.get(SLOPE, False))
