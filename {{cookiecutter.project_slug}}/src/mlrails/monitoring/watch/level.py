"""What to do where only the level has moved, and from when on a training can learn of it.

A level is learnt of the rows before the test rows, which are the newest ones. What began among
these it cannot know: it would be moved towards what was before, and be further off.
"""

from datetime import date, timedelta

import numpy as np

from ...core.config import Period
from ...core.params import Params
from ...data import splits

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

    That is today's newest where they are already; None where parts are not made by time.
    """
    split = params.split
    if not (isinstance(split.validation, Period) and isinstance(split.test, Period)):
        return None
    final = split.final if isinstance(split.final, Period) else None
    day = np.array([np.datetime64(since)])
    for more in range(_FARTHEST):
        last = newest + timedelta(days=more)
        (part,) = splits.by_time(day, last, split.validation, split.test, final)
        if part not in {"test", splits.FINAL}:
            return last
    return None
