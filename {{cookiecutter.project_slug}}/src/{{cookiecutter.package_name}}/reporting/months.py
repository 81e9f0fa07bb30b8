"""How the model fared from month to month; from part to part where rows carry no time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import groups, wording
from .blocks import Block, Picture, Pictures, Section, Table, Text
from .mean import Mean
from .wording import Found


@dataclass(frozen=True)
class Month:
    """What was found in one month of one part."""

    name: str
    part: str
    found: Found


def seen_months(found: Found) -> Sequence[Month]:
    """Return every month of every part."""
    timed = found["parts"]["test"]["days"] is not None
    return [
        Month(wording.name(group["name"] if timed else part), part, group)
        for part, months in found["months"].items()
        for group in months
    ]


def months_section(found: Found, mean: Mean) -> Section:
    """Tell of each month."""
    unit = "month" if found["parts"]["test"]["days"] is not None else "part"
    return Section(f"From {unit} to {unit}", list(_month_blocks(found, mean, unit)))


def _pictures(found: Found, mean: Mean, unit: str, months: Sequence[Month]) -> Iterator[Picture]:
    """Yield the charts that have something to compare: two points at least."""
    figures = (month.found[found["primary"]] for month in months)
    if sum(figure is not None and figure["value"] is not None for figure in figures) > 1:
        yield Picture(
            "months",
            f"{found['test'][found['primary']]['title']} by {unit}",
            "Dots are values, lines their intervals. Hollow dots were seen in fitting and "
            "flatter the model; the filled ones show what to expect of new rows.",
        )
    if len({month.name for month in months}) > 1:
        yield Picture(
            "means",
            f"{mean.title} by {unit}, actual and predicted",
            "Where the two part, the world has moved on, or the model lacks what moves it.",
        )


def _month_blocks(found: Found, mean: Mean, unit: str) -> Iterator[Block]:
    months = seen_months(found)
    if pictures := list(_pictures(found, mean, unit, months)):
        yield Pictures(pictures)
    if len(pictures) < 2:
        title = wording.within(found["test"][found["primary"]]["title"])
        yield Text(
            f"There is nothing to draw of {title}: fewer than two {unit}s have enough rows for a "
            "figure of their own."
        )
    # A part is its own name where rows carry no time.
    names = [tuple(dict.fromkeys((month.name, month.part))) for month in months]
    yield Table(
        header=(
            *dict.fromkeys((wording.sentence(unit), "Part")),
            *("Rows", mean.title, "Predicted"),
            *groups.titles(found),
        ),
        rows=[
            (*name, *groups.cells(found, mean, month.found))
            for name, month in zip(names, months, strict=True)
        ],
        caption=f"The figures of each {unit}",
        words=range(len(names[0]) if names else 0),
        spans=groups.spans(found, [month.found for month in months]),
        mark=groups.MARK,
        folded=True,
    )
