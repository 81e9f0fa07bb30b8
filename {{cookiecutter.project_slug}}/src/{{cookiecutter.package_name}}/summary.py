"""The figures in a few lines for a terminal."""

from collections.abc import Mapping
from typing import Any

from . import data
from .console import table


def of(found: Mapping[str, Any]) -> str:
    """Return the model's figures on the test rows beside the best baseline's, as a text table."""
    about = found["parts"]["test"]
    period = f", {about['from']} to {about['to']}" if about["from"] else ""
    rows = [_row(name, metric) for name, metric in found["test"].items()]
    header = ("test", "model", f"{found['confidence']:.0%} interval", "best baseline", "gain")
    return (
        f"\n{table(header, rows)}\n\n"
        f"{about['rows']:,} test rows{period}; model {found['digest'][:12]}\n"
        f"report: {data.REPORT}"
    )


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
        f"{_number(gain['value'], '+')} ({_number(gain['low'])} to {_number(gain['high'])})",
    )


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.4f}"
