"""The metrics that a task has beside those of every report, for who names one of them.

How to change this: a metric is a line here.
"""

from collections.abc import Sequence

import numpy as np

from ..core.params import Costs, Task
from ..data.arrays import Vector
from .bootstrap import Draws, Numbers, OfDraws
from .metrics import DECISIONS, TARGET, Metric, mean_of_rows, root_of_mean_square, youden

_ROUNDING = 1e-12
"""Of sums of weights."""
_NUMBERS_AT_ONCE = 2_000_000
"""Draws of all rows are summed up along their order in pieces of so many, which stay small."""


def _average_precision(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Sum precision over the steps of recall, from the highest score down; ties are one step.

    Recall rises at events alone, so what lies between two of them is counted once for each block,
    and a draw is a product of matrices. NaN for a draw without an event.
    """
    order = np.argsort(-score, kind="stable")
    block, weigh = block[order], None if weight is None else weight[order]
    event = np.where(target[order] > 0, 1.0, 0.0)
    tie = np.cumsum(np.diff(score[order], prepend=score[order][:1]) != 0)
    rises = np.bincount(tie, event) > 0
    # How many rises come before a row: those behind the last one count for nothing.
    step: Numbers = (np.cumsum(rises) - rises)[tie]
    rows = (step, block, np.ones(len(step)) if weigh is None else weigh)
    events = (step, block, event if weigh is None else event * weigh)

    def of(drawn: Draws) -> Vector:
        calls, hits, area = np.zeros((3, len(drawn), 1))
        size = max(_NUMBERS_AT_ONCE // max(len(drawn), 1), 1)
        for start in range(0, int(rises.sum()), size):
            steps = range(start, min(start + size, int(rises.sum())))
            called = calls[:, -1:] + np.cumsum(drawn @ _by_step(*rows, steps, drawn), axis=1)
            found = drawn @ _by_step(*events, steps, drawn)
            hit = hits[:, -1:] + np.cumsum(found, axis=1)
            area += (found * hit / np.where(called > 0, called, 1)).sum(axis=1, keepdims=True)
            calls, hits = called, hit
        found_at_last: Vector = hits[:, -1]
        return area[:, 0] / np.where(found_at_last > 0, found_at_last, np.nan)

    return of


def _by_step(step: Numbers, block: Numbers, values: Vector, steps: range, drawn: Draws) -> Draws:
    """Add values up for each block and each of some steps, in the order of which they are."""
    here = slice(*np.searchsorted(step, [steps.start, steps.stop]))
    place = block[here] * len(steps) + step[here] - steps.start
    shape = drawn.shape[1], len(steps)
    found: Draws = np.bincount(place, values[here], shape[0] * shape[1]).astype(np.float64)
    return found.reshape(shape)


def _median_absolute_error(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Take the middle of the errors, or the mean of the two in the middle."""
    error = np.abs(target - score)
    order = np.argsort(error, kind="stable")
    error = error[order]

    def of(counts: Draws) -> Vector:
        below = np.cumsum(counts, axis=1)
        half = below[:, -1:] / 2
        # Weights that add up to a half but for their rounding do.
        ends = (below < half * (1 - _ROUNDING)), (below <= half * (1 + _ROUNDING))
        at_least, above = (it.sum(axis=1) for it in ends)
        middle: Vector = (error[at_least] + error[np.minimum(above, len(error) - 1)]) / 2
        return np.where(half[:, 0] > 0, middle, np.nan)

    return _in_pieces(of, block[order], None if weight is None else weight[order])


def _in_pieces(of: OfDraws, block: Numbers, weight: Vector | None) -> OfDraws:
    """Give a function of how much each row counts (draws, rows) a few draws at a time."""
    size = max(_NUMBERS_AT_ONCE // max(len(block), 1), 1)

    def of_rows(drawn: Draws) -> Vector:
        counts = drawn[:, block]
        return of(counts if weight is None else counts * weight)

    def of_blocks(drawn: Draws) -> Vector:
        if not len(block):
            return np.full(len(drawn), np.nan)
        pieces = range(0, len(drawn), size)
        return np.concatenate([of_rows(drawn[start : start + size]) for start in pieces])

    return of_blocks


def _balanced_accuracy(
    target: Vector, called: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Take the mean of the shares of events and of other rows that are called right."""
    index = youden(target, called, block, weight)
    return lambda drawn: (index(drawn) + 1) / 2


def _right(target: Vector, called: Vector) -> Vector:
    return np.where((target > 0) == (called > 0), 1.0, 0.0)


def _logarithmic(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Take RMSE on logarithms of one plus each number; a prediction below zero counts as zero."""
    return root_of_mean_square(np.log1p(target), np.log1p(np.maximum(score, 0)), block, weight)


def _below_zero(target: Vector) -> str:
    below = int(np.sum(target < 0))
    return f"is for targets from zero on, and {below:,} are below it" if below else ""


def _share_of_target(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> OfDraws:
    """Divide all errors by all of the target: no row alone is divided by nearly zero."""
    error = mean_of_rows(lambda y, p: np.abs(y - p))(target, score, block, weight)
    size = mean_of_rows(lambda y, _: np.abs(y))(target, score, block, weight)

    def of(drawn: Draws) -> Vector:
        whole = size(drawn)
        return error(drawn) / np.where(whole > 0, whole, np.nan)

    return of


MORE: dict[Task, Sequence[Metric]] = {
    Task.CLASSIFICATION: (
        Metric(
            "average_precision",
            "Average precision",
            True,
            _average_precision,
            0,
            1,
            "a share of calls",
        ),
        *DECISIONS.values(),
        Metric("accuracy", "Accuracy", True, mean_of_rows(_right), 0, 1, "a share of rows", True),
        Metric(
            "balanced_accuracy",
            "Balanced accuracy",
            True,
            _balanced_accuracy,
            0,
            1,
            "a mean of shares",
            of_calls=True,
        ),
    ),
    Task.REGRESSION: (
        Metric(
            "median_absolute_error",
            "Median absolute error",
            False,
            _median_absolute_error,
            0,
            unit=TARGET,
            middle=np.median,
        ),
        Metric(
            "rmsle",
            "Root mean squared logarithmic error",
            False,
            _logarithmic,
            0,
            unit="the logarithm of a ratio",
            middle=lambda target: float(np.expm1(np.mean(np.log1p(np.maximum(target, 0))))),
            needs=_below_zero,
        ),
        Metric(
            "wape",
            "Absolute error as a share of the target",
            False,
            _share_of_target,
            0,
            unit="a share",
            middle=np.median,
        ),
    ),
}
"""By task; a loss of a quantile and a mean cost are made of their numbers, below."""


def pinball(percent: int) -> Metric:
    """Return the loss that a quantile is best by (Koenker and Bassett 1978, doi:10.2307/1913643).

    A prediction that is too low costs `percent` hundredths of the difference, one that is too high
    the rest.
    """
    share = percent / 100

    def loss(target: Vector, score: Vector) -> Vector:
        return np.where(target > score, share, share - 1) * (target - score)

    def quantile(target: Vector) -> float:
        return float(np.quantile(target, share))

    title = f"Pinball loss at {percent}%"
    return Metric(
        f"pinball_{percent}", title, False, mean_of_rows(loss), 0, unit=TARGET, middle=quantile
    )


def cost(costs: Costs) -> Metric:
    """Return what wrong calls cost, on average over all rows."""

    def of_row(target: Vector, called: Vector) -> Vector:
        alarms, missed = (target <= 0) & (called > 0), (target > 0) & (called <= 0)
        return costs.false_alarm * alarms + costs.miss * missed

    most, unit = max(costs.false_alarm, costs.miss), "the unit of `evaluation.costs`"
    return Metric("cost", "Mean cost", False, mean_of_rows(of_row), 0, most, unit, of_calls=True)
