"""A table as it is adopted: its cells, by words that were guessed and are told.

Nothing after adoption guesses: `source.py` says what was found here, and `mlrails.data.reading`
makes the same cells of the same words. What lies elsewhere is pinned by its `sha256`, so another
one under the same name is noticed.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.settings import source_account
from ..data.columnar import numerals, simple, without, without_unit
from ..data.reading import Reading, decoded, header, of_decoded, unique
from ..sources import addresses, datasets, provenance, remote, sql, tables
from ..sources.source import rows_of
from . import moments, sniff
from .seen import each

if TYPE_CHECKING:
    import pyarrow as pa


WIDEST = 5_000
"""So many columns a project can hold: `schema.py` has a line for each."""
_HEAD, _SHOWN = 2_000, 60
_LOCALES: tuple[tuple[str, str], ...] = (
    (".", ""),
    (".", ","),
    (",", ""),
    (",", "."),
    (",", " "),
    (",", "\u00a0"),
    (".", "'"),
)
_LOCALES += ((",", "\u202f"), (".", " "), (".", "\u2019"))
"""Marks before decimals and between thousands, the likely ones first."""


@dataclass(frozen=True)
class Table:
    """All rows, and how they were read."""

    where: str
    rows: "pa.Table"
    how: Reading
    digest: str
    notes: tuple[str, ...] = ()
    floats: Mapping[str, Any] = field(default_factory=dict)
    """The columns that are numbers as they stand, read so already."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """What `source.py` says beside how it is read: which query, and what there was."""


def opened(path: Path) -> Table:
    """Read a CSV or Parquet file; raises UsageError where it is none, or has no rows or columns."""
    where = path.name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file; name a table in CSV or Parquet") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder; name a table in CSV or Parquet") from None
    return replace(of_bytes(data, where), digest=hashlib.sha256(data).hexdigest())


def of_bytes(data: bytes, where: str) -> Table:
    """Read what a file holds."""
    if not data or data.isspace():  # Which ends at the first letter, and copies nothing.
        raise UsageError(f"{where}: it is empty; name a table with a line of names and rows")
    if data.startswith(b"PAR1"):
        return _of_parquet(data, where)
    sniff.refuse_other(data[: sniff.HEAD], where)
    encoding = sniff.encoding(data, where)
    text = decoded(data, encoding, where)
    how = words(data, text, encoding, where)
    return of_text(of_decoded(text, how, where), how, where)


def of_text(rows: "pa.Table", how: Reading, where: str) -> Table:
    """Return rows whose cells are text, which say in words of their own that they are missing."""
    return _checked(_without_nulls(Table(where, rows, how, "")))


def of_rows(rows: "pa.Table", where: str) -> Table:
    """Return rows that have types of their own."""
    import pyarrow as pa

    rows = pa.table([simple(it) for it in rows.columns], names=unique(rows.column_names))
    return _checked(Table(where, rows, Reading(), ""))


def _checked(found: Table) -> Table:
    _check_width(found.rows.column_names, found.where)
    if not found.rows.num_rows:
        raise UsageError(
            f"{found.where}: it has a line of names and no row; name a table with rows"
        )
    return found


def of_source(source: str, root: Path, query: str | None = None, lies: Path | None = None) -> Table:
    """Read a source; its name begins in `root`, where `ingest` is going to read it too.

    `lies` is where a file is now that is going to be there.
    Raises UsageError for one that is no table, in a sentence, and WorldError where it cannot be
    had.
    """
    kind = addresses.scheme(source)
    if query is not None and (kind is None or kind in addresses.FILES):
        raise UsageError(f"{addresses.masked(source)}: --query asks a database, and this is none")
    if kind is None:
        return opened(lies) if lies else _of_path(source, root)
    addresses.check(source)
    if kind in addresses.FILES:
        return _of_address(source)
    if query is None:
        raise UsageError(
            f"{addresses.masked(source)}: no query says which rows; say --query 'select …'"
        )
    return _of_database(source, root, query)


def _of_path(source: str, root: Path) -> Table:
    path = root / source
    if path.is_file():
        return opened(path)
    if not path.exists() and not datasets.is_glob(source):
        raise UsageError(f"{source}: there is no such file; name a table in CSV or Parquet")
    paths = datasets.find(root, source)
    found = _of_files(paths, root, source)
    return replace(found, digest=provenance.of_files(paths, root))


def _of_address(source: str) -> Table:
    where = addresses.masked(source)
    with TemporaryDirectory(prefix="source-") as name:
        folder = Path(name)
        paths = remote.fetch(source, folder, source_account(os.environ))
        digest = provenance.of_files(paths, folder)
        try:
            found = _of_files(paths, folder, where)
        except UsageError as error:  # Nobody knows the folder.
            told = str(error).replace(f"{folder}{os.sep}", "").removeprefix(f"{where}: ")
            raise UsageError(f"{where}: {told}") from None
    return replace(found, digest=digest, pinned={"sha256": digest})


def _of_files(paths: Sequence[Path], root: Path, where: str) -> Table:
    """Read files of one format, with what their folders' names say."""
    if len(paths) == 1 and not datasets.partition(paths[0], root):
        return of_bytes(paths[0].read_bytes(), where)
    if any(map(tables.is_parquet, paths)):
        return of_rows(rows_of(paths, None, Reading(), root), where)
    head, *_ = texts = [it.read_bytes() for it in paths]
    for path, text in zip(paths, texts, strict=True):
        sniff.refuse_other(text[: sniff.HEAD], str(path))
    encoding = sniff.encoding(next((it for it in texts if not it.isascii()), head), where)
    how = words(head, decoded(head, encoding, where), encoding, where)
    return of_text(rows_of(paths, None, how, root), how, where)


def _of_database(source: str, root: Path, query: str) -> Table:
    found = sql.rows(source, query, root, source_account(os.environ))
    digest = sql.digest(found)
    made = of_rows(found, addresses.masked(source))
    return replace(made, digest=digest, pinned={"query": query, "sha256": digest})


def _check_width(given: Sequence[str], where: str) -> None:
    wide = len(given)
    if wide > WIDEST:
        raise UsageError(
            f"{where}: {wide:,} columns, and a project holds {WIDEST:,}: schema.py has a line "
            "for each; choose some, or make fewer of them"
        )
    if wide < 2:
        raise UsageError(
            f"{where}: only one column, {given[0][:_SHOWN]!r}; a target and something "
            "to predict it from are needed"
        )


def _of_parquet(data: bytes, where: str) -> Table:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        sniff.refuse_twins(pyarrow.parquet.read_schema(pa.BufferReader(data)).names, where)
        rows = pyarrow.parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError):
        raise UsageError(f"{where}: cannot be read as Parquet; write the file anew") from None
    return of_rows(rows, where)


def words(data: bytes, text: bytes, encoding: str, where: str) -> Reading:
    """Return how a text separates its cells; raises UsageError where it has too few or many."""
    how = Reading(sniff.separator(data, encoding), encoding)
    given, _ = header(text, how.separator, where)
    sniff.refuse_title(given, text, where)
    _check_width(given, where)
    return replace(how, trim=sniff.is_padded(data, encoding, how.separator))


def _without_nulls(found: Table) -> Table:
    """Find the words that say that a value is missing, and put nothing in their place."""
    found = _without_units(found)
    names = found.rows.column_names
    every = dict(zip(names, each(lambda name: _floats(found.rows[name]), names), strict=True))
    floats = {name: it for name, it in every.items() if it is not None}
    odd = {name: found.rows[name] for name in every if name not in floats}
    nulls = set[str]().union(*each(_nulls, odd.values()))
    how = replace(found.how, nulls=tuple(sorted(nulls)))
    rows, (decimal, thousands) = found.rows, _locale(found.rows, [*odd], how)
    how = replace(how, decimal=decimal, thousands=thousands)
    if nulls:
        bare = each(lambda it: without(it, how.nulls), odd.values())
        for name, it in zip(odd, bare, strict=True):
            rows = rows.set_column(names.index(name), name, it)
    return replace(found, rows=rows, how=how, floats=floats if how.is_plain else {})


def _without_units(found: Table) -> Table:
    """Take the sign of a currency or of per cent away from numbers, and write down which it was."""
    units, rows = dict[str, str](), found.rows
    for place, name in enumerate(rows.column_names):
        head, column = rows[name].slice(0, _HEAD // 10), rows[name]
        if sniff.unit(head.to_pylist()) and (unit := sniff.unit(column.to_pylist())):
            units[name] = unit
            rows = rows.set_column(place, name, without_unit(column, unit))
    return replace(found, rows=rows, how=replace(found.how, units=units)) if units else found


def _floats(column: Any) -> Any:
    """Return a column of plain numbers as such, None for any other."""
    import pyarrow as pa

    try:
        column.slice(0, _HEAD // 10).cast(pa.float64())  # Which ends most columns of words at once.
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _nulls(column: Any) -> set[str]:
    """Return the words of a column that say that nothing is known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.is_in(column, pa.array([*sniff.NULLS, *sniff.DOUBTFUL]))
    if not pc.any(known).as_py():
        return set()
    said = {*pc.unique(column.filter(known)).to_pylist()}
    doubtful = said & {*sniff.DOUBTFUL}
    if doubtful and not _is_number_otherwise(column, said):
        said -= doubtful
    return said


def _is_number_otherwise(column: Any, nulls: set[str]) -> bool:
    """Tell whether all but some words are numbers, times or booleans."""
    first = [it for it in column.slice(0, _HEAD).to_pylist() if it is not None and it not in nulls]
    if not first:
        return False
    if any(_are_numbers(first, *locale) for locale in _LOCALES):
        return True
    if {it.lower() for it in first} <= {"true", "false"}:
        return True
    return any(
        all(moments.fits(it.strip(), form) for it in first[:50]) for form in moments.forms(first[0])
    )


def _locale(rows: "pa.Table", odd: Sequence[str], how: Reading) -> tuple[str, str]:
    """Return the marks by which most columns are numbers: before decimals, between thousands."""
    heads = {it: _present(rows[it].slice(0, _HEAD).to_pylist(), how) for it in odd}
    likely = [it for it in heads.values() if it and any(_are_numbers(it, *way) for way in _LOCALES)]
    if not likely:
        return ".", ""
    plain = [it for it in rows.column_names if it not in heads]
    likely += [_present(rows[it].slice(0, _HEAD // 10).to_pylist(), how) for it in plain]
    ways = _LOCALES if how.separator == "," else (*_LOCALES[2:], *_LOCALES[:2])
    return max(ways, key=lambda way: sum(_are_numbers(it, *way) for it in likely))


def _present(said: Sequence[str | None], how: Reading) -> list[str]:
    return [it for it in said if it is not None and it not in how.nulls]


def _are_numbers(said: Sequence[str], decimal: str, thousands: str) -> bool:
    import pyarrow as pa

    return not numerals(pa.chunked_array([pa.array(said, pa.string())]), decimal, thousands)[
        1
    ].any()
