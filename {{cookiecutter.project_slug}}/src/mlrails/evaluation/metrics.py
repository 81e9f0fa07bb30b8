"""Metrics as functions of how often each day was drawn.

Sums over days are made once, so a thousand draws of `bootstrap` are a few matrix products.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.params import Task
from ..data.arrays import Vector
from .bootstrap import Draws

_ROUNDING = 1e-12
"""A share of squares that is smaller is that of rounded sums."""

OfDraws = Callable[[Draws], Vector]
"""A metric on one model and one set of rows: (draws, days) to (draws,)."""


@dataclass(frozen=True)
class Metric:
    """A metric: `by_day(target, score, day)` prepares it for any number of draws."""

    name: str
    title: str
    higher_is_better: bool
    by_day: Callable[[Vector, Vector, npt.NDArray[np.int64]], OfDraws]
    least: float = -np.inf
    """The ends of what the metric can be."""
    most: float = np.inf

    def whole(self, target: Vector, score: Vector) -> float:
        """Return the metric of all rows (rows,)."""
        one_block = np.zeros(len(target), np.int64)
        return float(self.by_day(target, score, one_block)(np.ones((1, 1)))[0])


def _sums(values: Vector, day: npt.NDArray[np.int64]) -> Vector:
    return np.bincount(day, weights=values).astype(np.float64)


def _mean_of(loss: Callable[[Vector, Vector], Vector]) -> Callable[..., OfDraws]:
    """Make a metric of a loss for each row: its mean over the drawn days."""

    def by_day(target: Vector, score: Vector, day: npt.NDArray[np.int64]) -> OfDraws:
        total, count = _sums(loss(target, score), day), _sums(np.ones(len(day)), day)
        return lambda drawn: (drawn @ total) / (drawn @ count)

    return by_day


def _log_loss(target: Vector, score: Vector) -> Vector:
    sure = np.clip(score, 1e-15, 1 - 1e-15)
    return -np.where(target > 0, np.log(sure), np.log1p(-sure))


def _root_of_mean_square(target: Vector, score: Vector, day: npt.NDArray[np.int64]) -> OfDraws:
    mean = _mean_of(lambda target, score: (target - score) ** 2)(target, score, day)
    return lambda drawn: np.sqrt(mean(drawn))


def _explained(target: Vector, score: Vector, day: npt.NDArray[np.int64]) -> OfDraws:
    """R²: one minus the squared error over the squares about the mean of the drawn rows.

    Where the target never changes it is 1 for a model without any error and else 0, as
    scikit-learn has it.
    """
    # About the mean of all rows: sums of squares of large numbers would cancel to nothing.
    off = target - target[:1]  # exactly zero where the target never changes
    off = off - (off.mean() if len(off) else 0)
    error = _sums((target - score) ** 2, day)
    count, first, second = (_sums(off**power, day) for power in (0, 1, 2))

    def of(drawn: Draws) -> Vector:
        missed, squares = drawn @ error, drawn @ second
        spread = squares - (drawn @ first) ** 2 / (drawn @ count)
        constant = spread <= _ROUNDING * squares
        share = missed / np.where(constant, 1, spread)
        return np.where(constant, np.where(missed > 0, 0.0, 1.0), 1 - share)

    return of


def _f1(target: Vector, called: Vector, day: npt.NDArray[np.int64]) -> OfDraws:
    """F1: the harmonic mean of precision and recall of what is called."""
    event = np.where(target > 0, 1.0, 0.0)
    hits, calls, events = (_sums(it, day) for it in (event * called, called, event))

    def of(drawn: Draws) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Vector = 2 * (drawn @ hits) / (drawn @ calls + drawn @ events)
            return found

    return of


def _youden(target: Vector, called: Vector, day: npt.NDArray[np.int64]) -> OfDraws:
    """Youden's index: the share of events that is called minus that of other rows."""
    event = np.where(target > 0, 1.0, 0.0)
    events, others = _sums(event, day), _sums(1 - event, day)
    hits, alarms = _sums(event * called, day), _sums((1 - event) * called, day)

    def of(drawn: Draws) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Vector = drawn @ hits / (drawn @ events) - drawn @ alarms / (drawn @ others)
            return found

    return of


def _area_under_roc(target: Vector, score: Vector, day: npt.NDArray[np.int64]) -> OfDraws:
    """Count the pairs in order, between each two days: exact, with ties as a half.

    The area is the share of (event, no event) pairs in which the event has the higher score
    (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747), so with the pairs counted once
    between days e and f, any draw is the quadratic form of the counts.
    """
    day_count = int(day.max()) + 1 if len(day) else 0
    event, score_of_event = day[target > 0], score[target > 0]
    pairs = np.zeros((day_count, day_count))
    for other in range(day_count):
        rivals = np.sort(score[(target <= 0) & (day == other)])
        below = np.searchsorted(rivals, score_of_event, "left")
        not_above = np.searchsorted(rivals, score_of_event, "right")
        pairs[:, other] = np.bincount(event, (below + not_above) / 2, day_count)
    events = np.bincount(event, minlength=day_count)
    rivals_of_day = np.bincount(day[target <= 0], minlength=day_count)

    def of(drawn: Draws) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            ordered: Vector = np.einsum("de,df,ef->d", drawn, drawn, pairs, optimize=True)
            return ordered / ((drawn @ events) * (drawn @ rivals_of_day))

    return of


METRICS: dict[Task, Sequence[Metric]] = {
    Task.CLASSIFICATION: (
        Metric("roc_auc", "Area under ROC", True, _area_under_roc, 0, 1),
        Metric("log_loss", "Log-loss", False, _mean_of(_log_loss), 0),
        Metric("brier", "Brier score", False, _mean_of(lambda y, p: (y - p) ** 2), 0, 1),
    ),
    Task.REGRESSION: (
        Metric("rmse", "Root mean squared error", False, _root_of_mean_square, 0),
        Metric("mae", "Mean absolute error", False, _mean_of(lambda y, p: np.abs(y - p)), 0),
        Metric("r2", "R²", True, _explained, most=1),
    ),
}
"""The metrics of each task; the first is the one that models are compared by."""

BIAS = Metric("bias", "Mean prediction minus mean target", False, _mean_of(lambda y, p: p - y))
"""Calibration in the large: best at zero, so no model is compared by it."""

DECISIONS: dict[str, Metric] = {
    "f1": Metric("f1", "F1", True, _f1, 0, 1),
    "youden": Metric("youden", "Youden's index", True, _youden, -1, 1),
}
"""The metric of decisions by the rule that chooses their threshold: asked of calls, 0 or 1."""
