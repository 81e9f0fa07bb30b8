"""CSV into rows: a line of names first, or `text/csv; header=absent` as RFC 4180 has it."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import fields
from .refusals import Fault, RefusedError, bad_rows


def read(
    body: bytes, names: Sequence[str] | None, interface: fields.Interface
) -> list[Mapping[str, Any]]:
    """Return rows, each cell as its column's type where it is one; raises RefusedError.

    An empty cell is a missing value, and so is the NaN that data frames write for one.
    """
    lines = _lines(body)
    header = names if names is not None else _header(lines)
    types = {it.name: it.type for it in interface.inputs}
    kinds = [types.get(name, "string") for name in header]
    for place, line in enumerate(lines):
        if len(line) != len(header):
            fault = Fault(place, None, f"has {len(line)} cells, not {len(header)}")
            raise bad_rows([fault])
    return [
        {name: value(cell, kind) for name, kind, cell in zip(header, kinds, line, strict=True)}
        for line in lines
    ]


def _lines(body: bytes) -> list[list[str]]:
    try:
        found = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        return [line for line in found if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RefusedError(400, f"the body is not CSV in UTF-8 ({error})") from None


def _header(lines: list[list[str]]) -> Sequence[str]:
    names = lines.pop(0) if lines else []
    if len(set(names)) < len(names):
        raise RefusedError(422, "the line of names holds one twice")
    return names


def value(cell: str, kind: str) -> Any:
    """Return what a cell says as a value of a type; what is none stays text."""
    return _VALUES.get(kind, str)(cell) if cell else None


def _number(cell: str) -> Any:
    try:
        found = float(cell)
    except ValueError:
        return cell
    # Python takes 1_000 for a number, and nobody else does.
    return cell if "_" in cell else None if found != found else found  # noqa: PLR0124


def _whole(cell: str) -> Any:
    return int(cell) if cell.lstrip("-").isdecimal() and cell.isascii() else cell


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "double": _number,
    "float": _number,
    "long": _whole,
    "integer": _whole,
    "boolean": lambda cell: {"true": True, "false": False}.get(cell.lower(), cell),
}
