"""How far the last day that counts moves on: to the newest whose outcomes are all known."""

from datetime import date, timedelta

from ..core.errors import UsageError
from ..core.params import FILE

_DAY = timedelta(days=1)


def moved_on(until: date, newest: date, wait: int) -> date:
    """Return the last day that may count, which is never before the one that does.

    `newest` is the last day with rows, `wait` how many days outcomes take. What ends with a month
    ends with a month again, so that test rows stay whole months; else the newest day is left out,
    as it may not be over.
    """
    if not _ends_month(until):
        return max(until, newest - max(timedelta(days=wait), _DAY))
    known = newest - timedelta(days=wait)
    return max(until, known if _ends_month(known) else known.replace(day=1) - _DAY)


def _ends_month(day: date) -> bool:
    return (day + _DAY).day == 1


def asked_for(until: date, newest: date, day: date) -> date:
    """Return a day that a person names; raises UsageError where it moves nothing on."""
    if day < until:
        raise UsageError(
            f"--until {day}: rows up to {until} count already, and they only become more; write "
            f"'data.until' in {FILE} by hand to go back"
        )
    if day > newest:
        raise UsageError(f"--until {day}: the newest row is of {newest}; choose that or before")
    return day
