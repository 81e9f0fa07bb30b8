"""Which days are looked at together, what they are held against, and how sure an alarm must be.

Windows stand on a grid that begins on the day after those that the model is known by, so a window
is the same one in each later run. A budget of false alarms a year gives the error of one look.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..core.params import Monitor
from ..data.arrays import Vector
from .days import Runs

TRAILING = 56
"""Days that a window is held against: eight weeks, in which no season goes by."""
LEAST_PAST = 19
"""With fewer past windows an error of 5 % cannot be told from one of nothing."""
_YEAR = 365
_OF_ROWS, _OF_OUTCOMES = 2 / 3, 1 / 3
"""The shares of the budget: false alarms of rows and predictions, and those of outcomes."""


@dataclass(frozen=True)
class Plan:
    """How days are looked at: the length of a window, and the errors that a look may make."""

    length: int
    rows: int
    error: float
    """The chance that a look at a window's rows alarms where nothing has changed."""
    error_of_outcomes: float
    """The same of a look at the outcomes that have come."""
    merged: int = 1
    """How many windows of the params are one, since each alone has too few rows."""

    @property
    def trailing(self) -> int:
        """The days that a window is held against."""
        return max(TRAILING, 2 * self.length)

    @property
    def past(self) -> int:
        """How many past windows it takes to say anything at this error."""
        return max(LEAST_PAST, math.ceil(1 / self.error) - 1)


def plan(rules: Monitor, rows: Vector, known: int) -> Plan:
    """Return how to look at days with so many rows (days,), the first `known` of them before.

    Windows that are too small are put together: the shares of 50 rows differ by chance alone.
    """
    length = rules.days
    usual = rows[:known] if known else rows
    there = usual[usual > 0]
    in_window = float(usual.sum()) / max(len(usual), 1) * length if len(there) else 0.0
    merged = max(math.ceil(rules.rows / in_window), 1) if in_window else 1
    looks = _YEAR / (length * merged)
    each = rules.false_alarms / looks
    return Plan(
        length * merged,
        rules.rows,
        min(_OF_ROWS * each, 0.5),
        min(_OF_OUTCOMES * each, 0.5),
        merged,
    )


def grid(days: int, anchor: int, how: Plan) -> Runs:
    """Return all whole windows among days from 0, in order; one of them begins at the anchor.

    Those that have not all that they are held against before them are left out.
    """
    first = anchor % how.length
    starts = np.arange(first, days - how.length + 1, how.length)
    starts = starts[starts >= how.trailing + how.length]
    return np.stack([starts, starts + how.length], axis=1).astype(np.int64).reshape(-1, 2)


def before(windows: Runs, how: Plan) -> Runs:
    """Return the days that each window is held against: those before the window before it.

    A change that begins within a window would else stand among the days that the next one, the
    first that it fills, is held against.
    """
    last = windows[:, 0] - how.length
    return np.stack([last - how.trailing, last], axis=1)


def within(reference: Runs, how: Plan) -> Runs:
    """Return every run as long as a window among the days that it is held against, (1, 2)."""
    first = np.arange(int(reference[0, 0]), int(reference[0, 1]) - how.length + 1)
    return np.stack([first, first + how.length], axis=1).astype(np.int64)
