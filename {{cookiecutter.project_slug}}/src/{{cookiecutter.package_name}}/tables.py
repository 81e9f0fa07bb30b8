"""Tables of any size, read piece by piece: Parquet and CSV, files, folders and globs."""

import csv
import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import csv_blocks
from .csv_blocks import Block
from .csv_lines import Broken
from .errors import UsageError
from .headers import without_values

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 2**17
"""Rows of a piece of Parquet; of CSV it is a block of bytes."""
READING = 2
"""Raise it with every change of how files are cut or cells are read: parts of before do not fit."""
_ENDINGS = {".parquet", ".csv"}


@dataclass(frozen=True)
class Piece:
    """Some rows of a file in order: which file, the columns, and each row's number from 0."""

    source: str
    number: int
    rows: "pa.RecordBatch"
    places: npt.NDArray[np.int64]
    """The rows' numbers in the file."""
    broken: Sequence[Broken]
    """The rows that cannot be read, with their numbers in the file."""
    read: int
    """How much of the file's bytes has been read so far, to show it."""


def find(root: Path, wanted: str) -> list[Path]:
    """Return the files that a path, a folder or a glob names, in order.

    Raises UsageError where there are none, or a file is neither Parquet nor CSV.
    """
    path = root / wanted
    if path.is_dir():
        found = sorted(it for it in path.rglob("*") if _is_table(it, path))
    elif path.is_file():
        found = [path]
    else:
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - it may be absolute
        found = sorted(it for it in map(Path, matches) if it.is_file())
    for it in found:
        if it.suffix not in _ENDINGS:
            raise UsageError(f"{it}: neither .parquet nor .csv; convert it, or name its format so")
    if not found:
        raise UsageError(f"{wanted}: no .parquet or .csv file there; name a file, folder or glob")
    return found


def _is_table(path: Path, folder: Path) -> bool:
    """Tell whether a file of a folder is to be read: what is hidden is not, as our own parts."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix in _ENDINGS and path.is_file()


def pieces(path: Path, source: str, names: Sequence[str]) -> Iterator[Piece]:
    """Read a file piece by piece, always in the same pieces, at least one; a CSV's cells stay text.

    Raises UsageError where it is no Parquet, or no CSV as a whole.
    """
    from pyarrow import ArrowException

    start = 0
    try:
        for number, block in enumerate(_READERS[path.suffix](path, [*dict.fromkeys(names)])):
            total = block.rows.num_rows + len(block.broken)
            places = np.delete(np.arange(total), [it.place for it in block.broken]) + start
            broken = [it._replace(place=it.place + start) for it in block.broken]
            yield Piece(source, number, block.rows, places, broken, block.read)
            start += total
    except (ArrowException, csv.Error) as error:
        raise UsageError(
            f"{path}: cannot be read as {path.suffix[1:]} after row {start:,} "
            f"({without_values(error)}); mend the file"
        ) from None


def _of_parquet(path: Path, names: list[str]) -> Iterator[Block]:
    import pyarrow as pa
    import pyarrow.parquet

    size = path.stat().st_size
    with pyarrow.parquet.ParquetFile(path) as file:
        done, total = 0, file.metadata.num_rows
        if not total:
            nothing = pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
            yield Block(nothing.select(names), [], size)
        for rows in file.iter_batches(PIECE, columns=names):
            done += rows.num_rows
            yield Block(rows.select(names), [], size * done // max(1, total))


_READERS: Mapping[str, Callable[[Path, list[str]], Iterator[Block]]] = {
    ".parquet": _of_parquet,
    ".csv": csv_blocks.read,
}
