"""What the page shows of an explanation: a bar for each column that counts."""

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from ...explaining.explanation import Contribution, Explanation, most

_SHOWN = 8
_LEAST = 1e-9


def section(found: Explanation, said: Callable[[Any], str]) -> str:
    """Return the part of the page that tells why; `said` puts a value into words."""
    told, rest = most(found.contributions, _SHOWN)
    largest = max((abs(it.contribution) for it in told), default=0.0) or 1.0
    lines = [_line(it, largest, said) for it in told if abs(it.contribution) > _LEAST]
    if others := len(found.contributions) - len(told):
        lines.append(_row(f"{others} more columns", "", _bar(rest, largest), rest))
    return (
        '<section class="why"><h2>Why this prediction</h2>'
        f"<p>Typical rows have {escape(found.output)} <b>{found.base:.4g}</b> on the mean. These "
        f"values move it to <b>{found.prediction:.4g}</b>:</p>"
        f"<table>{''.join(lines)}</table>{''.join(_notes(found))}</section>"
    )


def _line(it: Contribution, largest: float, said: Callable[[Any], str]) -> str:
    value = "missing" if it.value is None else said(it.value)
    return _row(it.column, value, _bar(it.contribution, largest), it.contribution)


def _row(name: str, value: str, bar: str, moved: float) -> str:
    return (
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td>"
        f'<td class="bar">{bar}</td><td class="moved">{moved:+.3g}</td></tr>'
    )


def _bar(moved: float, largest: float) -> str:
    """Return a bar to the right of the middle of what moves up, to the left of what moves down."""
    width = min(50.0, abs(moved) / largest * 50)
    side = "up" if moved > 0 else "down"
    start = 50.0 if moved > 0 else 50 - width
    return f'<i class="{side}" style="left:{start:.1f}%;width:{width:.1f}%"></i>'


def _notes(found: Explanation) -> Iterator[str]:
    for it in found.outside:
        yield f'<p class="fault"><b>{escape(it.column)}</b> {escape(it.reason)}.</p>'
    if found.outside:
        yield '<p class="fault">There the model guesses, and so does this explanation.</p>'
    error = max((it.error for it in found.contributions), default=0.0)
    if error > _LEAST:
        yield f"<p>Estimated: each bar is right to about ±{2 * error:.1g}.</p>"
