"""Tables of any size, read piece by piece: Parquet and CSV, files, folders and globs."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UsageError
from .headers import without_values

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 2**17
"""Rows of a piece of Parquet; of CSV it is `_BLOCK` bytes."""
_BLOCK = 2**24
_ENDINGS = {".parquet", ".csv"}


@dataclass(frozen=True)
class Piece:
    """Some rows of a file in order: which file, the first row's number from 0, and the columns."""

    source: str
    number: int
    start: int
    rows: "pa.RecordBatch"
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
    """Read a file piece by piece, always in the same pieces; a CSV's cells stay text.

    Raises UsageError where it is no whole Parquet or CSV.
    """
    from pyarrow import ArrowException

    start = 0
    try:
        for number, (rows, read) in enumerate(_READERS[path.suffix](path, [*dict.fromkeys(names)])):
            yield Piece(source, number, start, rows, read)
            start += rows.num_rows
    except (ArrowException, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read as {path.suffix[1:]} after row {start:,} "
            f"({without_values(error)}); mend the file"
        ) from None


def _of_parquet(path: Path, names: list[str]) -> "Iterator[tuple[pa.RecordBatch, int]]":
    import pyarrow.parquet

    size = path.stat().st_size
    with pyarrow.parquet.ParquetFile(path) as file:
        done, total = 0, max(1, file.metadata.num_rows)
        for rows in file.iter_batches(PIECE, columns=names):
            done += rows.num_rows
            yield rows.select(names), size * done // total


def _of_csv(path: Path, names: list[str]) -> "Iterator[tuple[pa.RecordBatch, int]]":
    import pyarrow as pa
    import pyarrow.csv

    convert = pyarrow.csv.ConvertOptions(
        include_columns=names,
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    # One thread: pieces come in order either way, and memory stays at one or two blocks.
    read = pyarrow.csv.ReadOptions(block_size=_BLOCK, use_threads=False)
    with path.open("rb") as file, pyarrow.csv.open_csv(file, read, None, convert) as reader:
        for rows in reader:
            yield rows, file.tell()


_READERS = {".parquet": _of_parquet, ".csv": _of_csv}
