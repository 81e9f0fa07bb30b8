"""What the columns of a table are called and of which types they are, before a row is read."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import csv_blocks, datasets, dialect, values
from .errors import UsageError, nearest
from .fields import Field

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS = {"number", "whole number", "nothing"}
_KINDS = dict.fromkeys(["double", "float", "long", "integer"], _NUMBERS)
_KINDS |= {"string": {"text", *_NUMBERS}, "boolean": {"boolean", "nothing"}}
_KINDS |= {"datetime": {"time", "nothing"}}
"""Which kinds of Parquet's columns a type of a signature takes."""
_WORDS = dict.fromkeys(_KINDS, "number")
_WORDS |= {"string": "text", "boolean": "boolean", "datetime": "time"}
_INT96 = "INT96"


def check(paths: Sequence[Path], inputs: Sequence[Field], keep: Sequence[str], root: Path) -> None:
    """Raise UsageError where a file lacks a column that is needed, or one is of another type.

    A column to keep must be of one type in all files. Columns of folders' names are text.
    """
    first = _kept(paths[0], inputs, keep, root)
    for path in paths[1:]:
        for name, known, found in zip(keep, first, _kept(path, inputs, keep, root), strict=True):
            if known != found:
                raise UsageError(
                    f"{path}: the column {name!r} is {found}, and {known} in {paths[0]}; leave it "
                    "away (--keep), or convert it"
                )


def _kept(path: Path, inputs: Sequence[Field], keep: Sequence[str], root: Path) -> list[str]:
    """Return the types of the columns to keep."""
    own, folders = _columns(path), datasets.partition(path, root)
    names = [*(it.name for it in inputs), *keep]
    for name in names:
        if name in own and name in folders:
            raise UsageError(
                f"{path}: the column {name!r} stands in the file and in the name of a folder; keep "
                "one"
            )
        if name not in own and name not in folders:
            raise UsageError(_missing(path, name, [*own, *folders]))
        if own.get(name) == _INT96:
            raise UsageError(
                f"{path}: the column {name!r} is INT96, an instant in UTC, and times are read "
                "without a zone; write it in the zone of the training rows, as TIMESTAMP_NTZ"
            )
    if path.suffix == ".csv":
        return ["text" for _ in keep]
    for it in inputs:
        if it.name in own and values.kind(own[it.name]) not in _KINDS[it.type]:
            raise UsageError(
                f"{path}: the column {it.name!r} is {own[it.name]}, and the model takes a "
                f"{_WORDS[it.type]}; convert it"
            )
    types = [own.get(it, "text") for it in keep]
    return ["text" if "text" in {it, values.kind(it)} else str(it) for it in types]


def _missing(path: Path, name: str, columns: Sequence[str]) -> str:
    """Say that a column is missing, or why none can be seen."""
    if path.suffix == ".csv":
        with path.open("rb") as file:
            why = dialect.cause(file.read(dialect.HEAD))
        if why:
            return f"{path}: {why}; {dialect.REMEDY}"
    return f"{path}: the column {name!r} is missing{nearest(name, columns)}; add it, or rename one"


def plain(column: "pa.Array") -> "pa.Array":
    """Return a column with text of whatever type as one type."""
    import pyarrow as pa

    return column.cast(pa.string()) if values.kind(column.type) == "text" else column


def _columns(path: Path) -> dict[str, Any]:
    from pyarrow import ArrowException

    try:
        named = _of_csv(path) if path.suffix == ".csv" else _of_parquet(path)
    except (ArrowException, csv.Error) as error:
        kind = path.suffix[1:]
        raise UsageError(f"{path}: not {kind} ({without_values(error)}); mend the file") from None
    names = [name for name, _ in named]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{path}: the column {twice[0]!r} stands twice; keep one")
    return dict(named)


def _of_csv(path: Path) -> list[tuple[str, Any]]:
    with path.open("rb") as file:
        head = file.read(dialect.HEAD)
    if dialect.is_other(head):
        raise UsageError(f"{path}: {dialect.cause(head)}; {dialect.REMEDY}")
    return [(name, "text") for name in csv_blocks.header(path)]


def _of_parquet(path: Path) -> list[tuple[str, Any]]:
    """Return names and types; Arrow takes an INT96 for a time without a zone, which it is not."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        columns = map(file.schema.column, range(len(file.schema)))
        instants = {it.path for it in columns if it.physical_type == _INT96}
        types = [(it.name, it.type) for it in file.schema_arrow]
    return [(name, _INT96 if name in instants else type_) for name, type_ in types]


def without_values(error: Exception) -> str:
    """Return the first words of what Arrow says: what follows may quote rows."""
    return str(error).partition(":")[0].splitlines()[0][:80]
