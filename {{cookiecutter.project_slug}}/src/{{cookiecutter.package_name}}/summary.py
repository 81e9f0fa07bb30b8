"""The figures in a few lines for a terminal."""

from collections.abc import Mapping
from typing import Any

from . import formats
from .console import table
from .layout import Part


def figures_table(found: Mapping[str, Any], part: Part = "test", report: str | None = None) -> str:
    """Return the model's figures on the rows of a part beside the best baseline's, as a table.

    `report` is where the report of this model is, where it is to be had.
    """
    about = found["parts"][part]
    period = f", {about['from']} to {about['to']}" if about["from"] else ""
    rows = [_row(name, metric) for name, metric in found[part].items()]
    header = (part, "model", f"{found['confidence']:.0%} interval", "best baseline", "gain")
    told = f"{about['rows']:,} {part} rows{period}; model {found['digest'][:12]}"
    where = f"\nreport: {report}" if report else ""
    return f"\n{table(header, rows)}\n\n{told}{where}"


def _row(name: str, metric: Mapping[str, Any]) -> tuple[str, ...]:
    model = metric["models"]["model"]
    gains = metric["gains"]
    best = min(gains, key=lambda name: (gains[name]["value"] is None, gains[name]["value"] or 0))
    gain = gains[best]
    return (
        name,
        _number(model["value"]),
        f"{_number(model['low'])} to {_number(model['high'])}",
        f"{_number(metric['models'][best]['value'])} ({best})",
        _gain(gain),
    )


def _gain(gain: Mapping[str, float | None]) -> str:
    value, low, high = gain["value"], gain["low"], gain["high"]
    if value is None:
        return "–"
    if low is None or high is None:
        return formats.signed(value, formats.digits(value))
    return formats.difference(value, low, high)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
