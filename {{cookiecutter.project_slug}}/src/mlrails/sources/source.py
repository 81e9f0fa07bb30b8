"""Rows of a file, a folder, a glob, an address or a database, as `source.py` asks for them.

    sources.read("data/bank.csv", COLUMNS, separator=";", decimal=",", positive={"churned": "yes"})
    sources.read("s3://bank/2030/*.parquet", COLUMNS, sha256="…")
    sources.read("postgresql://host/bank", COLUMNS, query="select … from customers", sha256="…")

A file of one's own that is read belongs under `deps` of the stage `ingest` in `dvc.yaml`, which
then notices a change. Of what lies elsewhere DVC knows nothing: `sha256` says what it was, so it is
part of the code that made a model, and other bytes under the same name are refused.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.console import warn
from ..core.errors import UsageError, WorldError, nearest
from ..core.settings import Account, source_account
from ..data import columnar, dialect, reading
from ..data.reading import Reading
from ..data.schema import Column
from . import addresses, datasets, provenance, remote, sql, tables

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Track = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""Shows progress while it passes things on: (things, description, how many)."""


def read(
    source: str,
    columns: Sequence[Column] | None = None,
    *,
    query: str | None = None,
    sha256: str | None = None,
    separator: str = ",",
    encoding: str = "utf-8",
    decimal: str = ".",
    thousands: str = "",
    nulls: Sequence[str] = (),
    dates: Mapping[str, str] | None = None,
    positive: Mapping[str, str] | None = None,
    trim: bool = False,
    needed: Sequence[str] = (),
    units: Mapping[str, str] | None = None,
    track: Track | None = None,
    root: Path | None = None,
) -> "pd.DataFrame":
    """Read the columns of a source, without any all that it has; the words are `Reading`'s.

    Cells of a CSV stay text, so `007` is no 7, and `ingest` makes the schema's kinds of them.
    Raises UsageError that names file, column and row, and WorldError where a source cannot be had,
    or is another one than `sha256` says.
    """
    how = Reading(
        *(separator, encoding, decimal, thousands, tuple(nulls), dates or {}, positive or {}),
        trim=trim,
        needed=tuple(needed),
        units=units or {},
    )
    wanted = _Wanted(source, query, None if columns is None else [it.name for it in columns], track)
    rows, digest = _found(wanted, how, root or Path())
    provenance.note(wanted.shown_as, digest)
    _check_digest(wanted, sha256, digest)
    _check(how, rows, wanted.shown_as)
    numbers = [it.name for it in columns or () if it.kind == "number"]
    return tables.to_pandas(reading.plain(rows, numbers, how, wanted.shown_as))


@dataclass(frozen=True)
class _Wanted:
    """What is asked for."""

    source: str
    query: str | None
    names: Sequence[str] | None
    track: Track | None

    @property
    def is_address(self) -> bool:
        """Whether it lies elsewhere."""
        return addresses.scheme(self.source) is not None

    @property
    def shown_as(self) -> str:
        """Its name without a secret."""
        return addresses.masked(self.source)

    def shown(self, things: Sequence[Any]) -> list[Any]:
        """Pass things on, and show how many are done."""
        told = f"reading {self.shown_as}"
        return list(self.track(things, told, len(things)) if self.track else things)


def _found(wanted: _Wanted, how: Reading, base: Path) -> tuple["pa.Table", str]:
    """Return the rows of a source, and its digest."""
    if not wanted.is_address:
        paths = datasets.find(base, wanted.source, named_so=False)
        digest = provenance.of_files(paths, base)
        return rows_of(wanted.shown(paths), wanted.names, how, base), digest
    addresses.check(wanted.source)
    account = source_account(os.environ)
    if addresses.scheme(wanted.source) not in addresses.FILES:
        return _of_database(wanted, how, base, account)
    with tempfile.TemporaryDirectory(prefix="source-") as name:
        folder = Path(name)
        paths = remote.fetch(wanted.source, folder, account, wanted.shown)
        digest = provenance.of_files(paths, folder)
        try:
            return rows_of(paths, wanted.names, how, folder), digest
        except UsageError as error:  # Nobody knows the folder.
            where = wanted.shown_as
            raise UsageError(f"{where}: {str(error).replace(f'{folder}{os.sep}', '')}") from None


def _of_database(
    wanted: _Wanted, how: Reading, base: Path, account: Account
) -> tuple["pa.Table", str]:
    import pyarrow as pa

    if wanted.query is None:
        raise UsageError(
            f"{wanted.shown_as}: no query says which rows; write one, as query='select …'"
        )
    found = sql.rows(wanted.source, wanted.query, base, account)
    digest = sql.digest(found)
    found = pa.table([_plain(it, how) for it in found.columns], names=found.column_names)
    return _select(found, wanted.names or found.column_names, wanted.shown_as), digest


def _check_digest(wanted: _Wanted, sha256: str | None, digest: str) -> None:
    """Raise WorldError for another source under the same name; tell of one that nothing pins."""
    if sha256 is None and wanted.is_address:
        warn(
            f"{wanted.shown_as}: nothing says what it was, so nobody notices when it changes; "
            f"write sha256='{digest}' in source.py"
        )
    if sha256 not in {None, digest}:
        raise WorldError(
            f"{wanted.shown_as}: has changed: it is sha256 {digest}, and was {sha256}; look at "
            "what is new, and write the new one in source.py to take it"
        )


def rows_of(
    paths: Sequence[Path], names: Sequence[str] | None, how: Reading, root: Path
) -> "pa.Table":
    """Return columns of files of one format, without names those of the first.

    Raises UsageError where a column is missing, or not alike in all.
    """
    import pyarrow as pa

    formats = {tables.is_parquet(it) for it in paths}
    if len(formats) > 1:
        raise UsageError(
            f"{paths[0].parent}: holds both CSV and Parquet, which say in two ways what a "
            "value is; name one of them by a glob, as 'data/*.parquet'"
        )
    if formats == {True}:
        chosen = [*tables.headers(paths[:1], [], root)[0]] if names is None else names
        found = tables.table(root, paths, chosen)
        return pa.table([_plain(it, how) for it in found.columns], names=found.column_names)
    parts = [_of_text(path, how, root) for path in paths]
    chosen = parts[0].column_names if names is None else names
    return pa.concat_tables(
        _select(part, chosen, path) for path, part in zip(paths, parts, strict=True)
    )


def _of_text(path: Path, how: Reading, root: Path) -> "pa.Table":
    """Return all columns of a CSV, and of the names of its folders, as text."""
    import pyarrow as pa

    data = path.read_bytes()
    if dialect.is_other(data[: dialect.HEAD]) and how == Reading():
        raise UsageError(f"{path}: {dialect.cause(data[: dialect.HEAD])}; {dialect.REMEDY}")
    found = reading.table(data, how, str(path))
    for name, value in datasets.partition(path, root).items():
        if name in found.column_names:
            raise tables.in_both(path, name)
        found = found.append_column(name, pa.repeat(pa.scalar(value, pa.string()), found.num_rows))
    return found


def _select(rows: "pa.Table", names: Sequence[str], path: object) -> "pa.Table":
    for name in names:
        if name not in rows.column_names:
            hint = nearest(name, rows.column_names)
            raise UsageError(
                f"{path}: the column {name!r} is missing{hint}; add or rename it, or say in "
                "source.py how the file is written"
            )
    return rows.select([*names])


def _plain(column: Any, how: Reading) -> Any:
    """Return days as times at midnight, numbers of fixed digits as text, and no word of `nulls`."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_date(column.type):
        return column.cast(pa.timestamp("us"))
    if how.nulls and kinds.is_string(column.type):
        return columnar.without(column, how.nulls)
    return column.cast(pa.string()) if kinds.is_decimal(column.type) else column


def _check(how: Reading, rows: "pa.Table", source: str) -> None:
    """Raise UsageError where a word is said of a column that is not read, or has a third value."""
    names = rows.column_names
    for word in ("dates", "positive", "needed", "units"):
        for name in getattr(how, word):
            if name not in names:
                raise UsageError(
                    f"{source}: {word} names the column {name!r}, which is not read"
                    f"{nearest(name, names)}; mend source.py"
                )
    for name in how.positive:
        count = len(rows[name].unique().drop_null())
        if count > 2:
            raise UsageError(
                f"{source}: column {name!r}: has {count} values, and positive tells one of two "
                "from the other; mend the source, or compare in source.py"
            )
