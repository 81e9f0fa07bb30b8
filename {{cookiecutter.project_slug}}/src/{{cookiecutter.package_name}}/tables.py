"""Tables of any size, read piece by piece: Parquet and CSV, files, folders and globs."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import csv_blocks, datasets, headers, values
from .csv_blocks import Block
from .csv_lines import Broken
from .errors import UsageError
from .headers import without_values

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

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


def frame(root: Path, wanted: str, names: Sequence[str]) -> "pd.DataFrame":
    """Return columns of a file, folder or glob of your own, for `source.py` to return or to join.

    What CSV says stays text, so `007` is no 7; `ingest` makes the schema's kinds of it, as scoring
    does. Raises UsageError naming the file, also where a row cannot be read.
    """
    import pyarrow as pa

    paths, batches = datasets.find(root, wanted), []
    headers.check(paths, [], names, root)
    for path in paths:
        for piece in pieces(path, str(path), names, datasets.partition(path, root)):
            if piece.broken:
                row, _, reason = piece.broken[0]
                raise UsageError(f"{path}: row {row:,} {reason}; mend the file")
            plain = [headers.plain(values.plain(it)) for it in piece.rows.columns]
            batches.append(pa.record_batch(plain, names=[*names]))
    # A whole number beside a missing one would become a float, and lose its last digits.
    whole: pd.DataFrame = pa.Table.from_batches(batches).to_pandas(integer_object_nulls=True)
    return whole


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
        for number, block in enumerate(_READERS[path.suffix](path, own)):
            total = block.rows.num_rows + len(block.broken)
            places = np.delete(np.arange(total), [it.place for it in block.broken]) + start
            broken = [it._replace(place=it.place + start) for it in block.broken]
            rows = _with(block.rows, wanted, partition)
            yield Piece(source, number, rows, places, broken, block.read)
            start += total
    except (ArrowException, csv.Error) as error:
        raise UsageError(
            f"{path}: cannot be read as {path.suffix[1:]} after row {start:,} "
            f"({without_values(error)}); mend the file"
        ) from None


def _with(
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


_READERS: Mapping[str, Callable[[Path, list[str]], Iterator[Block]]] = {
    ".parquet": _of_parquet,
    ".csv": csv_blocks.read,
}
