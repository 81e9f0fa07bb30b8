"""All that is looked at, in one go: rows and outcomes in, alarms and their figures out.

How changed rows are told is in `drift` and `invariants`, how changed outcomes are in `performance`;
this only brings them together. Nothing here knows of files, of a clock or of a model's code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.params import Monitor, Task
from ..data.schema import Column
from ..evaluation import outcomes
from ..evaluation.metrics import Metric
from ..modeling.classes import Classes
from . import alarms, days, drift, invariants, performance, where, windows
from .alarms import Alarm
from .days import Daily, Runs
from .drift import Look
from .estimate import Record
from .invariants import Fault
from .performance import Known, OutcomeLook, Window
from .windows import Plan

if TYPE_CHECKING:
    import pandas as pd

PREDICTION, CONFIDENCE = "(prediction)", "(its probability)"
"""What the model's own columns are called; no column of a table is in brackets by chance."""
PREDICTIONS = (PREDICTION, CONFIDENCE)


@dataclass(frozen=True, eq=False)
class Material:
    """Rows of all days, before and after those that the model is known by, in any order.

    Columns that a file lacks, or that are of another kind, are not among the rows: they are faults.
    """

    rows: "pd.DataFrame"
    columns: Sequence[Column]
    """What is watched of them."""
    day: days.Days
    days: int
    known: int
    """The first day after those that the model is known by."""
    score: np.ndarray | None = None
    target: np.ndarray | None = None
    """(rows,) as metrics take it, NaN where it is not known; None where no outcome ever comes."""
    held_out: np.ndarray | None = None
    classes: Classes = ()
    slices: Sequence[str] = ()
    faults: Sequence[Fault] = ()
    """What was found when the rows were read."""
    are_requests: bool = False
    """Whether new rows are what a server was asked: their number says nothing of the source."""


@dataclass(frozen=True)
class Question:
    """What is asked of the rows."""

    task: Task
    metric: Metric
    rules: Monitor
    seed: int
    first: int | None = None
    """The first day whose alarms count; by default that of the last whole window."""
    in_public: bool = False
    """Whether no value of a row may be told but those of slices, which the gate tells as well."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What was found."""

    how: Plan
    columns: Sequence[Daily]
    windows: Runs
    """Every whole window there is, those without a past as well."""
    looks: Sequence[Look]
    outcome_looks: Sequence[OutcomeLook]
    figures: Sequence[Window]
    record: Record | None
    faults: Sequence[Fault]
    alarms: Sequence[Alarm]
    """All of them, in order of time."""
    days: int
    first: int
    """The first day whose alarms count."""
    strangers: Mapping[str, tuple[Sequence[str], int]] = field(default_factory=dict)
    """Categories that came after the reference, and in how many rows."""

    @property
    def standing(self) -> list[Alarm]:
        """The alarms that count."""
        return [it for it in self.alarms if it.until >= self.first]

    @property
    def is_told(self) -> bool:
        """Whether any look at the days that count could tell anything."""
        rows = [it.alarm for it in self.looks if it.end > self.first]
        outcomes = [it.alarm for it in self.outcome_looks if it.end > self.first]
        return any(it is not None for it in (*rows, *outcomes))


def survey(of: Material, asked: Question) -> Survey:
    """Look at all whole windows, and at all days for what is wrong at once."""
    columns = list(_columns(of))
    rows = np.bincount(of.day, minlength=of.days).astype(np.float64)
    how = windows.plan(asked.rules, rows, of.known)
    every = _every(of, how)
    looks = drift.look(columns, how, of.days, of.known)
    faults = [*of.faults, *_faults(of, asked, columns, rows, how)]
    known = _known(of, asked)
    every_look = performance.look(known, every, how, asked.seed) if known else []
    figures = performance.figures(known, every) if known else []
    found = Survey(
        how,
        columns,
        every,
        looks,
        every_look if of.target is not None else [],
        figures,
        performance.record(figures),
        faults,
        (),
        of.days,
        _first(of, asked, every),
        {name: (names, count) for name, names, count in invariants.unknown(columns, of.known)},
    )
    return replace(found, alarms=sorted(_alarms(of, asked, found), key=lambda it: it.since))


def _every(of: Material, how: Plan) -> Runs:
    starts = np.arange(of.known % how.length, of.days - how.length + 1, how.length)
    return np.stack([starts, starts + how.length], axis=1).astype(np.int64).reshape(-1, 2)


def _first(of: Material, asked: Question, every: Runs) -> int:
    """Return the first day whose alarms count: that of the last whole window, if not asked for."""
    if asked.first is not None:
        return asked.first
    new = every[every[:, 0] >= of.known]
    return int(new[-1, 0]) if len(new) else of.known


def _columns(of: Material) -> Iterator[Daily]:
    """Yield each watched column by day, and what the model says of the rows."""
    place = of.day, of.days
    for column in of.columns:
        values = of.rows[column.name]
        if column.kind == "category":
            yield days.category(column.name, values, *place, column.nullable)
        elif column.kind in ("number", "boolean"):
            numbers = values.to_numpy(np.float64, na_value=np.nan)
            limits = column.minimum, column.maximum
            yield days.number(
                *(column.name, numbers, *place, of.known), limits=limits, nullable=column.nullable
            )
    if of.score is None:
        return
    if of.classes:
        import pandas as pd

        likeliest = pd.Series(np.array(of.classes, dtype=object)[of.score.argmax(axis=1)])
        yield days.category(PREDICTION, likeliest, *place)
        yield days.number(CONFIDENCE, of.score.max(axis=1), *place, of.known)
    else:
        yield days.number(PREDICTION, of.score, *place, of.known)


def _faults(
    of: Material, asked: Question, columns: Sequence[Daily], rows: np.ndarray, how: Plan
) -> Iterator[Fault]:
    runs = invariants.units(rows, how.length, of.known)
    ours = [it for it in columns if it.name not in PREDICTIONS]
    yield from invariants.of_columns(ours, runs, of.known)
    if not of.are_requests:
        yield from invariants.of_volume(rows, of.known)
    # Callers' outcomes come when they come, where nobody has said how long they take.
    if of.target is not None and (asked.rules.horizon or not of.are_requests):
        told = days.number("outcome", of.target, of.day, of.days, of.known)
        yield from invariants.late(told, of.known, of.days - asked.rules.wait)


def _known(of: Material, asked: Question) -> Known | None:
    if of.score is None:
        return None
    target = of.target if of.target is not None else np.full(len(of.day), np.nan)
    held_out = of.held_out if of.held_out is not None else np.zeros(len(of.day), bool)
    due = of.days - asked.rules.wait
    return Known(
        *(asked.task, asked.metric, of.day, of.score, target, held_out),
        of.days,
        of.known,
        due,
    )


def _alarms(of: Material, asked: Question, found: Survey) -> Iterator[Alarm]:
    yield from alarms.of_faults(found.faults)
    for look, since in drift.since(found.looks):
        yield alarms.of_look(look, since, PREDICTIONS, _where(of, asked, found, look))
    began = None
    for told in found.outcome_looks:
        began = (told.start if began is None else began) if told.alarm else None
        if began is not None:
            yield alarms.of_outcomes(told, began, _where_of_outcomes(of, told))


def _where(of: Material, asked: Question, found: Survey, look: Look) -> str:
    """Return between which values, and in which slice, the farthest mover has moved."""
    name = look.movers[0].measure.column
    now, before = np.array([[look.start, look.end]]), np.array([look.against])
    changes: Sequence[where.Shift] = ()
    if not asked.in_public or name in of.slices:
        column = next(it for it in found.columns if it.name == name)
        changes = where.shifts(column, now, before)
    slices = of.rows[[it for it in of.slices if it in of.rows]]
    masks = (_among(of, *it[0].tolist()) for it in (now, before))
    return alarms.in_words(where.slice_of(_values(of, name), slices, *masks), changes)


def _values(of: Material, name: str) -> "pd.Series[Any]":
    import pandas as pd

    if name not in PREDICTIONS:
        return of.rows[name]
    assert of.score is not None  # Its columns are made of it.
    if name == PREDICTION and of.classes:
        return pd.Series(np.array(of.classes, dtype=object)[of.score.argmax(axis=1)], name=name)
    return pd.Series(of.score if of.score.ndim == 1 else of.score.max(axis=1), name=name)


def _among(of: Material, start: int, end: int) -> np.ndarray:
    found: np.ndarray = (of.day >= start) & (of.day < end)
    return found


def _where_of_outcomes(of: Material, look: OutcomeLook) -> str:
    """Return the slice in which the mean prediction has left the mean outcome the farthest."""
    if of.score is None or of.target is None or of.held_out is None:
        return ""
    told = np.isfinite(of.target)
    start = look.start if look.strongest is look.alone else of.known
    now = told & _among(of, start, look.end)
    before = told & of.held_out & (of.day < of.known)
    plain = outcomes.plain(np.nan_to_num(of.target), of.score)
    slices = of.rows[[it for it in of.slices if it in of.rows]]
    found = where.slice_of_mean(plain.score - plain.target, slices, now, before)
    return alarms.in_words(found, ())
