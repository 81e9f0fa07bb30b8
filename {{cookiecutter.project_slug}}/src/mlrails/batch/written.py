"""Files to score that are written as the project's own source is: cells by its words.

`source.py` says how a training file is written (`separator=";"`, `dates={…}`), and the same file
may come back to be scored. A CSV whose columns or letters only these words make out is read by them
throughout. Any other stays a plain CSV, whose cells are read by the words where these fit, and else
as they stand: what another program writes in this engine's own way is taken as well.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import UsageError
from ..data import as_written, columnar, reading, values
from ..data.reading import Reading
from ..modeling.signature import Field
from ..sources import csv as plain_csv
from ..sources import datasets, tables
from ..sources.csv import Broken
from ..sources.tables import Piece

if TYPE_CHECKING:
    import pyarrow as pa

_HEAD = 2**18
"""Bytes that hold the line of names."""


@dataclass(frozen=True)
class Writing:
    """How the project's source is written, and what a model takes of it."""

    how: Reading
    inputs: Sequence[Field]
    own: frozenset[Path] = frozenset()
    """The files that are read by the words throughout: seen once, as it may take all of a file."""

    @classmethod
    def among(
        cls,
        files: Sequence[Path],
        how: Reading,
        inputs: Sequence[Field],
        keep: Sequence[str],
        root: Path,
    ) -> "Writing":
        """Return how the source is written, and which of the files are written so."""
        made, names = cls(how, inputs), [*(it.name for it in inputs), *keep]
        return replace(made, own=frozenset(it for it in files if made._makes(it, names, root)))

    @property
    def told(self) -> str:
        """The words in a line, as they stand in `source.py`."""
        return ", ".join(f"{name}={value!r}" for name, value in self.how.words().items())

    def counts(self, field: Field, type_: Any) -> bool:
        """Tell whether numbers of a column are times by the words: days or seconds, or 20300107."""
        is_number = values.kind(type_) in {"number", "whole number"}
        return is_number and as_written.is_time(field.name, field.type, self.how)

    def _makes(self, path: Path, names: Sequence[str], root: Path) -> bool:
        """Tell whether only the words of the source make these columns of a CSV."""
        own = {*names} - {*datasets.partition(path, root)}
        if tables.is_parquet(path) or not own <= {*self._names(path)}:
            return False
        return not own <= {*_plain_names(path)} or not _is_plain(path, self.how.encoding)

    def _names(self, path: Path) -> Sequence[str]:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        try:
            text = head.decode(self.how.encoding, errors="ignore").removeprefix("\ufeff")
            return reading.header(text.encode(), self.how.separator, str(path))[0]
        except (UsageError, LookupError):
            return ()

    def pieces(self, path: Path, source: str, names: Sequence[str], root: Path) -> Iterator[Piece]:
        """Read a file piece by piece, as `tables.pieces` does, at least one."""
        partition = datasets.partition(path, root)
        if path in self.own:
            yield from self._strictly(path, source, names, partition)
            return
        plain = replace(self, how=self.how.in_plain)
        for it in tables.pieces(path, source, names, partition):
            rows, _ = plain._said(it.rows)
            yield Piece(it.source, it.number, rows, it.places, it.broken, it.read)

    def _strictly(
        self, path: Path, source: str, names: Sequence[str], partition: Mapping[str, str | None]
    ) -> Iterator[Piece]:
        """Read a file by the words alone; a cell that is not written so is told with its row."""
        wanted = [*dict.fromkeys(names)]
        found = reading.table(path.read_bytes(), self.how, str(path))
        found = found.select([it for it in wanted if it not in partition]).combine_chunks()
        size, total = path.stat().st_size, found.num_rows
        for number, start in enumerate(range(0, max(total, 1), tables.PIECE)):
            batch = _batch(found.slice(start, tables.PIECE))
            part = tables.with_partition(batch, wanted, partition)
            rows, wrong = self._said(part)
            broken = [Broken(start + row, *why) for row, why in sorted(wrong.items())]
            good = np.ones(rows.num_rows, dtype=bool)
            good[[*wrong]] = False
            places = np.flatnonzero(good) + start
            read = size * min(start + tables.PIECE, total) // max(total, 1)
            yield Piece(source, number, rows.filter(good), places, broken, read)

    def _said(self, rows: "pa.RecordBatch") -> tuple["pa.RecordBatch", dict[int, tuple[str, str]]]:
        """Return rows with cells in this engine's own words, and the first fault of the others.

        A cell that is not written as the words say stays what it is.
        """
        import pyarrow as pa
        import pyarrow.types as kinds

        faults = dict[int, tuple[str, str]]()
        columns = dict(zip(rows.schema.names, rows.columns, strict=True))
        for it in self.inputs:
            type_ = columns[it.name].type
            if not kinds.is_string(type_) and not self.counts(it, type_):
                continue
            columns[it.name], wrong, reason = self._column(it, columns[it.name])
            for row in np.flatnonzero(wrong).tolist():
                faults.setdefault(row, (it.name, reason))
        return pa.RecordBatch.from_pydict(columns), faults

    def _column(self, field: Field, column: Any) -> tuple[Any, np.ndarray, str]:
        """Return a column by the words, which of its cells are not written so, and why."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.types as kinds

        how, name = self.how, field.name
        is_text = kinds.is_string(column.type)
        column = pc.utf8_trim_whitespace(column) if is_text and how.trim else column
        if is_text and (how.trim or how.nulls):
            column = columnar.without(column, ["", *how.nulls])
        if as_written.is_time(name, field.type, how):
            moments, wrong = columnar.times(column, how.dates[name])
            made = moments.cast(pa.string())
        elif as_written.is_number(name, field.type, how):
            unit = how.units.get(name)
            bare = columnar.without_unit(column, unit) if unit else column
            made, wrong = columnar.numerals(bare, how.decimal, how.thousands)
        else:
            return column, np.zeros(len(column), dtype=bool), ""
        reason = as_written.reason(name, field.type, how)
        return pc.if_else(pa.array(wrong), column.cast(pa.string()), made), wrong, reason


def _batch(found: "pa.Table") -> "pa.RecordBatch":
    import pyarrow as pa

    batches = found.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], found.schema)


def _plain_names(path: Path) -> Sequence[str]:
    """Return the names that a plain CSV has once; none where it is no plain CSV."""
    try:
        found = plain_csv.header(path)
    except csv.Error:
        return ()
    return [*compress(found, [found.count(it) == 1 for it in found])]


def _is_plain(path: Path, encoding: str) -> bool:
    """Tell whether a text is in UTF-8, where its source is not."""
    if encoding.lower() in reading.SAME:
        return True
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
