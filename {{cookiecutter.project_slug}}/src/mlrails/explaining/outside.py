"""Where a row lies outside what a model was trained on: there it guesses."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..modeling.examples import Typical
from ..modeling.signature import Field


class Outside(NamedTuple):
    """A column of a row whose value was hardly seen, and how so; the value is not quoted."""

    column: str
    reason: str


def outside(
    row: Mapping[str, Any], fields: tuple[Field, ...], typical: Typical
) -> tuple[Outside, ...]:
    """Return the columns of a row that lie outside, in order of the fields."""
    told = ((it.name, _reasons(row[it.name], it, typical.seen.get(it.name, {}))) for it in fields)
    return tuple(Outside(name, reason) for name, reasons in told for reason in reasons)


def _reasons(value: Any, field: Field, seen: Mapping[str, float]) -> Iterator[str]:
    if value is None or value != value:  # noqa: PLR0124 - a number that is missing
        if seen.get("missing") == 0:
            yield "is missing, and was in no training row"
        return
    if field.known and value not in field.known:
        yield "is a category that no training row has; it counts as unknown"
    if "low" in seen and not seen["low"] <= value <= seen["high"]:
        side = "below" if value < seen["low"] else "above"
        unit = f" {field.unit}" if field.unit else ""
        yield (
            f"is {side} what nearly all training rows have "
            f"({seen['low']:g} to {seen['high']:g}{unit})"
        )
