"""What a column is, from all of its cells: its kind, and the sentence that says why.

How to change this: `seen` asks one question after the other, and the first that fits answers; a
new kind is a function of that form in `_WAYS`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import UsageError
from ..data import columnar
from . import moments, numbers, texts
from .seen import Look, Seen

if TYPE_CHECKING:
    import pyarrow as pa


def seen(name: str, column: "pa.ChunkedArray", look: Look) -> Seen:
    """Return what a column is.

    Raises UsageError with the first row where it is none of them: infinite numbers, values within
    each other, words among numbers, times of several forms.
    """
    base = Seen(name, "constant", "category", "", len(column), column.null_count, 0, column)
    if base.missing == base.rows:
        return replace(base, values=column.cast("string"), why="no row has a value")
    found = next(filter(None, (way(base, column, look) for way in _WAYS)))
    return _constant(found) if found.distinct == 1 and not found.missing else found


_BOOLEANS = {"true", "false"}
UNREADABLE = "values that no schema can hold, left away as was said"


def unread(name: str, column: Any) -> Seen:
    """Return a column that is left out by name, whatever it holds."""
    import pyarrow.types as kinds

    base = Seen(name, "free text", "category", "", len(column), column.null_count, 0, column)
    return replace(base, why="left out as was said" if kinds.is_string(column.type) else UNREADABLE)


def _constant(found: Seen) -> Seen:
    return replace(found, what="constant", why="every row has the same value, which tells nothing")


def _typed(base: Seen, column: Any, look: Look) -> Seen | None:
    """Answer for a column of Parquet that has a type of its own."""
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    type_ = column.type
    if kinds.is_string(type_):
        return None
    if kinds.is_boolean(type_):
        distinct = len(pc.unique(column.drop_null()))
        return replace(base, what="boolean", kind="boolean", distinct=distinct, why="true or false")
    if kinds.is_timestamp(type_):
        return _of_times(base, "")
    if kinds.is_integer(type_) or kinds.is_floating(type_):
        values = column.cast("float64", safe=False)
        large = numbers.large(base, column, values, look) if kinds.is_integer(type_) else None
        return large or numbers.of_floats(base, values, look)
    within = (
        "values within a value; make columns"
        if kinds.is_nested(type_)
        else "which is no number, time or text; make one"
    )
    raise UsageError(
        f"{look.here(base.name)}: row 1 holds {type_}, {within} of it, or leave it out with --drop"
    )


def _numbers(base: Seen, column: Any, look: Look) -> Seen | None:
    """Answer for text that says a number in every row."""
    known = look.floats.get(base.name)
    values = numbers.floats(column, look.how) if known is None else known
    if values is None:
        return None
    if code := numbers.leading_zero(column):
        why = f"digits that are no number: row {code:,} begins with a zero"
        return texts.words(base, column, look, why + look.cell(column[code - 1]))
    large = numbers.large(base, column, values, look)
    return large or numbers.of_floats(base, values, look)


def _booleans(base: Seen, column: Any, look: Look) -> Seen | None:
    """Answer for true and false; other words stay the words that they are."""
    import pyarrow.compute as pc

    said = pc.unique(column.slice(0, 1000).drop_null()).to_pylist()
    if {it.lower() for it in said} - _BOOLEANS:
        return None
    lower = pc.utf8_lower(column)
    known = pc.unique(lower.drop_null()).to_pylist()
    if {*known} - _BOOLEANS:
        return None
    return replace(
        base, what="boolean", kind="boolean", values=pc.equal(lower, "true"),
        distinct=len(known), why="true or false",
    )  # fmt: skip


def _times(base: Seen, column: Any, look: Look) -> Seen | None:
    day_first = look.how.separator == ";" or look.how.decimal == ","
    found = moments.read(column, look.here(base.name), day_first, look.shown)
    if found is None:
        return None
    return _of_times(replace(base, values=found.values, form=found.form), found.note)


def _of_times(base: Seen, note: str) -> Seen:
    import pyarrow.compute as pc

    first, last = (it.as_py() for it in pc.min_max(base.values).values())
    distinct = len(np.unique(base.values.drop_null().to_numpy()))
    why = f"times from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return replace(base, what="time", kind="time", why=why, distinct=distinct, note=note)


def counted(found: Seen, column: Any, is_time: bool) -> Seen:
    """Return numbers that count from 1970, or as Excel does, as times where that was said.

    Where it was not they stay numbers, and what they look like is told.
    """
    form = moments.since(found.name, found.minimum, found.maximum, is_time)
    if found.kind != "number" or form is None:
        return found
    values, wrong = columnar.times(column, form)
    if wrong.any():
        return found
    made = _of_times(replace(found, values=values, form=form), f"read as {form!r}")
    told = f"could be {made.why}, in {form}: if so, say --time {found.name!r}"
    return made if is_time or form == moments.DIGITS else replace(found, note=told)


_WAYS: tuple[Callable[[Seen, Any, Look], Seen | None], ...]
_WAYS = (
    _typed,
    _numbers,
    _booleans,
    texts.nested,
    _times,
    texts.mixed,
    texts.otherwise,
    texts.words,
)
