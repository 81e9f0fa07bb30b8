"""Data frames as `schema.py` has them: each column of its kind, or a refusal; never a cast.

What a source gives is of whatever types its reader has guessed. A guess may have lost what was
there before anybody could look (007 as 7), so read text as text where it matters.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import UsageError, counted, nearest
from . import values
from .schema import Column, Kind

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def having(rows: "pd.DataFrame", columns: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the rows with these columns in the place of their own, or beside them.

    `DataFrame.assign` takes names as keywords, and cannot have a column that is called `self`.
    """
    made = rows.copy(deep=False)
    for name, cells in columns.items():
        made[name] = cells
    return made


@dataclass(frozen=True)
class _Rule:
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class _Way:
    """How a kind of a schema is read, of which kinds of values, and what to do with others."""

    read: Callable[["pa.Array", values.Rule], values.Read]
    kinds: frozenset[str]
    remedy: str


_WAYS: Mapping[Kind, _Way] = {
    "number": _Way(
        values.number,
        frozenset({"number", "whole number", "text", "nothing"}),
        "write numbers as 1.5, or call the column a category or a boolean in schema.py",
    ),
    "category": _Way(
        values.text,
        frozenset({"text", "number", "whole number", "nothing"}),
        "read the column as text (dtype 'str'), or call it a number or a boolean in schema.py",
    ),
    "time": _Way(
        values.time,
        frozenset({"time", "text", "nothing"}),
        "make it times of one place with pd.to_datetime, and tz_localize(None) where it has a zone",
    ),
    "boolean": _Way(
        values.boolean,
        frozenset({"boolean", "text", "nothing"}),
        "compare in source.py, as rows[name] == 'yes' or rows[name] == 1",
    ),
}


def typed(
    rows: "pd.DataFrame", columns: Sequence[Column], where: str = "source.py"
) -> "pd.DataFrame":
    """Return the columns, each as the type of its kind; other columns are left out.

    `where` says what they come from. Raises UsageError that lists every column with values of
    another kind, and quotes none of them.
    """
    import pandas as pd

    faults: list[str] = []
    made = {column.name: _column(rows, column, faults) for column in columns}
    if faults:
        lines = "\n".join(f"  {it}" for it in faults)
        raise UsageError(
            f"{where}: columns that are not what schema.py says: {len(faults)}; values are "
            f"never cast to what they do not say:\n{lines}"
        )
    return pd.DataFrame(made)


@contextmanager
def no_booleans_made_up() -> Iterator[None]:
    """Refuse, while a source is read, the cast of pandas that makes values up.

    `astype("bool")` calls a missing value and every text True, which nobody can see afterwards.
    """
    import pandas as pd

    cast = pd.Series.astype

    def strict(column: "pd.Series[Any]", dtype: Any, *more: Any, **how: Any) -> Any:
        if dtype in _BOOLEANS:
            _check_booleans(column)
        return cast(column, dtype, *more, **how)

    pd.Series.astype = strict  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        pd.Series.astype = cast  # type: ignore[method-assign]


_BOOLEANS: tuple[object, ...] = ("bool", bool, np.bool_, np.dtype(bool), "?")


def _check_booleans(column: "pd.Series[Any]") -> None:
    name, missing = f"source.py: column {column.name!r}", int(column.isna().sum())
    if missing:
        raise UsageError(
            f"{name}: a value is missing in {counted(missing, 'row')}, and astype('bool') would "
            "call each True; leave them out in source.py"
        )
    if column.dtype.kind not in "biuf" and not all(isinstance(it, bool) for it in column):
        raise UsageError(
            f"{name}: holds text, and astype('bool') would call each True; "
            f"{_WAYS['boolean'].remedy}"
        )


def _column(rows: "pd.DataFrame", column: Column, faults: list[str]) -> Any:
    """Return the values of a column; add to the faults where they are not of its kind."""
    import pandas as pd
    import pyarrow as pa

    times = list(rows.columns).count(column.name)
    name, way = f"column {column.name!r}", _WAYS[column.kind]
    if times != 1:
        hint = nearest(column.name, map(str, rows.columns))
        told = "it stands twice; keep one" if times else f"it is missing{hint}; add or rename it"
        faults.append(f"{name}: {told}")
        return None
    try:
        given = values.plain(_array(rows[column.name]))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        faults.append(f"{name}: it mixes types, or has one that is no {column.kind}; {way.remedy}")
        return None
    if values.kind(given.type) not in way.kinds:
        faults.append(f"{name}: the type is {given.type}, no {column.kind}; {way.remedy}")
        return None
    found, wrong = way.read(given, _Rule(column.nullable or column.kind != "boolean"))
    faults += [f"{name}: {it}" for it in _told(wrong, column, way)]
    if column.kind == "boolean" and found.dtype != bool:
        found = np.array([None if np.isnan(it) else it == 1 for it in found], dtype=object)
    return pd.Series(found, dtype="str" if column.kind == "category" else None)


def _array(column: "pd.Series[Any]") -> "pa.Array":
    import pyarrow as pa

    found = pa.Array.from_pandas(column)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _told(wrong: Iterable[tuple[values.Mask, str]], column: Column, way: _Way) -> Iterator[str]:
    for rows, reason in wrong:
        count = int(np.sum(rows))
        if not count or reason == values.INFINITE:  # Which validation.py tells with the rows.
            continue
        if reason == values.MISSING:
            yield f"a value is missing in {counted(count, 'row')}; leave them out in source.py"
        else:
            yield f"{column.kind}: {reason}, in {counted(count, 'row')}; {way.remedy}"
