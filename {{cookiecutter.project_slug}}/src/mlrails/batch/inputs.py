"""Whether files have the columns that a model takes: it is said before any row is read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..data import values
from ..modeling.signature import Field
from ..sources import tables
from .written import Writing

_NUMBERS = {"number", "whole number", "nothing"}
_KINDS = dict.fromkeys(["double", "float", "long", "integer"], _NUMBERS)
_KINDS |= {"string": {"text", *_NUMBERS}, "boolean": {"boolean", "nothing"}}
_KINDS |= {"datetime": {"time", "nothing"}}
"""Which kinds of Parquet's columns a type of a signature takes."""
_WORDS = dict.fromkeys(_KINDS, "number")
_WORDS |= {"string": "text", "boolean": "boolean", "datetime": "time"}


def check(
    paths: Sequence[Path],
    inputs: Sequence[Field],
    keep: Sequence[str],
    root: Path,
    writing: Writing | None = None,
) -> None:
    """Raise UsageError where a file lacks a column that is needed, or one is of another type.

    A column to keep must be of one type in all files. Columns of CSV and of folders' names are
    text, which is read as what the model takes; so are those of files that are written as the
    project's source is, and numbers that are times there.
    """
    names = [*(it.name for it in inputs), *keep]
    text = dict.fromkeys(names, tables.TEXT)
    found = [
        text if writing and it in writing.own else tables.headers([it], names, root)[0]
        for it in paths
    ]
    for path, types in zip(paths, found, strict=True):
        for it in inputs:
            if not (writing and writing.counts(it, types[it.name])):
                check_type(types[it.name], it, str(path))
    tables.check_alike(paths, found, keep)


def check_type(type_: Any, field: Field, where: str) -> None:
    """Raise UsageError where a column's type holds no values that a model takes."""
    if type_ != tables.TEXT and values.kind(type_) not in _KINDS[field.type]:
        raise UsageError(
            f"{where}: the column {field.name!r} is {type_}, and the model takes a "
            f"{_WORDS[field.type]}; convert it"
        )
