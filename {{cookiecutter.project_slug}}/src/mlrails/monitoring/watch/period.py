"""Which rows are looked at, by the days that they are of.

New ones are those after the days that a model is known by. One stray time, a year that somebody
mistyped, must not move the window of the whole report, nor put years without rows into it: what
lies far from all others is left out, and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import UsageError, counted

if TYPE_CHECKING:
    import pandas as pd

FAR = 400
"""Days without any row, after which a row is a slip: as long as one of a log may be ahead."""


@dataclass(frozen=True)
class Order:
    """What is asked for: a file of new rows, and from when to when."""

    data: str | None = None
    since: date | None = None
    until: date | None = None
    outcomes: str | None = None
    """A file of outcomes, by the ids of requests."""


@dataclass(frozen=True)
class Known:
    """The last day that a model is known by, as its report says, and the last it has learnt of."""

    last: date
    learnt: date

    @classmethod
    def of(cls, figures: Mapping[str, Any] | None) -> "Known":
        """Read them from what was found of the model; raises UsageError where it has no days."""
        parts = (figures or {}).get("parts", {})
        ends = {name: date.fromisoformat(it["to"]) for name, it in parts.items() if it.get("to")}
        learnt = [ends[name] for name in ("train", "validation") if name in ends]
        if not learnt or "test" not in ends:
            raise UsageError(
                "the report of the model does not say of which days its rows are, so nobody knows "
                "which came after them; train it again with a column in 'data.time'"
            )
        return cls(max(ends.values()), max(learnt))

    def first(self, asked: Order) -> date:
        """Return the first day whose rows are new, or that is asked for among those before."""
        after = self.last + timedelta(days=1)
        return min(asked.since, after) if asked.since else after


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of all days, in order of time, and what had to be left out."""

    rows: "pd.DataFrame"
    untimed: int = 0
    """New rows that do not say when they are of."""
    notes: Sequence[str] = field(default_factory=list)


def together(
    history: "pd.DataFrame",
    given: "pd.DataFrame | None",
    time: str,
    model: Known,
    asked: Order,
) -> Rows:
    """Return history up to the first day of the new rows, and these.

    Raises UsageError where no row is of the days that are asked for.
    """
    import pandas as pd

    first = model.first(asked)
    parts, notes, untimed = [history[history[time].notna()]], list[str](), 0
    if given is not None:
        timed = given[given[time].notna()]
        new = _new(timed, time, first, str(asked.data))
        untimed, old = len(given) - len(timed), len(timed) - len(new)
        if old:
            notes.append(
                f"{counted(old, 'row')} of {asked.data} left out: of days before {first}, of which "
                "the raw rows are taken"
            )
        parts = [parts[0][parts[0][time] < new[time].min().normalize()], new]
    rows = pd.concat(parts, ignore_index=True).sort_values(time, kind="stable", ignore_index=True)
    near = _near(rows[time], first)
    if far := int(len(near) - near.sum()):
        notes.append(
            f"{counted(far, 'row')} left out: no other row is within {FAR} days, so the time is a "
            "slip"
        )
    return Rows(_asked(rows[near], time, model, asked), untimed, notes)


def _new(given: "pd.DataFrame", time: str, first: date, data: str) -> "pd.DataFrame":
    """Return the rows of a file that are new; raises UsageError where none is."""
    import pandas as pd

    if given.empty:
        raise UsageError(f"{data}: the column {time!r}, which says when a row is of, is empty")
    new = given[given[time] >= pd.Timestamp(first)]
    if new.empty:
        raise UsageError(
            f"{data}: no row is of {first} or later, and what is before is known to the model; "
            "name --from to look at that"
        )
    return new


def _near(times: "pd.Series[pd.Timestamp]", first: date) -> np.ndarray:
    """Return which rows (rows,), in order of time, no long pause parts from the first new ones.

    A pause just before those is none: the model may be old.
    """
    days = times.to_numpy().astype("datetime64[D]")
    pauses = np.flatnonzero(np.diff(days) > np.timedelta64(FAR, "D")) + 1
    start = int(np.searchsorted(days, np.datetime64(first)))
    place = np.arange(len(days))
    begin = pauses[pauses < start].max(initial=0)
    end = pauses[pauses > start].min(initial=len(days))
    near: np.ndarray = (place >= begin) & (place < end)
    return near


def _asked(rows: "pd.DataFrame", time: str, model: Known, asked: Order) -> "pd.DataFrame":
    """Return the rows up to the last day; raises UsageError where there is none to look at."""
    import pandas as pd

    since, until, newest = asked.since, asked.until, rows[time].iloc[-1].date()
    if until and until > newest + timedelta(days=FAR):
        raise UsageError(f"--to {until}: the newest row is of {newest}; name a nearer day")
    if since and since > newest:
        raise UsageError(f"--from {since}: the newest row is of {newest}; name an earlier day")
    if not until:
        return rows
    found = rows[rows[time] < pd.Timestamp(until) + pd.Timedelta(days=1)].reset_index(drop=True)
    if found.empty:
        raise UsageError(f"no row is of {until} or before; choose a later --to")
    if not since and until <= model.last:
        raise UsageError(
            f"--to {until}: the model is known by rows up to {model.last}; name a later day, or "
            "--from to look at those"
        )
    return found
