"""How a difference is written: with its sign, and what is not zero does not look like it."""

import math

_DIGITS, _MOST = 4, 6


def digits(*values: float) -> int:
    """Return the decimals with which values are written beside each other.

    Four below ten and fewer for larger ones; up to six where one would look like zero.
    """
    known = [abs(value) for value in values if math.isfinite(value)]
    largest = max(known, default=0.0)
    found = max(_DIGITS - (math.floor(math.log10(largest)) if largest >= 1 else 0), 0)
    while found < _MOST and any(value and not round(value, found) for value in known):
        found += 1
    return found


def signed(value: float, decimals: int) -> str:
    """Write a number with its sign; zero has none."""
    text = f"{value:+,.{decimals}f}"
    return text if any(digit in "123456789" for digit in text) else text[1:]


def plain(value: float) -> str:
    """Write a size without a sign, as `difference` writes it."""
    return f"{abs(value):,.{digits(value)}f}"


def difference(value: float, low: float, high: float) -> str:
    """Write a difference and the ends of its interval, all of them with as many decimals."""
    decimals = digits(value, low, high)
    shown = (signed(it, decimals) for it in (value, low, high))
    return "{} ({} to {})".format(*shown)
