"""Tables of any size, read piece by piece: Parquet and CSV, files, folders and globs."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError, nearest
from .fields import Field

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 2**17
"""Rows of a piece of Parquet; of CSV it is `_BLOCK` bytes."""
_BLOCK = 2**24
_ENDINGS = {".parquet", ".csv"}
_KINDS = {"double": "number", "float": "number", "long": "number", "integer": "number"}
_KINDS |= {"string": "text", "boolean": "boolean", "datetime": "time"}


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
        found = sorted(it for it in path.rglob("*") if it.suffix in _ENDINGS and it.is_file())
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


def check(path: Path, inputs: Sequence[Field], keep: Sequence[str]) -> list[str]:
    """Return the types of the columns to keep.

    Raises UsageError where a file lacks a column that is needed, or one is of another type.
    """
    columns = _columns(path)
    for name in [*(it.name for it in inputs), *keep]:
        if name not in columns:
            hint = nearest(name, columns)
            raise UsageError(f"{path}: the column {name!r} is missing{hint}; add it, or rename one")
    if path.suffix == ".csv":
        return ["text" for _ in keep]
    for it in inputs:
        wanted, found = _KINDS[it.type], _kind(columns[it.name])
        if found not in {wanted, "nothing"}:
            raise UsageError(
                f"{path}: the column {it.name!r} is {columns[it.name]}, and the model takes a "
                f"{wanted}; convert it"
            )
    return ["text" if _kind(columns[it]) == "text" else str(columns[it]) for it in keep]


def plain(column: "pa.Array") -> "pa.Array":
    """Return a column with text of whatever type as one type."""
    import pyarrow as pa

    return column.cast(pa.string()) if _kind(column.type) == "text" else column


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
            f"({_without_values(error)}); mend the file"
        ) from None


def _columns(path: Path) -> dict[str, Any]:
    import pyarrow.csv
    import pyarrow.parquet
    from pyarrow import ArrowException

    try:
        if path.suffix == ".parquet":
            schema = pyarrow.parquet.read_schema(path)
        else:
            with pyarrow.csv.open_csv(path) as reader:
                schema = reader.schema
    except (ArrowException, UnicodeDecodeError) as error:
        kind = path.suffix[1:]
        raise UsageError(f"{path}: not {kind} ({_without_values(error)}); mend the file") from None
    if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
        raise UsageError(f"{path}: the column {twice[0]!r} stands twice; keep one")
    return dict(zip(schema.names, schema.types, strict=True))


def _kind(type_: Any) -> str:
    import pyarrow.types as kinds

    if kinds.is_dictionary(type_):
        type_ = type_.value_type
    if kinds.is_null(type_):
        return "nothing"
    if kinds.is_integer(type_) or kinds.is_floating(type_):
        return "number"
    if kinds.is_string(type_) or kinds.is_large_string(type_):
        return "text"
    if kinds.is_timestamp(type_) and type_.tz is None:
        return "time"
    return "boolean" if kinds.is_boolean(type_) else str(type_)


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


def _without_values(error: Exception) -> str:
    """Return the first words of what Arrow says: what follows may quote rows."""
    return str(error).partition(":")[0].splitlines()[0][:80]
