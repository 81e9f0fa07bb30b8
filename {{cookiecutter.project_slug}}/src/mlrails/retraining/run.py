"""Move the window on, train, and hold the gate: each step does nothing where it is done already.

So a run that was killed goes on when it is run again. Nothing is promoted, registered, committed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from ..adopt.writing import params_file
from ..core import layout, params
from ..core.console import say
from ..core.errors import Exit, UsageError, counted
from ..core.params import FILE, Params
from ..core.settings import Settings
from ..data import parquet
from ..data.schema import Column
from ..evaluation.own import OwnMetric
from ..monitoring import until
from ..pipeline import run as pipeline
from . import level

_NEXT = {
    Exit.DONE: (
        f"commit {FILE} and what DVC has changed (`git commit --all`), and run `nox -s promote`, "
        "where the gate says promote"
    ),
    Exit.REJECT: f"nothing moves; `git checkout {FILE}` goes back to the rows before",
    Exit.UNDECIDED: "nothing moves until there are more rows; the same command asks again",
}


@dataclass(frozen=True)
class Order:
    """What is trained with, until when if a person says so, and what holds the gate."""

    columns: Sequence[Column]
    gate: Callable[[], Exit]
    own: Sequence[OwnMetric] = ()
    until: date | None = None
    recalibrate: bool = False
    """Whether the level of the scores is to be moved towards what came of the validation rows."""


@dataclass(frozen=True)
class _Days:
    """The days (rows,) of the rows that are there."""

    of_rows: np.ndarray = field(repr=False)

    @property
    def newest(self) -> date:
        found: date = self.of_rows.max().item()
        return found

    def between(self, before: date, last: date) -> int:
        """Return how many rows are after a day, up to another."""
        inside = (self.of_rows > np.datetime64(before)) & (self.of_rows <= np.datetime64(last))
        return int(np.sum(inside))


def retrain(settings: Settings, order: Order) -> Exit:
    """Take in what has come, train with it, and hold the gate; return the gate's answer.

    Raises UsageError where a day is asked for and nothing says when rows are of, and where the
    project's own files know nothing of a level that is asked for.
    """
    checked = params.load(settings.root)
    if order.recalibrate:
        level.check(settings.root / layout.CODE / settings.package)
    pipeline.bring(settings, order.columns, order.own, "ingest")
    say(f"retrain: {_move(settings, checked, order.until)}")
    if order.recalibrate:
        say(f"retrain: {level.ask(settings.root)}")
    pipeline.train(settings, order.columns, order.own)
    answer = order.gate()
    nearer = True
    if order.recalibrate:
        words, nearer = level.came(settings.root)
        say(f"retrain: {words}")
    if nearer:
        say(f"retrain: {_NEXT.get(answer, _NEXT[Exit.DONE])}")
    return answer


def _move(settings: Settings, checked: Params, asked: date | None) -> str:
    """Move the last day on in `params.yaml`, where it can be; return what was done, in words."""
    before = checked.data.until
    days = _days(settings, checked)
    if days is None or before is None:
        missing = "time" if days is None else "until"
        if asked:
            raise UsageError(
                f"--until {asked}: {FILE} has no 'data.{missing}', so all rows count; write it "
                "to say which do"
            )
        return f"{FILE} has no 'data.{missing}', so all rows count"
    after = (
        until.asked_for(before, days.newest, asked)
        if asked
        else until.moved_on(before, days.newest, checked.monitor.wait)
    )
    if after == before:
        return f"rows count up to {before} still; the newest is of {days.newest}"
    params_file.change(settings.root, [("data", "until", after.isoformat())])
    more = counted(days.between(before, after), "row")
    return f"rows count up to {after} now, not {before}: {more} more"


def _days(settings: Settings, checked: Params) -> _Days | None:
    """Return the days of the raw rows, or None where nothing says them."""
    if checked.data.time is None:
        return None
    rows = parquet.read(settings.root / layout.RAW)
    times = rows[checked.data.time].dropna().to_numpy()
    return _Days(times.astype("datetime64[D]")) if len(times) else None
