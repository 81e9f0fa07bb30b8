"""A table as it is adopted: its cells, by words that were guessed and are told.

Nothing after adoption guesses: `source.py` says what was found here, and `mlrails.data.reading`
makes the same cells of the same words.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..data.reading import Reading, decoded, header, numerals, simple, table, unique, without
from . import moments, sniff

if TYPE_CHECKING:
    import pyarrow as pa


WIDEST = 5_000
"""So many columns a project can hold: `schema.py` has a line for each."""
_HEAD = 2_000
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
    is_text: bool
    """Whether cells are text whose words were guessed, or have types of their own."""
    notes: tuple[str, ...] = ()


def opened(path: Path) -> Table:
    """Read a CSV or Parquet file; raises UsageError where it is none, or has no rows or columns."""
    where = path.name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file; name a table in CSV or Parquet") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder; name a table in CSV or Parquet") from None
    digest = hashlib.sha256(data).hexdigest()
    found = of_bytes(data, where)
    return replace(found, digest=digest)


def of_bytes(data: bytes, where: str) -> Table:
    """Read what a file holds."""
    if not data.strip():
        raise UsageError(f"{where}: it is empty; name a table with a line of names and rows")
    if data.startswith(b"PAR1"):
        found = _of_parquet(data, where)
    else:
        sniff.refuse_other(data[: sniff.HEAD], where)
        found = _of_text(data, where)
    _check_width(found.rows.column_names, where)
    if not found.rows.num_rows:
        raise UsageError(f"{where}: it has a line of names and no row; name a table with rows")
    return found


def _check_width(given: Sequence[str], where: str) -> None:
    wide = len(given)
    if wide > WIDEST:
        raise UsageError(
            f"{where}: {wide:,} columns, and a project holds {WIDEST:,}: schema.py has a line "
            "for each; choose some, or make fewer of them"
        )
    if wide < 2:
        raise UsageError(
            f"{where}: only one column, {given[0]!r}; a target and something "
            "to predict it from are needed"
        )


def _of_parquet(data: bytes, where: str) -> Table:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        rows = pyarrow.parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError):
        raise UsageError(f"{where}: cannot be read as Parquet; write the file anew") from None
    rows = pa.table([simple(it) for it in rows.columns], names=unique(rows.column_names))
    return Table(where, rows, Reading(), "", is_text=False)


def _of_text(data: bytes, where: str) -> Table:
    encoding = sniff.encoding(data, where)
    how = Reading(sniff.separator(data, encoding), encoding)
    given, _ = header(decoded(data, encoding, where), how.separator, where)
    _check_width(given, where)
    how = replace(how, trim=sniff.is_padded(data, encoding, how.separator))
    rows = table(data, how, where)
    return _without_nulls(Table(where, rows, how, "", is_text=True))


def _without_nulls(found: Table) -> Table:
    """Find the words that say that a value is missing, and put nothing in their place."""
    odd = {name: it for name in found.rows.column_names if not _is_numeric(it := found.rows[name])}
    nulls = {word for it in odd.values() for word in _nulls(it)}
    how = replace(found.how, nulls=tuple(sorted(nulls)))
    decimal, thousands = _locale(found.rows, [*odd], how)
    how = replace(how, decimal=decimal, thousands=thousands)
    rows = found.rows
    if nulls:
        for name, it in odd.items():
            rows = rows.set_column(rows.column_names.index(name), name, without(it, how.nulls))
    return replace(found, rows=rows, how=how)


def _is_numeric(column: Any) -> bool:
    import pyarrow as pa

    try:
        column.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


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
