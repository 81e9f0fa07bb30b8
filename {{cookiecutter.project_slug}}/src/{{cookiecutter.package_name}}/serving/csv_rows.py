"""CSV into rows: a line of names first, or `text/csv; header=absent` as RFC 4180 has it."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .. import cells, dialect, fields
from .refusals import Fault, RefusedError, bad_rows
from .rows import RowSchema


def read_csv(
    body: bytes, header: bool, rows: RowSchema, interface: fields.Interface
) -> Iterator[Mapping[str, Any]]:
    """Yield rows, each cell as its column's type where it is one; raises RefusedError.

    An empty cell is a missing value, and so is the NaN that data frames write for one.
    """
    lines = _lines(body)
    names = _header(lines, rows, body) if header else rows.names
    types = {it.name: it.type for it in interface.inputs}
    kinds = [types.get(name, "string") for name in names]
    for place, line in enumerate(lines):
        if len(line) != len(names):
            if not place and not header:
                _refuse_other(body)
            raise bad_rows([Fault(place, None, f"has {len(line)} cells, not {len(names)}")])
        yield {
            name: csv_value(cell, kind) for name, kind, cell in zip(names, kinds, line, strict=True)
        }


def _lines(body: bytes) -> Iterator[list[str]]:
    try:
        found = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        yield from (line for line in found if line)
    except (UnicodeDecodeError, csv.Error) as error:
        _refuse_other(body)
        raise RefusedError(400, f"the body is not CSV in UTF-8 ({error})") from None


def _refuse_other(body: bytes) -> None:
    """Raise RefusedError where the body is seen to be of another dialect or format."""
    if why := dialect.cause(body[: dialect.HEAD]):
        raise RefusedError(400, f"the body is not CSV with commas, in UTF-8: {why}")


def _header(lines: Iterator[list[str]], rows: RowSchema, body: bytes) -> Sequence[str]:
    names = next(lines, [])
    if not set(names) & set(rows.names):
        _refuse_other(body)
    if len(set(names)) < len(names):
        raise RefusedError(422, "the line of names holds one twice")
    rows.refuse_more(names)
    return names


def csv_value(cell: str, kind: str) -> Any:
    """Return what a cell says as a value of a type; what is none stays text."""
    return _VALUES.get(kind, str)(cell) if cell else None


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "double": cells.number,
    "float": cells.number,
    "long": cells.whole,
    "integer": cells.whole,
    "boolean": cells.boolean,
}
