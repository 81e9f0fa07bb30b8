"""Lines of CSV row by row, as strictly as the server reads a request; what is no row is told."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = csv.field_size_limit()
"""Letters within which a quote must be closed."""


class Broken(NamedTuple):
    """A row that cannot be read: its place in the block, the column where it is one, and why."""

    place: int
    column: str | None
    reason: str


class Read(NamedTuple):
    """The rows that can be read, and the others."""

    rows: "pa.RecordBatch"
    broken: Sequence[Broken]


def read(data: bytes, columns: Sequence[str], names: Sequence[str], last: bool) -> tuple[Read, int]:
    """Return the wanted columns of some lines, and how many bytes at their end are no row yet.

    With the last lines of a file nothing is left.
    """
    import pyarrow as pa

    wanted = [(columns.index(name), name) for name in names]
    text = data.decode("utf-8", "surrogateescape")
    lines = _Lines(text, last)
    clean = _is_utf8(text)
    rows, broken = [], []
    for place, cells in enumerate(lines.rows()):
        if isinstance(cells, csv.Error):
            broken.append(Broken(place, None, f"is no row of CSV ({cells})"))
        elif len(cells) != len(columns):
            reason = f"has {len(cells)} cells, not {len(columns)}"
            broken.append(Broken(place, None, reason))
        elif found := [] if clean else [name for it, name in wanted if not _is_utf8(cells[it])]:
            broken.append(Broken(place, found[0], "is not UTF-8"))
        else:
            rows.append([cells[it] or None for it, _ in wanted])
    values = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = [pa.array(it, pa.string()) for it in values]
    return Read(pa.record_batch(arrays, names=[*names]), broken), lines.left()


class _Lines:
    """Lines that are read as rows; where a row is none, the next one begins with the next line."""

    def __init__(self, text: str, last: bool) -> None:
        self._lines = [*io.StringIO(text, newline="")]
        self._last, self._done = last, 0

    def rows(self) -> Iterator[list[str] | csv.Error]:
        """Yield the cells of each row, or why it is none."""
        while self._done < len(self._lines):
            start = self._done
            reader = csv.reader(
                map(self._lines.__getitem__, range(start, len(self._lines))), strict=True
            )
            try:
                for cells in reader:
                    self._done = start + reader.line_num
                    if cells:
                        yield cells
            except csv.Error as error:
                # Its end may be among the lines to come.
                if start + reader.line_num == len(self._lines) and not self._last:
                    return
                self._done += 1
                yield error

    def left(self) -> int:
        """Return the size of the lines that are no whole row."""
        return sum(len(it.encode("utf-8", "surrogateescape")) for it in self._lines[self._done :])


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
