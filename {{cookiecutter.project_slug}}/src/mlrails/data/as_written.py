"""Cells of a request that are written as the project's own source is, in this engine's words.

It is what `columnar` does to the columns of a file, for few rows and where Arrow is not installed:
an image that serves has none. A cell says the same to both.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from . import cells, columnar
from .reading import Reading

_NUMBERS = {"double", "float", "long", "integer"}
"""Types of a signature."""
Cells = Sequence[str | None]


class Said(NamedTuple):
    """A column in this engine's words, and which of its cells are not written so and stay."""

    cells: Cells
    wrong: Sequence[bool]


def is_time(name: str, kind: str, how: Reading) -> bool:
    """Tell whether a column, of a type of a signature, writes its times in a way of its own."""
    return name in how.dates and kind == "datetime"


def is_number(name: str, kind: str, how: Reading) -> bool:
    """Tell whether a column writes its numbers in a way of its own."""
    return kind in _NUMBERS and (not how.is_plain or name in how.units)


def reason(name: str, kind: str, how: Reading) -> str:
    """Return what is wrong with a cell of such a column that is not written so."""
    if is_time(name, kind, how):
        return f"is no time written as {how.dates[name]!r}"
    return f"is no number with {how.decimal!r} before its decimals"


def column(name: str, kind: str, given: Cells, how: Reading) -> Said:
    """Return a column by the words of the source; empty cells are missing values."""
    nothing = {"", *how.nulls}
    cut = [it.strip() if how.trim and it else it for it in given]
    bare = [None if it in nothing else it for it in cut]
    if is_time(name, kind, how):
        return _times(bare, how.dates[name])
    if is_number(name, kind, how):
        return _numbers(bare, how, how.units.get(name))
    return Said(bare, [False] * len(bare))


def _times(given: Cells, form: str) -> Said:
    import pandas as pd

    made, wrong = columnar.moments(pd.Series(given, dtype="str"), form)
    moments = [None if pd.isna(it) else it.isoformat(timespec="microseconds") for it in made]
    pairs = zip(given, moments, wrong, strict=True)
    return Said([cell if is_wrong else it for cell, it, is_wrong in pairs], wrong.tolist())


def _numbers(given: Cells, how: Reading, unit: str | None) -> Said:
    number = re.compile(f"{cells.numeral(how.decimal, how.thousands)}|{cells.MISSING}")
    sign = re.compile(rf"\s*{re.escape(unit)}\s*", re.ASCII) if unit else None
    bare = [sign.sub("", it, count=1) if sign and it else it for it in given]
    cut = [it.strip() if it else it for it in bare]
    wrong = [it is not None and number.fullmatch(it) is None for it in cut]
    pairs = zip(given, cut, wrong, strict=True)
    return Said([cell if is_wrong else _plain(it, how) for cell, it, is_wrong in pairs], wrong)


def _plain(cell: str | None, how: Reading) -> str | None:
    if cell is None:
        return None
    bare = cell.replace(how.thousands, "") if how.thousands else cell
    return bare.replace(how.decimal, ".")
