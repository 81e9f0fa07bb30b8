"""Intervals drawn with characters, for pages that are text."""

from collections.abc import Sequence

from .blocks import Span

_WIDTH = 33
_GROUND, _ZERO, _MARK, _REACH, _VALUE = "·┊┃─●"


def strips(spans: Sequence[Span]) -> list[str]:
    """Draw spans on a common scale: zero, each one's mark, its interval and its value."""
    places = [0.0, *(place for span in spans for place in span.known())]
    least, most = min(places), max(places)
    return [_strip(span, least, (most - least) or 1.0) for span in spans]


def _strip(span: Span, least: float, reach: float) -> str:
    def column(place: float) -> int:
        return round((place - least) / reach * (_WIDTH - 1))

    drawn = [_GROUND] * _WIDTH
    if span.low is not None and span.high is not None:
        for covered in range(column(span.low), column(span.high) + 1):
            drawn[covered] = _REACH
    drawn[column(0.0)] = _ZERO
    for place, sign in ((span.mark, _MARK), (span.value, _VALUE)):
        if place is not None:
            drawn[column(place)] = sign
    return "".join(drawn)
