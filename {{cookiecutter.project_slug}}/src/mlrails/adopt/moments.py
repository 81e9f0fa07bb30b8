"""In which one way a column writes its dates and times, if it does.

Every way is tried on the first cell, and what is left on all of them: a guess from one cell
(pandas' own) takes 3/4/2025 for March, and knows neither `31.12.20` nor `5:30 PM`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.errors import UsageError
from ..data import cells
from ..data.columnar import in_digits, times
from . import names

if TYPE_CHECKING:
    import pyarrow as pa


_NUMERIC: tuple[str, ...] = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
)
_NUMERIC += ("%m-%d-%Y", "%m.%d.%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y")
_NAMED: tuple[str, ...] = (
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%d-%b-%y",
)
_NAMED += ("%d%b%Y", "%d/%b/%Y", "%a %d %b %Y", "%a, %d %b %Y", "%Y-%b-%d", "%d. %B %Y")
_MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y")
_CLOCKS: tuple[str, ...] = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    "T%H:%M",
    "T%H:%M:%S",
    "T%H:%M:%S.%f",
)
_CLOCKS += (" %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S", ", %I:%M %p", ":%H:%M:%S")
_ZONES = ("", "%z", " %z")
_LIKELY = re.compile(r"(?=.*[0-9]).{6,40}")
_PLAIN = {16: "%Y-%m-%dT%H:%M", 19: "%Y-%m-%dT%H:%M:%S"}
"""Forms that the engine reads as they are, by how many letters they have."""
_TRIED, _SOME, _MIXED = 100, 2_000, 0.9


@dataclass(frozen=True)
class Moments:
    """The times of a column, how they are written, and what is to be told of it."""

    values: "pa.Array"
    form: str | None
    """None where the engine reads them as they are."""
    note: str = ""


def read(column: "pa.ChunkedArray", here: str, day_first: bool, shown: bool) -> Moments | None:
    """Return the times that a column of text says, None where it says others things.

    Raises UsageError with the first row where some cells are times of one form, and some are not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    present = column.drop_null()
    first = [it.strip() for it in present.slice(0, _TRIED).to_pylist()]
    if not first or not _LIKELY.fullmatch(first[0]):
        return None
    if cells.is_time(first[0]):
        plain = in_digits(column, _PLAIN.get(len(first[0]), "").replace("T", first[0][10]))
        if plain is not None:
            return Moments(plain, None)
        if _all(pc.match_substring_regex(present, f"^({cells.TIME})$")):
            cut = pc.utf8_slice_codeunits(column, 0, cells.MICROSECONDS)
            return Moments(cut.cast(pa.timestamp("us")), None)
    known = forms(first[0])
    if not known:
        return None
    return _of_forms(
        column, sorted(known, key=lambda it: -_share(first, it)), here, day_first, shown
    )


def forms(cell: str) -> list[str]:
    """Return all ways in which a cell is a time."""
    cell = cell.strip()
    marks, worded = _marks(cell), any(map(str.isalpha, cell))
    return [form for form, it in _shapes() if it.may_be(marks, worded) and fits(cell, form)]


class _Shape(NamedTuple):
    """What a cell of a form must have: looked at first, as trying every form takes a second."""

    marks: str
    zoned: bool
    worded: bool
    """Whether letters must be there."""
    plain: bool
    """Whether none may be there."""

    def may_be(self, marks: str, worded: bool) -> bool:
        """Tell whether a cell of such marks, with letters or without, may be of the form."""
        if (self.worded and not worded) or (self.plain and worded):
            return False
        return marks.startswith(self.marks) if self.zoned else marks == self.marks


@cache
def _shapes() -> tuple[tuple[str, _Shape], ...]:
    """Return each form with the shape of its cells."""
    return tuple((form, _shape(form)) for form in every())


def _shape(form: str) -> _Shape:
    zoned, said = "%z" in form, any(it in form for it in ("%a", "%b", "%B", "%p"))
    literal = re.sub("%[A-Za-z]", "", form)
    has_letter = any(map(str.isalpha, literal))
    return _Shape(_marks(literal), zoned, said or has_letter, not (said or has_letter or zoned))


def _marks(text: str) -> str:
    """Return what is neither a letter, a digit nor a blank."""
    return "".join(it for it in text if not it.isalnum() and not it.isspace())


def every() -> Iterator[str]:
    """Yield all ways in which a time is known to be written."""
    for day in (*_NUMERIC, *_NAMED):
        for clock in _CLOCKS:
            yield from (day + clock + zone for zone in (_ZONES if clock else ("",)))
    yield from _MONTHS


def _of_forms(
    column: "pa.ChunkedArray", known: Sequence[str], here: str, day_first: bool, shown: bool
) -> Moments | None:
    wholly, faults = list[tuple[str, Any]](), list[tuple[int, int]]()
    some = column.take(np.arange(0, len(column), len(column) // _SOME + 1))
    for form in known[:4]:
        if wholly and times(some, form)[1].any():
            continue
        values, wrong = times(column, form)
        if not wrong.any():
            wholly.append((form, values))
        faults.append((int(wrong.sum()), int(np.argmax(wrong))))
    if wholly:
        return _chosen(wholly, day_first)
    count, row = min(faults)
    present = len(column) - column.null_count
    cell = str(column[row].as_py())
    if count > present * (1 - _MIXED) and not forms(cell):
        return None
    said = f" ({cell!r})" if shown else ""
    raise UsageError(
        f"{here}: row {row + 1:,}{said} is no time written as {known[0]!r}, as those before it "
        "are; write all in one way, or leave the column out with --drop"
    )


def _chosen(wholly: "Sequence[tuple[str, pa.Array]]", day_first: bool) -> Moments:
    """Choose where day and month may be each other: in order, else by the country's habit."""
    if len(wholly) == 1:
        return Moments(wholly[0][1], wholly[0][0])
    ordered = [it for it in wholly if _is_ordered(it[1])]
    habit = sorted(wholly, key=lambda it: (it[0].find("%d") < it[0].find("%m")) is not day_first)
    form, values = ordered[0] if len(ordered) == 1 else habit[0]
    other = next(it for it, _ in wholly if it != form)
    why = "so the rows are in order" if len(ordered) == 1 else "no row tells which"
    return Moments(values, form, f"read as {form!r} and not {other!r}: {why}")


def _is_ordered(values: "pa.Array") -> bool:
    moments = values.drop_null().to_numpy(zero_copy_only=False)
    return bool((moments[1:] >= moments[:-1]).all() or (moments[1:] <= moments[:-1]).all())


def _share(found: Sequence[str], form: str) -> float:
    return sum(fits(it, form) for it in found) / len(found)


def since(name: str, least: float | None, most: float | None, is_time: bool) -> str | None:
    """Return since when numbers count, where all of them lie between 1990 and 2040.

    Or that they are written as 20250331 is. Unless somebody has said that they are times, the
    column's name has to say so.
    """
    if least is None or most is None:
        return None
    said = is_time or names.has(name, names.TIME | _EPOCH)
    for form, (low, high) in _SINCE.items():
        if low <= least and most <= high and least < most:
            is_known = is_time or form not in _DAYS or names.has(name, _DATE)
            return form if said and is_known else None
    return None


DIGITS = "%Y%m%d"
"""The one that no other numbers look like: each is a day of the calendar."""
_EPOCH, _DATE = {"epoch", "unix", "ts"}, {"date", "datum", "fecha", "datetime", "excel"}
_SINCE = {
    "seconds since 1970-01-01": (631_152_000, 2_208_988_800),
    "milliseconds since 1970-01-01": (631_152_000_000, 2_208_988_800_000),
    "days since 1899-12-30": (32_874, 51_136),
    DIGITS: (19_000_101, 20_991_231),
}
_DAYS = {"days since 1899-12-30", DIGITS}


def fits(cell: str, form: str) -> bool:
    """Tell whether a cell is a time of a form."""
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def _all(found: "pa.ChunkedArray") -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(found).as_py())
