"""What a cell of text says as a value: one grammar for the rows of files and of requests.

The patterns are in ASCII, and mean the same to Python, to Arrow and to OpenAPI.
"""

import re

BLANKS = " \t"
"""What may stand around a number."""
MISSING = "[+-]?[nN][aA][nN]"
"""How data frames write a number that is missing."""
_DIGITS = r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
NUMBER = f"[+-]?({_DIGITS}|[iI][nN][fF]([iI][nN][iI][tT][yY])?)"
WHOLE = "-?[0-9]{1,19}"

_YEAR = "[1-9][0-9]{3}"
_LEAP = "([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
_DAY = "(0[1-9]|1[0-9]|2[0-8])"
_LONGER = "(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31"
_DATE = f"({_YEAR}-((0[1-9]|1[0-2])-{_DAY}|{_LONGER})|{_LEAP}-02-29)"
TIME = _DATE + r"[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
"""Of days that there are: no parser refuses what it takes."""
NO_TIME = "is no date and time without a zone, as 2030-01-07T08:00:00"
MICROSECONDS = len("2030-01-07T08:00:00.000000")
"""Letters of a time that count; the rest is finer than a model's times."""

_BOOLEANS = {"true": True, "false": False}
_LEAST, _MOST = -(2**63), 2**63 - 1


def numeral(decimal: str, thousands: str) -> str:
    """Return the pattern of numbers with these marks before decimals and between thousands."""
    mark, point = re.escape(thousands), re.escape(decimal)
    digits = f"([0-9]+|[0-9][0-9]?[0-9]?({mark}[0-9][0-9][0-9])+)" if mark else "[0-9]+"
    return rf"[+-]?({digits}({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?"


def number(cell: str) -> float | str | None:
    """Return the number that a cell says, None for NaN; what is none stays text."""
    said = cell.strip(BLANKS)
    if re.fullmatch(MISSING, said):
        return None
    return float(said) if re.fullmatch(NUMBER, said) else cell


def whole(cell: str) -> int | str | None:
    """Return the whole number of 64 bits that a cell says, None for NaN; else the text."""
    said = cell.strip(BLANKS)
    if re.fullmatch(MISSING, said):
        return None
    found = int(said) if re.fullmatch(WHOLE, said) else None
    return found if found is not None and _LEAST <= found <= _MOST else cell


def boolean(cell: str) -> bool | str:
    """Return what a cell says; what is neither true nor false stays text."""
    return _BOOLEANS.get(cell.lower(), cell)


def is_time(cell: str) -> bool:
    """Tell whether a cell says a date and a time, without a zone."""
    return re.fullmatch(TIME, cell) is not None
