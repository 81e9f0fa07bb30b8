"""Metrics as functions of how often each block of rows was drawn: a day, a group, some rows.

Sums over blocks are made once, so a thousand draws of `bootstrap` are a few matrix products. A row
of weight 2 counts as the row twice; without weights all rows count alike.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol

import numpy as np

from ..core.params import Task
from ..data.arrays import Vector
from . import outcomes
from .bootstrap import Draws, Numbers, OfDraws

_ROUNDING = 1e-12
"""A share of squares that is smaller is that of rounded sums."""


class ByBlock(Protocol):
    """Prepares a metric of rows, each of which is in a block and may have a weight, for draws."""

    def __call__(
        self, target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
    ) -> OfDraws:
        """Return the metric of any number of draws; all arrays are (rows,)."""


@dataclass(frozen=True)
class Metric:
    """A metric: `by_block(target, score, block, weight)` prepares it for any number of draws."""

    name: str
    title: str
    higher_is_better: bool
    by_block: ByBlock
    least: float = -np.inf
    """The ends of what the metric can be."""
    most: float = np.inf
    unit: str = ""
    """What its figures are in, in words; TARGET is the target's own."""
    of_calls: bool = False
    """Whether it is asked of calls, 0 or 1, in the place of scores."""
    middle: Callable[[Vector], float] = np.mean
    """The constant that is best by it, of the targets (rows,) that were seen in fitting."""
    needs: Callable[[Vector], str] | None = None
    """What is wrong with targets (rows,) that it is not defined for, in words; else nothing."""
    is_own: bool = False
    """Whether the project has declared it itself."""

    def whole(self, target: Vector, score: Vector, weight: Vector | None = None) -> float:
        """Return the metric of all rows (rows,)."""
        one_block = np.zeros(len(target), np.int64)
        return float(self.by_block(target, score, one_block, weight)(np.ones((1, 1)))[0])

    def best(
        self, target: Vector, scores: Iterable[Vector], weight: Vector | None = None
    ) -> Vector:
        """Return the best of some scores (rows,) or calls; the first of them where none is."""
        sign = 1 if self.higher_is_better else -1
        found = [(sign * self.whole(target, it, weight), it) for it in scores]
        known = [it for it in found if np.isfinite(it[0])]
        return max(known or found[:1], key=lambda it: it[0])[1]

    def hardest_call(self, target: Vector, weight: Vector | None = None) -> Vector:
        """Return the same call for each row (rows,) that is the hardest to beat: 1, or 0."""
        calls = (np.full(len(target), call) for call in (1.0, 0.0))
        return self.best(target, calls, weight)


def _sums(values: Vector, block: Numbers, weight: Vector | None) -> Vector:
    """Return what the rows of each block add up to."""
    counted = values if weight is None else values * weight
    return np.bincount(block, weights=counted).astype(np.float64)


def mean_of_rows(loss: Callable[[Vector, Vector], Vector]) -> ByBlock:
    """Make a metric of a loss for each row: its mean over the drawn blocks."""

    def by_block(
        target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
    ) -> OfDraws:
        total = _sums(loss(target, score), block, weight)
        count = _sums(np.ones(len(block)), block, weight)
        return lambda drawn: (drawn @ total) / (drawn @ count)

    return by_block


def _log_loss(target: Vector, score: Vector) -> Vector:
    sure = np.clip(score, 1e-15, 1 - 1e-15)
    return -np.where(target > 0, np.log(sure), np.log1p(-sure))


def _squared(target: Vector, score: Vector) -> Vector:
    return (target - score) ** 2


def root_of_mean_square(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Take the root of the mean of squared errors."""
    mean = mean_of_rows(_squared)(target, score, block, weight)
    return lambda drawn: np.sqrt(mean(drawn))


def _explained(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """R²: one minus the squared error over the squares about the mean of the drawn rows.

    Where the target never changes it is 1 for a model without any error and else 0, as
    scikit-learn has it.
    """
    # About the mean of all rows: sums of squares of large numbers would cancel to nothing.
    off = target - target[:1]  # exactly zero where the target never changes
    off = off - (off.mean() if len(off) else 0)
    error = _sums((target - score) ** 2, block, weight)
    count, first, second = (_sums(off**power, block, weight) for power in (0, 1, 2))

    def of(drawn: Draws) -> Vector:
        missed, squares = drawn @ error, drawn @ second
        spread = squares - (drawn @ first) ** 2 / (drawn @ count)
        constant = spread <= _ROUNDING * squares
        share = missed / np.where(constant, 1, spread)
        return np.where(constant, np.where(missed > 0, 0.0, 1.0), 1 - share)

    return of


def _f1(target: Vector, called: Vector, block: Numbers, weight: Vector | None = None, /) -> OfDraws:
    """F1: the harmonic mean of precision and recall of what is called."""
    event = np.where(target > 0, 1.0, 0.0)
    hits, calls, events = (_sums(it, block, weight) for it in (event * called, called, event))

    def of(drawn: Draws) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Vector = 2 * (drawn @ hits) / (drawn @ calls + drawn @ events)
            return found

    return of


def _share_of(among: Callable[[Vector, Vector], Vector]) -> ByBlock:
    """Make the share of rows that are events and called, of calls or of events."""

    def by_block(
        target: Vector, called: Vector, block: Numbers, weight: Vector | None = None, /
    ) -> OfDraws:
        event = np.where(target > 0, 1.0, 0.0)
        hits, all_ = (_sums(it, block, weight) for it in (event * called, among(event, called)))

        def of(drawn: Draws) -> Vector:
            with np.errstate(divide="ignore", invalid="ignore"):
                share: Vector = drawn @ hits / (drawn @ all_)
                return share

        return of

    return by_block


def youden(
    target: Vector, called: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Youden's index: the share of events that is called minus that of other rows."""
    event = np.where(target > 0, 1.0, 0.0)
    events, others = (_sums(it, block, weight) for it in (event, 1 - event))
    hits, alarms = (_sums(it * called, block, weight) for it in (event, 1 - event))

    def of(drawn: Draws) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Vector = drawn @ hits / (drawn @ events) - drawn @ alarms / (drawn @ others)
            return found

    return of


def _area_under_roc(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Count the pairs in order, between each two blocks: exact, with ties as a half.

    The area is the share of (event, no event) pairs in which the event has the higher score
    (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747), so with the pairs counted once
    between blocks e and f, any draw is the quadratic form of the counts. A pair weighs as much as
    its two rows, multiplied.
    """
    count = int(block.max()) + 1 if len(block) else 0
    weigh = np.ones(len(block)) if weight is None else weight
    event, rival = (_Rows(score[it], block[it], weigh[it]) for it in (target > 0, ~(target > 0)))
    events, rivals = (np.bincount(it.block, it.weight, count) for it in (event, rival))
    pairs = _in_order(event, rival, count)

    def of(drawn: Draws) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            ordered: Vector = np.einsum("de,df,ef->d", drawn, drawn, pairs, optimize=True)
            return ordered / ((drawn @ events) * (drawn @ rivals))

    return of


class _Rows(NamedTuple):
    score: Vector
    block: Numbers
    weight: Vector

    def sorted_by(self, values: np.ndarray) -> "_Rows":
        """Return the rows in the order of their values."""
        order = np.argsort(values, kind="stable")
        return _Rows(self.score[order], self.block[order], self.weight[order])


def _in_order(event: _Rows, rival: _Rows, count: int) -> Draws:
    """Return what the pairs weigh in which the event is above, (blocks of events, of rivals).

    Among the events from the lowest to the highest a rival stands twice, for a half each: before
    all that are not below it, and before those that are above it. So one search finds all pairs.
    """
    event, rival = event.sorted_by(event.score), rival.sorted_by(rival.block)
    places = [np.searchsorted(event.score, rival.score, side) for side in _SIDES]
    ends = np.cumsum(np.bincount(rival.block, minlength=count))
    pairs = np.zeros((count, count))
    for other, (start, end) in enumerate(pairwise([0, *ends])):
        weight, below = rival.weight[start:end], np.zeros(len(event.score) + 1)
        for place in places:
            below += np.bincount(place[start:end], weight, len(below))
        pairs[:, other] = np.bincount(event.block, event.weight * np.cumsum(below)[:-1] / 2, count)
    return pairs


_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")

TARGET = "the target's unit"

METRICS: dict[Task, Sequence[Metric]] = {
    Task.CLASSIFICATION: (
        Metric("roc_auc", "Area under ROC", True, _area_under_roc, 0, 1, "a share of pairs"),
        Metric("log_loss", "Log-loss", False, mean_of_rows(_log_loss), 0, unit="nats"),
        Metric(
            "brier", "Brier score", False, mean_of_rows(_squared), 0, 1, "a squared probability"
        ),
    ),
    Task.MULTICLASS: (
        Metric("log_loss", "Log-loss", False, mean_of_rows(outcomes.log_loss), 0, unit="nats"),
        Metric(
            "roc_auc",
            "One-against-rest area under ROC",
            True,
            outcomes.macro(_area_under_roc, called=False),
            0,
            1,
            "a share of pairs",
        ),
        Metric(
            "brier", "Brier score", False, mean_of_rows(outcomes.brier), 0, 2, "a sum of squares"
        ),
        Metric("macro_f1", "Macro F1", True, outcomes.macro(_f1, called=True), 0, 1, "a share"),
        Metric("accuracy", "Accuracy", True, mean_of_rows(outcomes.is_right), 0, 1, "a share"),
    ),
    Task.REGRESSION: (
        Metric("rmse", "Root mean squared error", False, root_of_mean_square, 0, unit=TARGET),
        Metric(
            "mae",
            "Mean absolute error",
            False,
            mean_of_rows(lambda y, p: np.abs(y - p)),
            0,
            unit=TARGET,
            middle=np.median,
        ),
        Metric("r2", "R²", True, _explained, most=1, unit="a share of the variance"),
    ),
}
"""The metrics that every report of a task tells; models are compared by the first of them where
`evaluation.primary` names no other. What else there is stands in `catalogue.py`."""

BIAS = Metric("bias", "Mean prediction minus mean target", False, mean_of_rows(lambda y, p: p - y))
"""Calibration in the large: best at zero, so no model is compared by it."""

DECISIONS: dict[str, Metric] = {
    "f1": Metric("f1", "F1", True, _f1, 0, 1, "a share", of_calls=True),
    "youden": Metric(
        "youden", "Youden's index", True, youden, -1, 1, "a difference of shares", of_calls=True
    ),
}
"""The metric of decisions by the rule that chooses their threshold; the rule `cost` has `cost`."""

OF_CLASS = (
    Metric("precision", "Precision", True, _share_of(lambda event, called: called), 0, 1),
    Metric("recall", "Recall", True, _share_of(lambda event, called: event), 0, 1),
    DECISIONS["f1"],
    Metric("roc_auc", "Area under ROC", True, _area_under_roc, 0, 1),
)
"""What is told of each class against the rest: of its calls, and the area of its probabilities."""
