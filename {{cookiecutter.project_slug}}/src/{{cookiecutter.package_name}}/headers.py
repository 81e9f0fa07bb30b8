"""What the columns of a table are called and of which types they are, before a row is read."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import csv_blocks
from .errors import UsageError, nearest
from .fields import Field

if TYPE_CHECKING:
    import pyarrow as pa

_KINDS = {"double": "number", "float": "number", "long": "number", "integer": "number"}
_KINDS |= {"string": "text", "boolean": "boolean", "datetime": "time"}


def check(paths: Sequence[Path], inputs: Sequence[Field], keep: Sequence[str]) -> None:
    """Raise UsageError where a file lacks a column that is needed, or one is of another type.

    A column to keep must be of one type in all files.
    """
    first = _kept(paths[0], inputs, keep)
    for path in paths[1:]:
        for name, known, found in zip(keep, first, _kept(path, inputs, keep), strict=True):
            if known != found:
                raise UsageError(
                    f"{path}: the column {name!r} is {found}, and {known} in {paths[0]}; leave "
                    "--keep away, or convert it"
                )


def _kept(path: Path, inputs: Sequence[Field], keep: Sequence[str]) -> list[str]:
    """Return the types of the columns to keep."""
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


def _columns(path: Path) -> dict[str, Any]:
    import pyarrow.parquet
    from pyarrow import ArrowException

    try:
        if path.suffix == ".csv":
            names = csv_blocks.header(path)
            types: list[Any] = ["text"] * len(names)
        else:
            schema = pyarrow.parquet.read_schema(path)
            names, types = schema.names, schema.types
    except (ArrowException, csv.Error) as error:
        kind = path.suffix[1:]
        raise UsageError(f"{path}: not {kind} ({without_values(error)}); mend the file") from None
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{path}: the column {twice[0]!r} stands twice; keep one")
    return dict(zip(names, types, strict=True))


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


def without_values(error: Exception) -> str:
    """Return the first words of what Arrow says: what follows may quote rows."""
    return str(error).partition(":")[0].splitlines()[0][:80]
