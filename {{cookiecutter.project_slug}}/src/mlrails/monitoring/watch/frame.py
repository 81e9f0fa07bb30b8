"""Rows of all days in one frame: what the champion is known by, and what has come since.

History is the raw table of the project. New rows are those of it that came after the champion's
own, or a file, which takes the place of the raw table from its first day on. A column of the file
that is missing or of another kind is no reason to stop: it is what a monitor is there to say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core import layout
from ...core.errors import UsageError
from ...core.params import FILE, Params
from ...data import frames, parquet, splits
from ...data.reading import Reading
from ...data.schema import DTYPES, Column
from ..invariants import Fault, Kind
from . import given as new_rows
from . import period
from .period import Known, Order
from .requests import ANSWER, Log

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Frame:
    """Rows of all days, in order of time, with what was found when they were read."""

    rows: "pd.DataFrame"
    columns: Sequence[Column]
    """What is watched of them."""
    day: np.ndarray
    """(rows,), counted from `first`."""
    first: date
    days: int
    known: int
    """The first day that is looked at."""
    known_to: date
    """The last day that the model is known by."""
    held_out: np.ndarray
    has_target: bool
    is_new: bool
    """Whether what is looked at came after the model; else only rows are, and no outcomes."""
    faults: Sequence[Fault] = ()
    lacking: Sequence[str] = ()
    """Columns that new rows lack, or have as something else."""
    notes: Sequence[str] = ()
    are_requests: bool = False
    not_kept: frozenset[str] = frozenset()
    """Columns that the model takes, and that the server of the new rows has not kept."""

    def day_of(self, when: date) -> int:
        """Return the number of a day."""
        return (when - self.first).days


@dataclass(frozen=True)
class Wanted:
    """What is read: the params, the schema by name, and the columns that the model takes."""

    params: Params
    columns: Mapping[str, Column]
    inputs: Sequence[str]
    how: Reading | None = None
    """How `source.py` says that files are written, where that can be told."""

    @property
    def time(self) -> Column:
        """The column that says when a row is of; raises UsageError where there is none."""
        name = self.params.data.time
        if name is None or name not in self.columns:
            raise UsageError(
                f"{FILE}: 'data.time' names no column, so nobody can tell which rows came later; "
                "name one to watch the model"
            )
        return self.columns[name]

    @property
    def target(self) -> Column:
        """The column that says what came."""
        return self.columns[self.params.data.target]

    @property
    def others(self) -> list[Column]:
        """The columns that are read beside it: features, slices, groups and the target."""
        data = self.params.data
        group = [data.group] if data.group else []
        named = [*self.inputs, *self.params.evaluation.slices, *group, data.target]
        return [
            self.columns[it]
            for it in dict.fromkeys(named)
            if it in self.columns and it != self.time.name
        ]


def read(root: Path, wanted: Wanted, model: Known, asked: Order, log: Log | None = None) -> Frame:
    """Read history and new rows; raises UsageError where there is no time, or nothing at all.

    Rows of a `log` take the place of a file; they have what the model takes, and nothing more.
    """
    time, target = wanted.time, wanted.params.data.target
    comes = asked.data is not None or log is not None
    raw = parquet.read(root / layout.RAW)
    raw, model, asked = _unopened(raw, wanted, model, asked, comes=comes)
    given, not_kept = _given(root, wanted, asked, log)
    parts, lacking = _typed(raw, given, time, wanted.others, asked.data or "")
    if log is not None:
        lacking = {it: kind for it, kind in lacking.items() if it in {*wanted.inputs, target}}
        parts[1] = parts[1].join(log.rows.filter(regex=f"^{re.escape(ANSWER)}"))
    lacking |= {it: Kind.GONE for it in wanted.inputs if it not in wanted.columns}
    placed = period.together(parts[0], parts[1] if comes else None, time.name, model, asked)
    rows, found = placed.rows, _placed(placed.rows, time.name, model, asked)
    left_out = {*lacking, *wanted.params.monitor.ignore, *not_kept}
    watched = [it for it in wanted.others if it.name in wanted.inputs and it.name not in left_out]
    return replace(
        found,
        columns=watched,
        held_out=_held_out(rows, found, wanted.params, model),
        has_target=target not in lacking,
        faults=list(_faults(lacking, target, found, {time.name: placed.untimed})),
        lacking=[it for it in lacking if it != target],
        notes=[
            *(log.notes if log else ()),
            *placed.notes,
            *_notes(_more(given, wanted.columns), lacking.get(target), found, model),
        ],
        are_requests=log is not None,
        not_kept=not_kept,
    )


def _given(
    root: Path, wanted: Wanted, asked: Order, log: Log | None
) -> tuple["pd.DataFrame | None", frozenset[str]]:
    """Return new rows, and which columns of the model's they have not, as they were not kept."""
    if log is not None:
        not_kept = log.left_out & {*wanted.inputs}
        return frames.having(log.rows, dict.fromkeys(not_kept)), not_kept
    if asked.data is None:
        return None, frozenset()
    columns, time = [wanted.time, *wanted.others], wanted.time.name
    given = new_rows.read(asked.data, columns, [time], wanted.how, root)
    _check_time(given, time, asked.data)
    return given, frozenset()


def _unopened(
    raw: "pd.DataFrame", wanted: Wanted, model: Known, asked: Order, comes: bool
) -> tuple["pd.DataFrame", Known, Order]:
    """Leave out the rows that are kept for the end, and look at no day that was theirs.

    They follow the model's own days, so that looking begins after them. Where the window has moved
    on since, rows that came before them are new; what comes from elsewhere is later in any case.
    """
    params, kept = wanted.params, splits.final(raw, wanted.params)
    seen = splits.seen(raw, params)
    if kept.empty or params.split.by != "time":
        return seen, model, asked
    times = kept[wanted.time.name]
    before, last = times.min().date() - timedelta(days=1), times.max().date()
    if comes or before <= model.last:
        return seen, replace(model, last=max(model.last, last)), asked
    return seen, model, replace(asked, until=min(asked.until or before, before))


def _check_time(given: "pd.DataFrame", time: str, data: str) -> None:
    if time not in given:
        raise UsageError(f"{data}: the column {time!r} is missing, which says when a row is of")
    if given.empty:
        raise UsageError(f"{data}: has no rows; name a file that has some")


def _more(given: "pd.DataFrame | None", known: Mapping[str, Column]) -> list[str]:
    names = set() if given is None else set(map(str, given.columns)) - set(known)
    return sorted(it for it in names if not it.startswith("("))  # A log's own are in brackets.


def _typed(
    raw: "pd.DataFrame",
    given: "pd.DataFrame | None",
    time: Column,
    wanted: Sequence[Column],
    data: str,
) -> tuple["list[pd.DataFrame]", dict[str, Kind]]:
    """Return the rows of both, of their kinds, and which columns the new ones lack, and why."""
    import pandas as pd

    tables, lacking = [raw] if given is None else [raw, given], dict[str, Kind]()
    found = []
    for table, where in zip(tables, (str(layout.RAW), data), strict=False):
        made = {time.name: _column(table, time, where)}
        for column in wanted:
            if column.name not in table:
                lacking[column.name] = Kind.GONE
                continue
            try:
                made[column.name] = _column(table, replace(column, nullable=True), where)
            except UsageError:
                lacking[column.name] = Kind.TYPE
        found.append(pd.DataFrame(made))
    return [it.drop(columns=[*lacking], errors="ignore") for it in found], lacking


def _column(table: "pd.DataFrame", column: Column, where: str) -> "pd.Series[Any]":
    """Return a column as `schema.py` has it; raises UsageError where it is of another kind."""
    import pandas as pd

    given = table[column.name]
    if given.dtype == pd.api.types.pandas_dtype(DTYPES[column.kind]):
        return given
    typed: pd.Series[Any] = frames.typed(table[[column.name]], [column], where)[column.name]
    return typed.set_axis(table.index)


def _placed(rows: "pd.DataFrame", time: str, model: Known, asked: Order) -> Frame:
    """Number the days of the rows, and find the first one that is looked at."""
    when = rows[time].to_numpy().astype("datetime64[D]")
    day = (when - when[0]).astype(np.int64)
    first, last = when[0].item(), asked.until or when[-1].item()
    is_new = asked.since is None or asked.since > model.last
    known = (model.last - first).days + 1 if is_new else ((asked.since or first) - first).days
    days = max((last - first).days, int(day[-1])) + 1
    nobody = np.zeros(len(rows), bool)
    place = min(max(known, 0), days)
    return Frame(rows, (), day, first, days, place, model.last, nobody, False, is_new)


def _faults(
    lacking: Mapping[str, Kind], target: str, found: Frame, empty: Mapping[str, int]
) -> Iterator[Fault]:
    count, last = int(np.sum(found.day >= found.known)), max(found.days - 1, found.known)
    for name, kind in lacking.items():
        if name != target or kind is Kind.TYPE:  # An outcome that is missing may come yet.
            yield Fault(kind, name, found.known, last, count)
    for name, rows in empty.items():
        if rows:
            yield Fault(Kind.EMPTY, name, found.known, last, rows)


def _notes(more: Sequence[str], target: Kind | None, found: Frame, model: Known) -> Iterator[str]:
    if found.known >= found.days:
        yield f"no row is of a day after {model.last}, so there is nothing to look at yet"
    if more:
        yield f"new columns, which nobody looks at: {', '.join(more)}"
    if target is Kind.GONE:
        yield "the new rows carry no outcome, so only rows and predictions are looked at"
    if target is Kind.TYPE:
        yield (
            "the outcomes of the new rows are not what schema.py says, so only rows and "
            "predictions are looked at"
        )
    if not found.is_new:
        yield (
            "the days that are asked for are among those that the model is known by, so only their "
            "rows are looked at, and not how good it is"
        )


def _held_out(rows: "pd.DataFrame", found: Frame, params: Params, model: Known) -> np.ndarray:
    """Return which rows (rows,) the model was judged by, and has not learnt of."""
    until: np.ndarray = found.day <= found.day_of(model.last)
    if params.split.by == "time" or params.data.target not in rows:
        until &= found.day > found.day_of(model.learnt)
        return until
    held_out = np.zeros(len(rows), bool)
    if params.split.by == "group" and params.data.group not in rows:
        return held_out
    held_out[np.flatnonzero(until)[splits.label(rows[until], params) == "test"]] = True
    return held_out
