"""How the model fared from month to month; from part to part where rows carry no time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import groups, wording
from .blocks import Block, Picture, Pictures, Section, Table
from .mean import Mean
from .wording import Found


@dataclass(frozen=True)
class Month:
    """What was found in one month of one part."""

    name: str
    part: str
    found: Found


def seen(found: Found) -> Sequence[Month]:
    """Return every month of every part."""
    timed = found["parts"]["test"]["days"] is not None
    return [
        Month(wording.name(group["name"] if timed else part), part, group)
        for part, months in found["months"].items()
        for group in months
    ]


def section(found: Found, mean: Mean) -> Section:
    """Tell of each month."""
    unit = "month" if found["parts"]["test"]["days"] is not None else "part"
    return Section(f"From {unit} to {unit}", list(_blocks(found, mean, unit)))


def _blocks(found: Found, mean: Mean, unit: str) -> Iterator[Block]:
    title = found["test"][found["primary"]]["title"]
    yield Pictures(
        [
            Picture(
                "months",
                f"{title} by {unit}",
                "Dots are values, lines their intervals. Hollow dots were seen in fitting and "
                "flatter the model; the filled ones show what to expect of new rows.",
            ),
            Picture(
                "means",
                f"{mean.title} by {unit}, actual and predicted",
                "Where the two part, the world has moved on, or the model lacks what moves it.",
            ),
        ]
    )
    months = seen(found)
    yield Table(
        header=(
            *(wording.sentence(unit), "Part", "Rows", mean.title, "Predicted"),
            *groups.titles(found),
        ),
        rows=[
            (month.name, month.part, *groups.cells(found, mean, month.found)) for month in months
        ],
        caption=f"The figures of each {unit}",
        words=(0, 1),
        spans=groups.spans(found, [month.found for month in months]),
        mark=groups.MARK,
        folded=True,
    )
