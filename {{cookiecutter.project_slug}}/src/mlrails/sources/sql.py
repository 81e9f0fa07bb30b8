"""Rows that a query gives, of any database that SQLAlchemy knows; nothing is written there.

A database promises no order, so rows come sorted by their values unless the query says ORDER BY;
the digest of rows goes by their values alone.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from ..core.errors import ProjectError, UsageError, WorldError
from ..core.settings import Account
from ..data import values
from . import addresses

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 50_000
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)
_KNOWN = {"nothing", "whole number", "number", "text", "time", "boolean"}


def rows(address: str, query: str, root: Path, account: Account) -> "pa.Table":
    """Return what a query gives, numbers of fixed digits as text.

    Raises UsageError naming the column that is of no kind, or what the database says of the query,
    and WorldError where it cannot be reached.
    """
    import pyarrow as pa
    from sqlalchemy.exc import SQLAlchemyError

    where = addresses.masked(address)
    try:
        names, pieces = _pieces(address, query, root, account)
    except ProjectError:
        raise
    except ModuleNotFoundError as error:
        raise addresses.lacking(address, error.name) from None
    except SQLAlchemyError as error:
        raise UsageError(
            f"{where}: refuses the query ({_said(error, account)}); mend it in source.py"
        ) from None
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{where}: the column {twice[0]!r} stands twice in the query; keep one")
    columns = [column(name, [it[at] for it in pieces], where) for at, name in enumerate(names)]
    found = pa.table(columns, names=names)
    return found if _ORDERED.search(query) else _sorted(found)


def _pieces(
    address: str, query: str, root: Path, account: Account
) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns, and pieces of rows as Arrow's arrays."""
    with _connected(address, root, account) as connection:
        result = connection.exec_driver_sql(query)
        if not result.returns_rows:
            raise UsageError(
                f"{addresses.masked(address)}: the query gives no rows; write a select"
            )
        names = [*map(str, result.keys())]
        return names, [
            [array(*it, address) for it in zip(names, zip(*piece, strict=True), strict=True)]
            for piece in result.partitions(_AT_ONCE)
        ]


def _url(address: str, root: Path, account: Account) -> Any:
    """Return SQLAlchemy's address, with the account of the environment; a file is only read."""
    from sqlalchemy.engine import make_url

    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        path = root / str(url.database or "")
        if not path.is_file():
            raise UsageError(f"{address}: there is no such file; mend the address")
        return url.set(database=f"file:{path.absolute()}", query={"mode": "ro", "uri": "true"})
    return url.set(username=account.user or None, password=account.password or None)


def _connected(address: str, root: Path, account: Account) -> Any:
    """Return a connection that reads alone; raises WorldError where there is no answer."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    where = addresses.masked(address)
    try:
        engine = create_engine(
            _url(address, root, account), poolclass=NullPool, hide_parameters=True
        )
        # A percent sign or a colon of the query is itself, and no place for a value.
        how = {"no_parameters": True, "stream_results": True}
        if engine.dialect.name == "postgresql":
            how["postgresql_readonly"] = True
        return engine.connect().execution_options(**how)
    except (ArgumentError, NoSuchModuleError):
        raise UsageError(
            f"{where}: no address of a file or a database; write it as https://host/rows.csv, "
            "s3://bucket/rows or postgresql://host/database"
        ) from None
    except SQLAlchemyError as error:
        raise WorldError(
            f"{where}: cannot be reached ({_said(error, account)}); see that it runs and what the "
            "environment says of the account (SOURCE_USER, SOURCE_PASSWORD)"
        ) from None


def _said(error: Exception, account: Account) -> str:
    """Return the first line of what a database says, cut where it may quote a row."""
    first = (str(getattr(error, "orig", None) or error).strip().splitlines() or [""])[0]
    return addresses.masked(re.sub(r"(: \"|').*", "…", first), account.secrets)[:160]


_WORDS: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda it: None if it.is_nan() else str(it),
    UUID: str,
    date: lambda it: datetime.combine(it, time()),
}
"""What a value becomes that Arrow would take for something else."""


def array(name: str, column: Sequence[Any], address: str) -> Any:
    """Return values as Arrow's; raises UsageError where it has no one type for them."""
    import pyarrow as pa

    plain = [convert(it) if (convert := _WORDS.get(type(it))) else it for it in column]
    try:
        return pa.array(plain)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise _mixed(name, addresses.masked(address)) from None


def _mixed(name: str, where: str) -> UsageError:
    return UsageError(
        f"{where}: the column {name!r} mixes types, or has one that is none of a schema; cast it "
        "in the query"
    )


def column(name: str, pieces: Sequence[Any], where: str) -> Any:
    """Return the pieces of a column as one, of the one type that they have."""
    import pyarrow as pa

    types = {it.type for it in pieces} - {pa.null()} or {pa.null()}
    target = pa.float64() if types == {pa.int64(), pa.float64()} else min(types, key=str)
    try:
        made = pa.chunked_array([it.cast(target) for it in pieces], target)
    except pa.ArrowException:
        raise _mixed(name, where) from None
    if len(types - {target, pa.int64()}) or values.kind(target) not in _KNOWN:
        zone = "a time with a zone" if "tz=" in str(target) else f"of the type {target}"
        raise UsageError(
            f"{where}: the column {name!r} is {zone}, which no kind of schema.py takes; cast it in "
            "the query, as (seen at time zone 'Europe/Berlin')"
        )
    return made.combine_chunks() if pieces else pa.array([], target)


def _sorted(found: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    keys = [(f"{at}", "ascending") for at, it in enumerate(found.columns) if it.type != pa.null()]
    if not keys:
        return found
    numbered = found.rename_columns([f"{at}" for at in range(found.num_columns)])
    return numbered.sort_by(keys).rename_columns(found.column_names)


def digest(found: "pa.Table") -> str:
    """Return the sha256 of rows, whatever order they come in: of values, by no library's format."""
    import pyarrow.compute as pc

    told, table = sha256(), _sorted(found)
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = values.kind(column.type)
        missing = np.asarray(pc.is_null(column).to_numpy(), dtype=bool)
        told.update(json.dumps([name, kind, len(missing)]).encode())
        told.update(np.packbits(missing).tobytes())
        told.update(_bytes(column, kind))
    return told.hexdigest()


def _bytes(column: Any, kind: str) -> bytes:
    """Return values as little-endian numbers, or as letters behind their lengths."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "nothing":
        return b""
    if kind == "text":
        letters = [it.encode() for it in pc.fill_null(column, "").to_pylist()]
        return np.array([len(it) for it in letters], "<i8").tobytes() + b"".join(letters)
    if kind == "time":
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    form = "<f8" if kind == "number" else "<i8"
    plain = column.cast(pa.int64()) if kind == "boolean" else column
    return np.asarray(pc.fill_null(plain, 0).to_numpy(), form).tobytes()
