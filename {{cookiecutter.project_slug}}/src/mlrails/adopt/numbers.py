"""Numbers in a column: those that count, those that are names, and those that are faults."""

import re
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.errors import UsageError, counted
from ..data import cells
from ..data.columnar import numerals
from ..data.reading import Reading
from . import names
from .seen import FEW, NEARLY, Look, Seen

_EXACT = 2**53


def floats(column: Any, how: Reading) -> Any:
    """Return 64-bit floats where each cell of text is a number as the words say, else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    special, head = not how.is_plain, column.slice(0, 200)
    if not special:
        try:
            head.cast(pa.float64())
            return column.cast(pa.float64())
        except pa.ArrowInvalid:
            pass
    for part in (head, column):
        if special:
            plain, wrong = numerals(part, how.decimal, how.thousands)
        else:
            plain = pc.utf8_trim(part, characters=cells.BLANKS)
            right = pc.match_substring_regex(plain, f"^({cells.NUMBER}|{cells.MISSING})$")
            wrong = ~np.asarray(right.fill_null(True).to_numpy(), dtype=bool)
        if wrong.any():
            return None
    return plain.cast(pa.float64())


def of_floats(base: Seen, values: Any, look: Look) -> Seen:
    """Return what floats are; raises UsageError with the first row where one is infinite."""
    plain = np.asarray(values.to_numpy(), dtype=np.float64)
    endless = np.isinf(plain)
    if endless.any():
        row = int(np.argmax(endless)) + 1
        raise UsageError(
            f"{look.here(base.name)}: row {row:,} is infinite (of "
            f"{counted(int(endless.sum()), 'such row')}); leave the cell empty where nothing is "
            "known, or leave the column out with --drop"
        )
    present = plain[~np.isnan(plain)]
    missing = base.rows - len(present)
    if not len(present):
        return replace(base, values=values, missing=missing, why="no row has a value")
    distinct = len(np.unique(present))
    whole = bool((present == np.floor(present)).all())
    found = replace(
        base, what="number", kind="number", values=values, missing=missing, distinct=distinct,
        whole=whole, minimum=float(present.min()), maximum=float(present.max()),
    )  # fmt: skip
    found = _of_whole(found, present) if whole else replace(found, why=_ranged(found))
    return found if found.kind == "number" else replace(found, values=base.values.cast("string"))


def _ranged(found: Seen) -> str:
    return f"numbers from {found.minimum:,.6g} to {found.maximum:,.6g}"


def _of_whole(found: Seen, present: np.ndarray) -> Seen:
    """Tell whole numbers that count from those that name rows, or kinds of them."""
    name, few = found.name, found.distinct
    least, most = found.minimum or 0, found.maximum or 0
    several = f"{few:,} different whole numbers"
    if few == found.rows >= FEW and most - least == few - 1 and not names.has(name, names.TIME):
        return _named(found, f"counts the rows from {least:g} to {most:g}")
    if few >= max(NEARLY * len(present), FEW) and names.has(name, names.NUMBERED):
        return _named(found, f"{several} in {found.rows:,} rows, and a name that says so")
    if few > 2 and names.has(name, names.IDENTIFIER):
        return _named(found, f"{several}, and a name that says that they name something")
    return _counting(found, present)


def _counting(found: Seen, present: np.ndarray) -> Seen:
    """Tell whole numbers that count from those that are codes of kinds."""
    name, few, several = found.name, found.distinct, f"{found.distinct:,} different whole numbers"
    least, most = found.minimum or 0, found.maximum or 0
    if 2 < few < len(present) / 2 and names.is_of(name, names.ENTITY | names.CODE):
        return replace(
            _named(found, f"{several}, which are names by the column's own"), what="category"
        )
    if few <= 2:
        return replace(found, why=" and ".join(f"{it:g}" for it in sorted({least, most})) + " only")
    if few <= FEW:
        return replace(found, why=f"{several}, whose order counts; were they names, say category")
    return replace(found, why=f"whole {_ranged(found)}")


def _named(found: Seen, why: str) -> Seen:
    """Return whole numbers that are names; to the engine these are text."""
    return replace(found, what="identifier", kind="category", why=why, minimum=None, maximum=None)


def large(base: Seen, column: Any, values: Any, look: Look) -> Seen | None:
    """Return whole numbers that a float would round as text; None where there are none.

    Raises UsageError with the first row where they do not name the rows.
    """
    row = _first_large(column, values, look.how.thousands)
    if row is None:
        return None
    if base.name == look.target:
        raise UsageError(
            f"{look.here(base.name)}: row {row:,}{look.cell(column[row - 1])} of the target is a "
            "whole number above 2**53, which a model's float would round; make a smaller number "
            "of it, words where it names classes, or name another with --target"
        )
    _check_large(base, row, look)
    why = f"whole numbers above 2**53, the first in row {row:,}, so they stay text"
    text = column.cast("string")
    return replace(base, what="identifier", values=text, distinct=base.rows, why=why)


def leading_zero(column: Any) -> int | None:
    """Return the first row (from 1) whose digits begin with a zero, as in 007."""
    import pyarrow.compute as pc

    zero = pc.starts_with(column, "0")
    if not pc.any(zero).as_py():
        return None
    return _first(pc.match_substring_regex(column, "^0[0-9]"))


def _first_large(column: Any, values: Any, thousands: str) -> int | None:
    """Return the first row (from 1) with a whole number that no float tells from its neighbours."""
    large = np.flatnonzero(np.abs(values.fill_null(0).to_numpy()) >= _EXACT)
    for row in large.tolist():
        said = str(column[row].as_py()).strip().replace(thousands, "")
        if re.fullmatch("[+-]?[0-9]+", said) and int(float(said)) != int(said):
            return int(row) + 1
    return None


def _check_large(base: Seen, row: int, look: Look) -> None:
    """Raise UsageError where whole numbers that a float would round do not name the rows."""
    import pyarrow.compute as pc

    named = names.has(base.name, names.NUMBERED)
    if named or pc.count_distinct(base.values).as_py() >= max(NEARLY * base.rows, FEW):
        return
    raise UsageError(
        f"{look.here(base.name)}: row {row:,}{look.cell(base.values[row - 1])} is a whole number "
        "above 2**53, which a model's float would round; say --id if it names rows, or --drop"
    )


def _first(found: Any) -> int | None:
    rows = np.flatnonzero(np.asarray(found.fill_null(False).to_numpy(), dtype=bool))
    return int(rows[0]) + 1 if len(rows) else None
