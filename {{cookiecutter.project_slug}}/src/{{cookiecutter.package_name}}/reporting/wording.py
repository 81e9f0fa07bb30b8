"""Numbers, days and names in plain words."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

Found = Mapping[str, Any]
"""What `steps/evaluate.py` has found, as plain values; a figure that is not known is None."""

UNKNOWN = "–"

_LONGEST_NAME = 40
_PROPER = ("Brier", "R²")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)  # strftime's depend on the locale


def number(value: float | None, digits: int) -> str:
    """Write a number with so many decimals, a dash where it is not known."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def decimals(scale: float | None) -> int:
    """Return the decimals that show about three digits of numbers of this size."""
    if not scale:
        return 3
    size = math.floor(math.log10(abs(scale)))
    return min(max(3 - size if size >= 0 else 2 - size, 0), 6)


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share as a percentage."""
    return UNKNOWN if share is None else f"{number(100 * share, digits)}%"


def interval(figure: Found, digits: int) -> str:
    """Write the ends of an interval, a dash where there is none."""
    if figure["low"] is None:
        return UNKNOWN
    return f"{number(figure['low'], digits)} to {number(figure['high'], digits)}"


def with_interval(figure: Found, digits: int) -> str:
    """Write a value and its interval in brackets."""
    value = number(figure["value"], digits)
    return value if figure["low"] is None else f"{value} ({interval(figure, digits)})"


def period(part: Found) -> str:
    """Write ` from … to …` for the rows of a part; empty where they carry no time."""
    if part["from"] is None:
        return ""
    first, last = (date.fromisoformat(part[end]) for end in ("from", "to"))
    if first == last:
        return f" of {_day(last)}"
    start = _day(first).removesuffix(f" {last.year}")
    return f" from {start} to {_day(last)}"


def drawn(found: Found) -> str:
    """Return what intervals are drawn of: days, or rows where nothing tells a row's day."""
    return "rows" if found["parts"]["test"]["days"] is None else "days"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def rows(part: Found) -> str:
    """Write how many rows a part has, and of when."""
    return f"{part['rows']:,} rows{period(part)}"


def listed(words: Sequence[str]) -> str:
    """Write words with commas and an "and"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """Write the first letter as a capital."""
    return text[:1].upper() + text[1:]


def within(title: str) -> str:
    """Write a title as it stands within a sentence."""
    return title if title.startswith(_PROPER) else title[:1].lower() + title[1:]


def name(text: str, longest: int = _LONGEST_NAME) -> str:
    """Make a name from the data fit to be shown: printable, and not too long."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text) or "(empty)"
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
