"""Outcomes that come later than the requests: joined by id, as far as they are told apart."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import UsageError, counted, nearest
from ...data import frames
from ...data.schema import Column
from .requests import REQUEST, ROW, Log

if TYPE_CHECKING:
    import pandas as pd

ID, PLACE = "request_id", "row"
"""What the columns of a file of outcomes are called that say whose they are."""


@dataclass(frozen=True)
class _Counts:
    """What has become of the outcomes of a file."""

    rows: int
    joined: int
    others: int
    """Of requests that the log does not hold."""
    disputed: int
    """Requests with two outcomes that contradict each other."""
    reused: int
    """Of ids that callers have given to several requests."""
    several: int
    """Of requests of several rows, where nothing says of which."""


def outcomes(log: Log, labels: "pd.DataFrame", column: Column, name: str) -> Log:
    """Return the log with the outcomes that have come; where none has, it says so.

    Raises UsageError where the file `name` does not say whose outcomes they are, has none, or has
    others than the target's `column` is of.
    """
    known, target = _known(labels, column, name), column.name
    keys = [REQUEST, ROW] if PLACE in labels else [REQUEST]
    disputed = known.groupby(keys)[target].transform("nunique") > 1
    there = known[REQUEST].isin(set(log.rows[REQUEST]))
    reused = known[REQUEST].isin(log.reused)
    sizes = log.rows.groupby(REQUEST)[ROW].count()
    many = known[REQUEST].map(sizes).fillna(0) > 1
    several = there & ~reused & many & (PLACE not in labels)
    good = known[~disputed & there & ~reused & ~several].drop_duplicates(keys)
    rows = log.rows.drop(columns=target, errors="ignore").merge(good, on=keys, how="left")
    found = _Counts(
        len(rows),
        int(rows[target].notna().sum()),
        int((~there).sum()),
        len(known[disputed].drop_duplicates(keys)),
        int(reused.sum()),
        int(several.sum()),
    )
    return replace(log, rows=rows, notes=[*log.notes, *_notes(found, name)])


def _known(labels: "pd.DataFrame", target: Column, name: str) -> "pd.DataFrame":
    """Return the outcomes that have come, by request and row."""
    import pandas as pd

    wanted = ((ID, "which says whose outcome it is"), (target.name, "the outcome itself"))
    for column, why in wanted:
        if column not in labels:
            hint = nearest(column, map(str, labels.columns))
            raise UsageError(f"{name}: the column {column!r} is missing, {why}{hint}; add it")
    ids = labels[ID].convert_dtypes()  # Whole numbers beside an empty cell are no 7.0.
    typed = frames.typed(labels[[target.name]], [replace(target, nullable=True)], name)
    found = pd.DataFrame({REQUEST: ids.astype("str"), target.name: typed[target.name].array})
    if PLACE in labels:
        place = pd.to_numeric(labels[PLACE], errors="coerce")
        if (place.isna() | (place != np.floor(place)) | (place < 0)).any():
            raise UsageError(
                f"{name}: the column {PLACE!r} is not everywhere the number of a row in its "
                "request, from 0; mend it"
            )
        found[ROW] = place.astype("int64")
    come: pd.DataFrame = found[found[target.name].notna() & ids.notna().to_numpy()]
    return come.reset_index(drop=True)


def _notes(of: _Counts, name: str) -> Iterator[str]:
    yield f"outcomes of {name}: have come of {of.joined:,} of {counted(of.rows, 'row')}"
    if of.others:
        yield f"{counted(of.others, 'outcome')} left out: of requests that this log does not hold"
    if of.disputed:
        yield f"outcomes of {counted(of.disputed, 'request')} left out: they contradict each other"
    if of.reused:
        yield (
            f"{counted(of.reused, 'outcome')} left out: callers gave one id to several requests, "
            "so nobody knows of which they are"
        )
    if of.several:
        yield (
            f"{counted(of.several, 'outcome')} left out: of requests of several rows; a column "
            f"{PLACE!r} would say of which, from 0"
        )
