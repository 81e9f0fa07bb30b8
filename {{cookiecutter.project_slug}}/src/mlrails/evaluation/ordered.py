"""Metrics that need the rows in order: each draw of the blocks is summed up along it.

Exact, and in pieces of so many draws that they stay small.
"""

from collections.abc import Callable

import numpy as np

from ..data.arrays import Vector
from .bootstrap import Draws, Numbers

_NUMBERS_AT_ONCE = 2_000_000
_ROUNDING = 1e-12
"""Of sums of weights."""


def average_precision(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> Callable[[Draws], Vector]:
    """Sum precision over the steps of recall, from the highest score down; ties are one step.

    NaN for a draw without an event.
    """
    order = np.argsort(-score, kind="stable")
    event = np.where(target[order] > 0, 1.0, 0.0)
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True)[: len(order)])

    def of(counts: Draws) -> Vector:
        calls = np.cumsum(counts, axis=1)[:, ends]
        hits = np.cumsum(counts * event, axis=1)[:, ends]
        precision = hits / np.where(calls > 0, calls, 1)
        steps: Vector = (np.diff(hits, axis=1, prepend=0) * precision).sum(axis=1)
        return steps / np.where(hits[:, -1] > 0, hits[:, -1], np.nan)

    return _in_pieces(of, block[order], None if weight is None else weight[order])


def median_absolute_error(
    target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
) -> Callable[[Draws], Vector]:
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


def _in_pieces(
    of: Callable[[Draws], Vector], block: Numbers, weight: Vector | None
) -> Callable[[Draws], Vector]:
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
