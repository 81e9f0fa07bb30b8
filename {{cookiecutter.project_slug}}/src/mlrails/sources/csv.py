"""CSV of any size, block by block, as strictly as the server reads a request.

Arrow reads the blocks in which every row is whole. Where one is not, it would stop, or let a quote
that nobody closes swallow the rows after it; such a block is read row by row, by Python.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..data import dialect

if TYPE_CHECKING:
    import pyarrow as pa


LONGEST = csv.field_size_limit()
"""Letters within which a quote must be closed."""
_BLOCK = 2**24
_LONGEST_HEADER = 2 * LONGEST
_QUOTE, _ENDS = ord('"'), (b"\r", b"\n")


class Broken(NamedTuple):
    """A row that cannot be read: its place in the block, the column where it is one, and why."""

    place: int
    column: str | None
    reason: str


class Read(NamedTuple):
    """The rows that can be read, and the others."""

    rows: "pa.RecordBatch"
    broken: Sequence[Broken]


class Block(NamedTuple):
    """The rows that can be read, the others, and how many bytes of the file have been read."""

    rows: "pa.RecordBatch"
    broken: Sequence[Broken]
    read: int


def header(path: Path) -> list[str]:
    """Return the names of the columns; raises csv.Error where there is no line of names."""
    return _header(path)[0]


def read(path: Path, names: Sequence[str]) -> Iterator[Block]:
    """Yield columns as text, an empty cell as a missing value; at least one block.

    Raises csv.Error where there is no line of names, or a line that does not end.
    """
    columns, start = _header(path)
    with path.open("rb") as file:
        file.seek(start)
        rest, last, told = b"", False, False
        while not last:
            chunk = file.read(_BLOCK)
            data, last = rest + chunk, not chunk
            end = len(data) if last else 1 + max(data.rfind(it) for it in _ENDS)
            block, left = _read(data[:end], columns, names, last)
            rest = data[end - left :]
            if len(rest) > _BLOCK + LONGEST:
                raise csv.Error("a line does not end")
            if block.rows.num_rows or block.broken or (last and not told):
                told = True
                yield Block(*block, file.tell())


def _read(
    data: bytes, columns: Sequence[str], names: Sequence[str], last: bool
) -> tuple[Read, int]:
    """Return the rows of some lines, and how many bytes at their end are no whole row yet."""
    end = len(data) if last else _end_of_rows(data)
    rows = _quick(data[:end], columns, names) if dialect.is_regular(data[:end]) else None
    if rows is not None:
        return Read(rows, []), len(data) - end
    return read_lines(data, columns, names, last)


def _header(path: Path) -> tuple[list[str], int]:
    """Return the names, and the place where the rows begin."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        size = 0

        def lines() -> Iterator[str]:
            nonlocal size
            while line := file.readline(_LONGEST_HEADER):
                if len(line) == _LONGEST_HEADER:
                    raise csv.Error("the line of names is too long")
                first, size = not size, size + len(line.encode("utf-8", "surrogateescape"))
                yield line.removeprefix("\ufeff") if first else line

        for names in csv.reader(lines(), strict=True):
            if names:
                return names, size
    raise csv.Error("it is empty")


def _end_of_rows(data: bytes) -> int:
    """Return where the last line ends that is outside of quotes, if all of them are regular."""
    letters = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(letters == _QUOTE)
    if len(quotes) % 2 == 0:
        return len(data)
    ends = np.flatnonzero(np.isin(letters, [ord(it) for it in _ENDS]))
    outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


def _quick(block: bytes, columns: Sequence[str], names: Sequence[str]) -> "pa.RecordBatch | None":
    """Return the rows of a block, or None where one of them is not whole."""
    import pyarrow as pa
    import pyarrow.csv

    # A name that nobody wants may be no text to Arrow, which refuses what is not UTF-8.
    own = [f"column {place}" for place in range(len(columns))]
    wanted = [own[columns.index(it)] for it in names]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            pyarrow.csv.ReadOptions(column_names=own, block_size=len(block) + 1, use_threads=False),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowException:
        return None
    return pa.record_batch([it.combine_chunks() for it in table.columns], names=[*names])


def read_lines(
    data: bytes, columns: Sequence[str], names: Sequence[str], last: bool
) -> tuple[Read, int]:
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
