"""The log of a server's requests as text: a head that says whose answers follow, and lines of rows.

    {"format": 1, "version": "3", "digest": "…", "columns": […], "outputs": […], …}
    ["request id", "2030-01-07T08:00:00.000000Z", first row, [[values], …], [[answers], …]]

All rows of a file were asked of one model, so names stand once. Each line is whole by itself: what
a kill has cut off is a last line without an end, and costs the rows of that line.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json

FORMAT = 1
ROWS_OF_A_LINE = 256
OPEN = ".open"
"""What a file's name ends with while a server writes to it."""
IGNORE = ".gitignore"
"""What a server lays into the folder before any of its files."""
PIECE = re.compile(r"requests-(\d{8}T\d{12}Z)-([0-9a-f]{8})\.(jsonl|jsonl\.open|parquet)")
"""The names of the log's files, which tell their age; nothing else in the folder is touched."""


@dataclass(frozen=True)
class Head:
    """Whose answers a file holds, and what of the rows."""

    version: str
    digest: str
    columns: Sequence[str]
    """The columns that are kept."""
    outputs: Sequence[str]
    left_out: Sequence[str] = ()
    """The columns that the model takes and that may not be kept."""
    share: float = 1.0
    """Of the requests, those that are kept."""
    format: int = FORMAT

    def text(self) -> bytes:
        """Return the first line of a file."""
        return to_json(asdict(self)) + b"\n"


@dataclass(frozen=True)
class Line:
    """Rows of one request."""

    request: str
    time: datetime
    first: int
    rows: Sequence[Sequence[Any]]
    answers: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Piece:
    """What a file says."""

    head: Head
    lines: Sequence[Line]
    broken: int = 0
    """Lines that say nothing, as the last one of a file whose server was killed."""


def lines(
    head: Head,
    request: str,
    time: datetime,
    rows: Sequence[Mapping[str, Any]],
    answer: Mapping[str, Sequence[Any]],
) -> Iterator[tuple[int, bytes]]:
    """Yield a request's lines, and of how many rows each is."""
    names, answers = head.columns, list(zip(*answer.values(), strict=True))
    for start in range(0, len(rows), ROWS_OF_A_LINE):
        part = [[row[name] for name in names] for row in rows[start : start + ROWS_OF_A_LINE]]
        said = [request, time, start, part, answers[start : start + ROWS_OF_A_LINE]]
        yield len(part), to_json(said) + b"\n"


def parsed(text: bytes) -> Piece | None:
    """Read what a file says; None where not even its head is whole, or is of another format."""
    first, mark, rest = text.partition(b"\n")
    head = _head(first) if mark else None
    if head is None:
        return None
    *whole, last = rest.split(b"\n")
    found = [_line(it, head) for it in whole]
    known = [it for it in found if it is not None]
    return Piece(head, known, len(found) - len(known) + bool(last))


def _head(text: bytes) -> Head | None:
    try:
        found = Head(**from_json(text))
    except (ValueError, TypeError):
        return None
    names = (found.columns, found.outputs, found.left_out)
    said = all(isinstance(it, list) and all(isinstance(name, str) for name in it) for it in names)
    return found if said and found.format == FORMAT else None


def _line(text: bytes, head: Head) -> Line | None:
    """Read a line; None where it is none, or has other values than there are columns."""
    try:
        request, time, first, rows, answers = from_json(text)
        found = Line(request, datetime.fromisoformat(time), int(first), rows, answers)
        wrong = len(rows) != len(answers) or not isinstance(request, str)
        wrong |= any(len(it) != len(head.columns) for it in rows)
        wrong |= any(len(it) != len(head.outputs) for it in answers)
    except (ValueError, TypeError):
        return None
    return None if wrong else found
