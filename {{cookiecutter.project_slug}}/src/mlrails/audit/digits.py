"""The target hidden in what nobody looks at: digits, remainders, letters, what means leave out."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import strength
from .encodings import Encoded, some
from .strength import Strength
from .table import (
    LEVELS,
    Codes,
    Floats,
    Keys,
    Table,
    binned,
    codes,
    is_number,
    is_time,
    is_whole,
)
from .table import numbers as as_numbers

if TYPE_CHECKING:
    import pandas as pd

_UNIQUE = 0.5
_LONGEST = 40
_POWERS = range(1, 7)
_CHECKS = 3, 7, 9, 11, 13
"""What numbers of a series or with a check digit are dealt by."""
_EXACT = 2.0**53
_FEWEST = 100
_OPPOSITE, _MANY = 0.99, 25


class Hidden(NamedTuple):
    """Which part of a column's values tells the target, and how well."""

    part: str
    told: Strength


def found(table: Table, name: str) -> Hidden | None:
    """Return the part of near-unique values that tells most, None where they are not unique."""
    column = table.frame[name]
    if table.distinct(name) < _UNIQUE * len(column) or len(column) < _FEWEST or is_time(column):
        return None
    parts = _of_numbers(column) if is_number(column) else _of_text(column)
    each = [
        Hidden(part, strength.of_codes(here, table))
        for part, here in parts.items()
        if 1 < np.count_nonzero(np.bincount(here + 1)) < len(here) / 2
    ]
    return max(each, key=lambda it: it.told.low, default=None)


def _of_numbers(column: "pd.Series[Any]") -> dict[str, Codes]:
    """Return remainders of whole numbers, or what follows the decimals of others."""
    values = as_numbers(column)
    there = ~np.isnan(values)
    if not there.any() or np.abs(values[there]).max() > _EXACT:
        return {}
    found: dict[str, Codes] = {}
    if is_whole(values):
        for power in _POWERS:
            if 10**power < np.ptp(values[there]) / 10:
                words = "last digit" if power == 1 else f"last {power} digits"
                found[words] = binned(np.mod(values, 10.0**power))
        for number in _CHECKS:
            found[f"remainder by {number}"] = binned(np.mod(values, float(number)))
        return found
    spread = np.nanstd(values)
    for power in range(5):
        if 10.0**-power < spread / 2:
            found[f"digits after the decimal {power}"] = binned(
                np.mod(np.round(values * 10.0**power, 9), 1.0)
            )
    return found | _written(values)


def _written(values: Floats) -> dict[str, Codes]:
    """Return the last digit of numbers as they are written, and how many letters these have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.array(np.abs(values)).cast(pa.string())
    whole = values == np.floor(values)
    last = pc.utf8_slice_codeunits(text, -1).cast(pa.binary()).to_numpy(zero_copy_only=False)
    digit = np.where(whole, ord("0"), np.array(last, dtype="S1").view(np.uint8)).astype(np.int64)
    letters = pc.utf8_length(text).to_numpy() + 2 * whole  # Among decimals 5 is 5.0.
    return {"last digit written": digit, "number of digits written": letters.astype(np.int64)}


def _of_text(column: "pd.Series[Any]") -> dict[str, Codes]:
    """Return each letter from the front and from the back, and the length."""
    text = column.astype("str").str
    lengths = np.asarray(text.len(), dtype=np.int64)
    longest = min(int(lengths.max(initial=0)), _LONGEST)
    found: dict[str, Codes] = {"length": lengths}
    for place in range(longest // 2 + 1):
        found[f"letter {place + 1}"] = codes(text[place]) + 1
        found[f"letter {place + 1} from the end"] = codes(text[-place - 1]) + 1
    return found


def left_out(table: Table, keys: Keys, name: str) -> Encoded | None:
    """Return by which column's values a column is a mean that leaves the row's own target out.

    None where it is not. Such a mean tells nothing alone.
    """
    if not is_number(table.frame[name]) or table.distinct(name) < LEVELS:
        return None
    values = as_numbers(table.frame[name])
    there = ~np.isnan(values)
    for by in keys.sets(name, 1):
        level = table.codes(by[0])[there]
        for target in table.target[there].T:
            if _leaves_out(*some(level, values[there], target)):
                return Encoded(len(np.unique(level)), by)
    return None


def _leaves_out(level: Codes, values: Floats, target: Floats) -> bool:
    """Tell whether a mean leaves each row's own target out, and so says what this is.

    The less others sum up to, the more the row has itself: within a group both go one against the
    other, in a line.
    """
    level = level - level.min()
    rows = np.bincount(level).astype(np.float64)
    safe = np.maximum(rows, 1)
    sums = values * (rows - 1)[level]
    off = sums - (np.bincount(level, sums) / safe)[level]
    mean = np.bincount(level, target) / safe
    left = target - mean[level]
    there = (rows[level] > 2) & (left != 0)
    if there.sum() < _MANY or len(np.unique(level[there])) < LEVELS:
        return False
    means = mean[rows > 2], (np.bincount(level, values) / safe)[rows > 2]
    if min(map(np.ptp, means)) == 0 or np.corrcoef(*means)[0, 1] < _OPPOSITE:
        return False  # What a part leaves of a whole goes against it too, and is no mean.
    off, left = off[there], left[there]
    scale = float(np.sqrt((off @ off) * (left @ left)))
    return scale > 0 and float(off @ left) / scale < -_OPPOSITE
