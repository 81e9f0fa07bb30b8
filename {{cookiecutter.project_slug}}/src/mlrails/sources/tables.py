"""Tables of any size, read piece by piece: their columns first, then their rows."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..core.errors import UsageError, nearest
from ..data import dialect, values
from . import csv as rows_of_csv
from . import datasets
from .csv import Block, Broken, header

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


_INT96 = "INT96"
TEXT = "text"
"""The type of a column of CSV, or of a folder's name."""
Types = Mapping[str, Any]
"""The columns of a file, its folders' names included, with their types as Arrow has them."""


def headers(paths: Sequence[Path], names: Sequence[str], root: Path) -> list[Types]:
    """Return the columns of each file; those of CSV and of folders' names are text.

    Raises UsageError where a file lacks one of the names, or has it twice.
    """
    return [_header(path, names, root) for path in paths]


def _header(path: Path, names: Sequence[str], root: Path) -> Types:
    own, folders = _columns(path), datasets.partition(path, root)
    for name in names:
        if name in own and name in folders:
            raise in_both(path, name)
        if name not in own and name not in folders:
            raise UsageError(_missing(path, name, [*own, *folders]))
        if own.get(name) == _INT96:
            raise UsageError(
                f"{path}: the column {name!r} is INT96, an instant in UTC, and times are read "
                "without a zone; write it in the zone of the training rows, as TIMESTAMP_NTZ"
            )
    return {**dict.fromkeys(folders, TEXT), **own}


def in_both(path: Path, name: str) -> UsageError:
    """Say that a file and a folder's name have a column of one name."""
    return UsageError(
        f"{path}: the column {name!r} stands in the file and in the name of a folder; keep one"
    )


def check_alike(paths: Sequence[Path], found: Sequence[Types], names: Sequence[str]) -> None:
    """Raise UsageError where a column is not of one type in all files."""
    first = found[0]
    for path, types in zip(paths, found, strict=True):
        for name in names:
            known, other = _word(first[name]), _word(types[name])
            if known != other:
                raise UsageError(
                    f"{path}: the column {name!r} is {other}, and {known} in {paths[0]}; leave it "
                    "away (--keep), or convert it"
                )


def _word(type_: Any) -> str:
    return TEXT if values.kind(type_) == TEXT else str(type_)


def _missing(path: Path, name: str, columns: Sequence[str]) -> str:
    """Say that a column is missing, or why none can be seen."""
    if path.suffix == ".csv":
        with path.open("rb") as file:
            why = dialect.cause(file.read(dialect.HEAD))
        if why:
            return f"{path}: {why}; {dialect.REMEDY}"
    return f"{path}: the column {name!r} is missing{nearest(name, columns)}; add it, or rename one"


def is_parquet(path: Path) -> bool:
    """Tell by a file's name what it is, or by its beginning where the name does not say it."""
    if path.suffix in datasets.ENDINGS:
        return path.suffix == ".parquet"
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def plain_column(column: "pa.Array") -> "pa.Array":
    """Return a column with text of whatever type as one type."""
    import pyarrow as pa

    return column.cast(pa.string()) if values.kind(column.type) == "text" else column


def _columns(path: Path) -> dict[str, Any]:
    from pyarrow import ArrowException

    try:
        named = _parquet_header(path) if is_parquet(path) else _of_csv(path)
    except (ArrowException, csv.Error) as error:
        kind, reason = path.suffix[1:], dialect.without_values(error)
        raise UsageError(f"{path}: not {kind} ({reason}); mend the file") from None
    names = [name for name, _ in named]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{path}: the column {twice[0]!r} stands twice; keep one")
    return dict(named)


def _of_csv(path: Path) -> list[tuple[str, Any]]:
    with path.open("rb") as file:
        head = file.read(dialect.HEAD)
    if dialect.is_other(head):
        raise UsageError(f"{path}: {dialect.cause(head)}; {dialect.REMEDY}")
    return [(name, TEXT) for name in header(path)]


def _parquet_header(path: Path) -> list[tuple[str, Any]]:
    """Return names and types; Arrow takes an INT96 for a time without a zone, which it is not."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        columns = map(file.schema.column, range(len(file.schema)))
        instants = {it.path for it in columns if it.physical_type == _INT96}
        types = [(it.name, it.type) for it in file.schema_arrow]
    return [(name, _INT96 if name in instants else type_) for name, type_ in types]


PIECE = 2**17
"""Rows of a piece of Parquet; of CSV it is a block of bytes."""
READING = 3
"""Raise it with every change of how files are cut or cells are read: parts of before do not fit."""


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


def table(root: Path, paths: Sequence[Path], names: Sequence[str]) -> "pa.Table":
    """Return columns of files; what CSV says stays text, so `007` is no 7.

    Raises UsageError naming the file, also where a row cannot be read.
    """
    import pyarrow as pa

    check_alike(paths, headers(paths, names, root), names)
    batches = []
    for path in paths:
        for piece in pieces(path, str(path), names, datasets.partition(path, root)):
            if piece.broken:
                row, _, reason = piece.broken[0]
                raise UsageError(f"{path}: row {row:,} {reason}; mend the file")
            plain = [plain_column(values.plain(it)) for it in piece.rows.columns]
            batches.append(pa.record_batch(plain, names=[*names]))
    return pa.Table.from_batches(batches)


def frame(root: Path, wanted: str, names: Sequence[str]) -> "pd.DataFrame":
    """Return columns of a file, folder or glob as a data frame."""
    return to_pandas(table(root, datasets.find(root, wanted), names))


def to_pandas(table: "pa.Table") -> "pd.DataFrame":
    """Return a table as a data frame that holds the same values.

    A whole number beside a missing one would become a float, and lose its last digits.
    """
    found: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
    return found


def pieces(
    path: Path, source: str, names: Sequence[str], partition: Mapping[str, str | None]
) -> Iterator[Piece]:
    """Read a file piece by piece, always in the same pieces, at least one; a CSV's cells stay text.

    So does what a folder's name says (`partition`). Raises UsageError where the file is no Parquet,
    or no CSV as a whole.
    """
    from pyarrow import ArrowException

    wanted, start = [*dict.fromkeys(names)], 0
    own = [it for it in wanted if it not in partition]
    try:
        for number, block in enumerate(_blocks(path, own)):
            total = block.rows.num_rows + len(block.broken)
            places = np.delete(np.arange(total), [it.place for it in block.broken]) + start
            broken = [it._replace(place=it.place + start) for it in block.broken]
            rows = with_partition(block.rows, wanted, partition)
            yield Piece(source, number, rows, places, broken, block.read)
            start += total
    except (ArrowException, csv.Error) as error:
        raise UsageError(
            f"{path}: cannot be read as {path.suffix[1:]} after row {start:,} "
            f"({dialect.without_values(error)}); mend the file"
        ) from None


def with_partition(
    rows: "pa.RecordBatch", wanted: Sequence[str], partition: Mapping[str, str | None]
) -> "pa.RecordBatch":
    """Return the wanted columns, those of a folder's name as the text that it is."""
    import pyarrow as pa

    if not partition:
        return rows
    columns = {
        name: pa.repeat(pa.scalar(partition[name], pa.string()), rows.num_rows)
        if name in partition
        else rows.column(name)
        for name in wanted
    }
    return pa.RecordBatch.from_pydict(columns)


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


def _blocks(path: Path, names: list[str]) -> Iterator[Block]:
    return _of_parquet(path, names) if is_parquet(path) else rows_of_csv.read(path, names)
