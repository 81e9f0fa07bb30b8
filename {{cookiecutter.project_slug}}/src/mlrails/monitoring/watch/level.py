"""What to do where only the level has moved, and from when on a training can learn of it.

A level is learnt of the rows before the test rows, which are the newest ones that count. What began
among these it cannot know: it would be moved towards what was before, and be further off.
"""

from datetime import date, timedelta

import numpy as np

from ...core.config import Period
from ...core.params import Params
from ...data import splits
from ..until import moved_on

_FARTHEST = 3660
"""Days: no test rows are of a longer time."""


def remedy(advice: str, since: date, newest: date, params: Params) -> str:
    """Return what to do about a level that moved on a day; `advice` is it where rows tell of it."""
    first = learnt_from(since, newest, params)
    if first is None or first <= newest:
        return advice
    return (
        "rows are still put in the right order, so what is off is the level. It began among the "
        "newest rows, which a training keeps for its test ('split.test'): "
        f"`nox -s retrain -- --recalibrate` learns of it once there are rows up to {first}, if it "
        "lasts; before, it would learn what was"
    )


def learnt_from(since: date, newest: date, params: Params) -> date | None:
    """Return the first day up to which there must be rows, so that those of `since` are learnt of.

    Of the rows that are there a training counts those of whole months, and those whose outcomes are
    known, as `retrain` does. It is today's newest day where they are learnt of already; None where
    parts are not made by time.
    """
    split, before = params.split, params.data.until
    if not (isinstance(split.validation, Period) and isinstance(split.test, Period)):
        return None
    final = split.final if isinstance(split.final, Period) else None
    day = np.array([np.datetime64(since)])
    for more in range(_FARTHEST):
        there = newest + timedelta(days=more)
        last = moved_on(before, there, params.monitor.wait) if before else there
        (part,) = splits.by_time(day, last, split.validation, split.test, final)
        if part in {"train", "validation"}:
            return there
    return None
