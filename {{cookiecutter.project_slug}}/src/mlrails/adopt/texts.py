"""Text in a column: JSON and mixtures, which are refused, names of rows or kinds, and free text."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..data.columnar import numerals
from . import names
from .seen import FEW, NEARLY, Look, Seen

_MIXED = 0.9
"""Where so many cells are numbers, the others are no categories but faults."""
_LONG, _WORDS = 60, 5
"""So many letters, or words, in the mean make a text that people wrote."""
_HEAD = 1_000


def nested(base: Seen, column: Any, look: Look) -> Seen | None:
    """Refuse JSON in cells; text that begins with a bracket and is none is text."""
    for row, cell in enumerate(column.slice(0, _HEAD).to_pylist(), 1):
        if cell is None:
            continue
        if cell.strip()[:1] not in {"{", "["}:
            return None
        try:
            json.loads(cell)
        except ValueError:
            return None
        raise UsageError(
            f"{look.here(base.name)}: row {row:,}{look.cell(cell)} is JSON, values within a value; "
            "make columns of it, or leave it out with --drop"
        )
    return None


def mixed(base: Seen, column: Any, look: Look) -> Seen | None:
    """Refuse words in a column whose other cells are numbers."""
    import pyarrow.compute as pc

    head = column.drop_null().slice(0, _HEAD)
    if numerals(head, look.how.decimal, look.how.thousands)[1].mean() > 1 / 2:
        return None
    _, wrong = numerals(column, look.how.decimal, look.how.thousands)
    present, words = base.rows - base.missing, int(wrong.sum())
    distinct = pc.count_distinct(column).as_py()
    if words > present * (1 - _MIXED) or distinct <= FEW:
        return None
    if not words:
        row = column.is_valid().to_pylist().index(True) + 1
        raise UsageError(
            f"{look.here(base.name)}: row {row:,}{look.cell(column[row - 1])} is a number with a "
            "blank beside it that is none of a table's (as U+00A0); take such blanks away, or "
            "leave the column out with --drop"
        )
    row = int(np.argmax(wrong)) + 1
    raise UsageError(
        f"{look.here(base.name)}: row {row:,}{look.cell(column[row - 1])} is no number, and "
        f"{present - words:,} of {present:,} are; leave the cell empty where nothing is known, or "
        "leave the column out with --drop"
    )


_OTHERWISE = {
    r"[+-]?[0-9]+%s[0-9]+": "has {mark!r} before its decimals, where other columns have {other!r}",
    r"\([0-9][0-9.,]*\)": "is in brackets, as accountants write what is below zero",
    r"[0-9][0-9.,]*-": "has its minus at the end",
}
_PLAIN = r"[+-]?[0-9][0-9.,]*"


def otherwise(base: Seen, column: Any, look: Look) -> Seen | None:
    """Refuse numbers that are written in another way than those of the table, or below zero."""
    import pyarrow.compute as pc

    mark, other = (",", ".") if look.how.decimal == "." else (".", ",")
    head = column.drop_null().slice(0, _HEAD)
    for form, why in _OTHERWISE.items():
        odd = form % f"\\{mark}" if "%s" in form else form
        here = pc.match_substring_regex(head, f"^{odd}$")
        every = pc.match_substring_regex(head, f"^({odd}|{_PLAIN})$")
        some = np.asarray(pc.unique(head.filter(here)))
        is_code = "%s" not in form and pc.all(here).as_py()  # Such as (12.3) in every cell.
        if is_code or len(some) < min(FEW, base.rows / 10) or not pc.all(every).as_py():
            continue
        row = int(pc.index(column, head.filter(here)[0]).as_py()) + 1
        raise UsageError(
            f"{look.here(base.name)}: row {row:,}{look.cell(column[row - 1])} "
            f"{why.format(mark=mark, other=other)}; write all numbers in one way, or leave the "
            "column out with --drop"
        )
    return None


_CLOCK = r"[0-9]{1,3}:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?( ?[aApP]\.?[mM]\.?)?"


def clock(base: Seen, column: Any, look: Look) -> Seen | None:
    """Answer for times of day and lengths of time, as `08:35`; a few are categories."""
    import pyarrow.compute as pc

    is_clock = pc.match_substring_regex(column.drop_null(), f"^{_CLOCK}$")
    distinct = pc.count_distinct(column).as_py()
    if not pc.all(is_clock).as_py() or distinct <= FEW:
        return None
    return replace(base, what="clock", distinct=distinct, why="times of day, or lengths of time")


def words(base: Seen, column: Any, look: Look, why: str = "") -> Seen:
    """Answer for text: names of rows, names of kinds of them, or what people wrote."""
    import pyarrow.compute as pc

    present = column.drop_null()
    distinct, count = pc.count_distinct(column).as_py(), len(present)
    found = replace(base, distinct=distinct)
    letters = pc.mean(pc.utf8_length(present)).as_py()
    blanks = pc.mean(pc.count_substring(present, " ")).as_py()
    told = f"{distinct:,} different texts in {count:,} rows"
    if distinct > max(FEW, count / 2) and (letters > _LONG or blanks >= _WORDS - 1):
        return replace(found, what="free text", why=f"{told}, of {letters:.0f} letters in the mean")
    if distinct >= max(NEARLY * count, FEW) and count >= FEW:
        return replace(found, what="identifier", why=why or f"{told}: it names the rows")
    if names.has(base.name, names.IDENTIFIER) and distinct > 2:
        return replace(found, what="identifier", why=f"{told}, and a name that says so")
    if distinct > max(FEW, count / 2):
        return replace(found, what="free text", why=f"{told}: too many to be kinds of rows")
    if distinct == 2 and not base.missing:
        one, other = sorted(pc.unique(present).to_pylist())
        told = f"two words{look.cell(one)}{look.cell(other)}, kept as they are written"
    return replace(found, what="category", why=why or told)
