"""The rows of a CSV that is sent: plain, or written as the project's own source is."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ...data import as_written, cells, dialect
from ...data.reading import Reading, unique
from ...modeling import signature
from .messages import Fault, RefusedError, bad_rows
from .rows import RowSchema

Line = Sequence[str | None]
"""The cells of a row, None where one is missing."""


def read_csv(
    body: bytes,
    header: bool,
    rows: RowSchema,
    interface: signature.Interface,
    how: Reading | None = None,
) -> Iterator[Mapping[str, Any]]:
    """Yield rows, each cell as its column's type where it is one; raises RefusedError.

    An empty cell is a missing value, and so is the NaN that data frames write for one. `how` is how
    the project's source is written: what only these words make out is read by them throughout, and
    in any other CSV cells that they fit (`batch.written` does the same to files).
    """
    own = bool(how and _is_own(body, header, rows, how))
    lines = _lines(body, how.separator, how.encoding) if how and own else _lines(body)
    names = _header(lines, rows, body, own) if header else rows.names
    types = {it.name: it.type for it in interface.inputs}
    kinds = [types.get(name, "string") for name in names]
    whole = _whole(lines, names, None if header else body)
    found = _said(whole, names, kinds, how if own else how.in_plain, own) if how else whole
    for line in found:
        yield {
            name: csv_value(cell, kind) for name, kind, cell in zip(names, kinds, line, strict=True)
        }


def _whole(
    lines: Iterator[list[str]], names: Sequence[str], nameless: bytes | None
) -> Iterator[Line]:
    """Yield lines of a cell for each name; `nameless` is the body where no line has names."""
    for place, line in enumerate(lines):
        if len(line) != len(names):
            if not place and nameless is not None:
                _refuse_other(nameless)
            raise bad_rows([Fault(place, None, f"has {len(line)} cells, not {len(names)}")])
        yield line


def _said(
    lines: Iterable[Line], names: Sequence[str], kinds: Sequence[str], how: Reading, strict: bool
) -> Iterator[Line]:
    """Yield lines by the words of the source; raises RefusedError where `strict` and one is not."""
    given = [*lines]
    made, faults = list[Sequence[str | None]](), list[Fault]()
    for name, kind, column in zip(names, kinds, zip(*given, strict=True), strict=bool(given)):
        said = as_written.column(name, kind, column, how)
        why = as_written.reason(name, kind, how)
        faults += [Fault(row, name, why) for row, is_wrong in enumerate(said.wrong) if is_wrong]
        made.append(said.cells)
    if strict and faults:
        raise bad_rows(sorted(faults, key=lambda it: int(it.row or 0)))
    yield from zip(*made, strict=True)


def _is_own(body: bytes, header: bool, rows: RowSchema, how: Reading) -> bool:
    """Tell whether only the words of the source make out the columns of a CSV."""
    plain, said = (_first(body, *it) for it in ((",", "utf-8"), (how.separator, how.encoding)))
    if header:
        known = {*rows.names}
        ours, theirs = len(known & {*plain}), len(known & {*unique(said)})
    else:
        ours, theirs = (int(len(it) == len(rows.names)) for it in (plain, said))
    return theirs > ours or (0 < theirs == ours and not dialect.is_utf8(body))


def _first(body: bytes, separator: str, encoding: str) -> Sequence[str]:
    """Return the cells of the first line, none where it is not written so."""
    with suppress(csv.Error, LookupError):
        text = body[: dialect.HEAD].decode(encoding, errors="ignore").removeprefix("\ufeff")
        found = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        return next(filter(None, found), [])
    return []


def _lines(body: bytes, separator: str = ",", encoding: str = "utf-8") -> Iterator[list[str]]:
    try:
        text = body.decode(encoding).removeprefix("\ufeff")
        found = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        yield from (line for line in found if line)
    except (UnicodeDecodeError, csv.Error) as error:
        _refuse_other(body)
        raise RefusedError(400, f"the body is not CSV in UTF-8 ({error})") from None


def _refuse_other(body: bytes) -> None:
    """Raise RefusedError where the body is seen to be of another dialect or format."""
    if why := dialect.cause(body[: dialect.HEAD]):
        raise RefusedError(400, f"the body is not CSV with commas, in UTF-8: {why}")


def _header(lines: Iterator[list[str]], rows: RowSchema, body: bytes, own: bool) -> Sequence[str]:
    names: Sequence[str] = next(lines, [])
    names = unique(names) if own else names
    if not set(names) & set(rows.names):
        _refuse_other(body)
    if len(set(names)) < len(names):
        raise RefusedError(422, "the line of names holds one twice")
    rows.refuse_more(names)
    return names


def csv_value(cell: str | None, kind: str) -> Any:
    """Return what a cell says as a value of a type; what is none stays text."""
    return _VALUES.get(kind, str)(cell) if cell else None


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "double": cells.number,
    "float": cells.number,
    "long": cells.whole,
    "integer": cells.whole,
    "boolean": cells.boolean,
}
