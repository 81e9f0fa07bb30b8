"""Which cells say that nothing is known, however they say it."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import words
from .table import Floats, Mask, is_number, is_time
from .table import numbers as as_numbers

if TYPE_CHECKING:
    import pandas as pd

_OFTEN = 0.2
_FAR_DATES = ("1900-01-01", "1970-01-01", "2099-12-31", "9999-12-31")


class Absence(NamedTuple):
    """Which rows of a column have no value."""

    rows: Mask
    written: str
    """How: `nothing`, or the value that stands for it."""
    sure: bool
    """A zero may be a value like any other."""


def of_column(column: "pd.Series[Any]") -> Absence:
    """Return which cells are empty, or hold a word or a number that stands for it."""
    empty = column.isna().to_numpy()
    if empty.mean() >= _OFTEN or column.dtype.kind == "b":
        return Absence(empty, "nothing", True)
    if is_number(column):
        return _number(column, empty)
    if is_time(column):
        far = column.astype("str").str[:10].isin(_FAR_DATES).to_numpy()
        return Absence(empty | far, "a date far away" if far.any() else "nothing", True)
    text = column.astype("str").str.strip().str.lower()
    said = text.isin(words.MISSING).to_numpy() & ~empty
    if not said.any():
        return Absence(empty, "nothing", True)
    return Absence(empty | said, repr(str(column[said].iloc[0])), True)


def _number(column: "pd.Series[Any]", empty: Mask) -> Absence:
    values = as_numbers(column)
    there = values[~empty]
    if not len(there):
        return Absence(empty, "nothing", True)
    for value in (*words.NUMBERS, 0.0):
        here = values == value
        if here.mean() >= _OFTEN and here.sum() < len(there):
            is_sure = value != 0 and _is_far(value, there[there != value])
            if is_sure or value <= 0:
                return Absence(empty | here, f"{value:g}", is_sure)
    return Absence(empty, "nothing", True)


def _is_far(value: float, others: Floats) -> bool:
    """Tell whether a number stands apart: minus one among other negative ones does not."""
    return bool(others.min() >= 0 if value < 0 else value > 2 * np.abs(others).max())
