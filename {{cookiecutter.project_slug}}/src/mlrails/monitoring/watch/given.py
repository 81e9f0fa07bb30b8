"""Files of new rows, read as the project's own source is written where that fits.

`source.py` says in words how a file is written (`separator=";"`, `positive={"churned": "yes"}`),
and the next month's file is written in the same way. What another program has written in this
engine's own words, or as Parquet, is read as well: a column stays as it is where the words of the
source do not fit it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import UsageError
from ...data import columnar, frames
from ...data.reading import Reading
from ...data.schema import Column
from ...sources import source

if TYPE_CHECKING:
    import pandas as pd

_OF_TABLES, _OF_CELLS = ("separator", "encoding", "nulls", "trim"), ("nulls", "trim")
"""Words that say which cells there are; and those of them that a plain CSV may follow as well."""
_OWN = {"true", "false"}
"""How this engine writes what is one of two."""


def read(
    name: str, columns: Sequence[Column], needed: Sequence[str], how: Reading | None, root: Path
) -> "pd.DataFrame":
    """Return the rows of a file, a folder, a glob or an address.

    `columns` are those whose cells may be in words of the source's, `needed` are names by which it
    is known that a file was read as it is written. Raises UsageError where it cannot be read.
    """
    if how is None:
        return source.read(name, root=root)
    words = how.words()
    plain = {it: words[it] for it in _OF_CELLS if it in words}
    own = {it: words[it] for it in _OF_TABLES if it in words}
    rows, failure = _tried(name, own, root)
    if own != plain and not _has(rows, needed):
        others, _ = _tried(name, plain, root)
        if _has(others, needed):
            rows, failure, how = others, None, how.in_plain
    if rows is None:
        raise failure or AssertionError  # One of the two is there.
    return frames.having(rows, dict(_said(rows, columns, how)))


def _tried(
    name: str, words: Mapping[str, Any], root: Path
) -> tuple["pd.DataFrame | None", UsageError | None]:
    try:
        return source.read(name, root=root, **words), None
    except UsageError as error:
        return None, error


def _has(rows: "pd.DataFrame | None", needed: Sequence[str]) -> bool:
    return rows is not None and {*needed} <= {*map(str, rows.columns)}


def _said(
    rows: "pd.DataFrame", columns: Sequence[Column], how: Reading
) -> Iterator[tuple[str, "pd.Series[Any]"]]:
    """Yield each column that is written as the words say, in this engine's own words."""
    for column in columns:
        if list(rows.columns).count(column.name) == 1:
            made = _made(rows[column.name], column, how)
            if made is not None:
                yield column.name, made.to_pandas().set_axis(rows.index)


def _made(given: "pd.Series[Any]", column: Column, how: Reading) -> Any:
    """Return an array in this engine's words, or None where the source's do not fit."""
    import pyarrow as pa
    import pyarrow.types as kinds

    name = column.name
    try:
        cells = pa.chunked_array([pa.Array.from_pandas(given)])
        is_text = kinds.is_string(cells.type) or kinds.is_large_string(cells.type)
        text = cells.cast(pa.string()) if is_text or name in how.positive else None
    except (pa.ArrowException, TypeError):
        return None  # Of several kinds: whoever wants it tells so.
    if name in how.positive:
        return _event(text, how.positive[name])
    if name in how.dates and not kinds.is_timestamp(cells.type):
        made, wrong = columnar.times(cells, how.dates[name])
    elif column.kind == "number" and is_text:
        unit = how.units.get(name)
        bare = columnar.without_unit(text, unit) if unit else text
        made, wrong = columnar.numerals(bare, how.decimal, how.thousands)
    else:
        return None
    return None if wrong.any() else made


def _event(cells: Any, positive: str) -> Any:
    """Return whether each cell is the event; None where no cell or several are of other words."""
    found = {it.strip() for it in cells.unique().drop_null().to_pylist()}
    others = len(found - {positive})
    if others > 1 or (positive not in found and {it.lower() for it in found} <= _OWN):
        return None
    return columnar.event(cells, positive)
