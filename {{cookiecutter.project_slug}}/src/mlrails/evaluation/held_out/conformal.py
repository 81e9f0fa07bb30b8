"""The interval beside a predicted number: how far what came has been off on the validation rows.

Split conformal prediction (Vovk and others 2005; for blocks Lee, Barber and Willett 2023,
arXiv:2306.06342): rows of one day or group share their luck, so it is these that are exchangeable,
each of them counts the same whatever its rows are, and one more that is yet to come counts as
outside. Each side has its own quantile, since errors are skewed; half of the cases outside are to
lie on either.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...core.errors import UsageError
from ...core.params import FILE, Unit
from ...data.arrays import Vector

Blocks = Mapping[Unit, np.ndarray]
"""The day, the group or the number of each row (rows,)."""
_DIGITS = 6
_ROUNDING = 1e-12


class Ends(NamedTuple):
    """What is added to a prediction for either end: the first is never above 0, nor below it the
    last."""

    lower: float
    upper: float


def interval(off: Vector, blocks: Blocks, weight: Vector | None, level: float) -> Ends:
    """Return the ends by outcome minus prediction (rows,) of validation rows.

    With several kinds of blocks the wider end counts. Raises UsageError where there are too few of
    one for the level.
    """
    each = [_of_blocks(off, it, weight, level, unit) for unit, it in blocks.items()]
    lower, upper = min(0.0, *(it.lower for it in each)), max(0.0, *(it.upper for it in each))
    return Ends(round(lower, _DIGITS), round(upper, _DIGITS))


def _of_blocks(
    off: Vector, block: np.ndarray, weight: Vector | None, level: float, unit: Unit
) -> Ends:
    _, place = np.unique(block, return_inverse=True)
    counted = np.ones(len(off)) if weight is None else weight
    each = np.bincount(place, counted)
    share = counted / each[place] / len(each)
    outside = 1 - level * (len(each) + 1) / len(each)
    if outside <= _ROUNDING:
        raise UsageError(
            f"{FILE}: 'estimator.interval' = {level} takes validation rows of at least "
            f"{fewest(level)} {unit.plural}, and there are {len(each)}; lengthen "
            "'split.validation', ask for less, or take it out"
        )
    return Ends(-_quantile(-off, share, 1 - outside / 2), _quantile(off, share, 1 - outside / 2))


def fewest(level: float) -> int:
    """Return of how many blocks an interval can be told."""
    return int(np.floor(level / (1 - level) + _ROUNDING * 1e3)) + 1


def _quantile(values: Vector, share: Vector, at: float) -> float:
    """Return the lowest value that is not below so much of all."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(share[order])
    place = int(np.searchsorted(below, at * below[-1] - _ROUNDING))
    return float(values[order][min(place, len(values) - 1)])
