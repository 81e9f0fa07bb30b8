"""Figures by slice and by month, as tables of the report; and how often an interval holds there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import wording
from .blocks import Block, Picture, Pictures, Section, Span, Table, Text
from .tasks import Mean
from .wording import Found, number, percent

MARK = "dashed: all test rows"
"""What the spans beside groups are held against."""

_SHOWN = 20
_TOO_FEW = "too few rows"
_ONE_OUTCOME = "one outcome only"


def slices_section(found: Found, mean: Mean) -> Section:
    """Tell of each group in each column that was asked for."""
    return Section("Where it does better and worse", list(_slice_blocks(found, mean)))


def _slice_blocks(found: Found, mean: Mean) -> Iterator[Block]:
    metric = found["test"][found["primary"]]
    whole = number(metric["models"]["model"]["value"], wording.metric_decimals(metric))
    yield Text(
        f"{metric['title']} within each group of the test rows, the largest group first; over all "
        f"rows it is {whole}. Among many groups some stand out by luck alone."
    )
    for column, groups in found["slices"].items():
        largest = sorted(groups, key=lambda group: -int(group["rows"]))
        hidden = len(largest) - _SHOWN
        more = f" (the {_SHOWN} largest; {hidden:,} more are in metrics.json)" if hidden > 0 else ""
        yield _table(found, mean, largest[:_SHOWN], column, more)


def _table(found: Found, mean: Mean, groups: Sequence[Found], column: str, more: str) -> Table:
    shown = wording.name(column)
    return Table(
        header=(shown, "Rows", mean.title, "Predicted", *titles(found)),
        rows=[(wording.name(group["name"]), *cells(found, mean, group)) for group in groups],
        caption=f"By {shown}{more}",
        spans=spans(found, groups),
        mark=MARK,
    )


def titles(found: Found) -> tuple[str, str]:
    """Return the titles of the columns that hold the primary metric and its interval."""
    title = found["test"][found["primary"]]["title"]
    return title, f"{wording.percent(found['confidence'], 0)} interval"


def cells(found: Found, mean: Mean, group: Found) -> tuple[str, str, str, str, str]:
    """Return rows, mean, mean prediction, primary metric and its interval."""
    about = (f"{group['rows']:,}", mean.written(group["target"]), mean.written(group["score"]))
    figure = group[found["primary"]]
    if figure is None:
        return *about, _TOO_FEW, ""
    if figure["value"] is None:
        return *about, _ONE_OUTCOME, ""
    digits = wording.metric_decimals(found["test"][found["primary"]])
    return *about, number(figure["value"], digits), wording.interval(figure, digits)


def spans(found: Found, groups: Sequence[Found]) -> Sequence[Span]:
    """Return what is drawn beside each group: its figure against the one of all test rows."""
    whole = found["test"][found["primary"]]["models"]["model"]["value"]
    figures = (group[found["primary"]] or {} for group in groups)
    return [
        Span(figure.get("value"), figure.get("low"), figure.get("high"), whole)
        for figure in figures
    ]


@dataclass(frozen=True)
class Month:
    """What was found in one month of one part."""

    name: str
    part: str
    found: Found


def seen_months(found: Found) -> Sequence[Month]:
    """Return every month of every part."""
    timed = wording.is_timed(found)
    return [
        Month(wording.name(group["name"] if timed else part), part, group)
        for part, months in found["months"].items()
        for group in months
    ]


def months_section(found: Found, mean: Mean) -> Section:
    """Tell of each month."""
    unit = "month" if wording.is_timed(found) else "part"
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
            *titles(found),
        ),
        rows=[
            (*name, *cells(found, mean, month.found))
            for name, month in zip(names, months, strict=True)
        ],
        caption=f"The figures of each {unit}",
        words=range(len(names[0]) if names else 0),
        spans=spans(found, [month.found for month in months]),
        mark=MARK,
        folded=True,
    )


def interval_sections(found: Found) -> Iterator[Section]:
    """Yield how often what came lay within the interval, of a model that has one."""
    if "interval" in found:
        yield Section(
            "Whether the interval holds", list(_coverage_blocks(found["interval"], found))
        )


def interval_sentence(found: Found) -> str:
    """Say what the interval promises, and what it held on the test rows."""
    told = found["interval"]
    value, low, high = (told["coverage"][end] for end in ("value", "low", "high"))
    digits = wording.decimals(told["upper"] - told["lower"])
    below, above = number(-told["lower"], digits), number(told["upper"], digits)
    sure = "" if low is None else f" ({_sure(found)} {percent(low)} to {percent(high)})"
    return (
        f"An interval goes from {below} below a prediction to {above} above it, and is to hold "
        f"{_promised(told)} of what comes; it held {percent(value)} of the test rows{sure}"
        f"{_verdict(told)}."
    )


def _promised(told: Found) -> str:
    return "what its params ask" if told["level"] is None else percent(told["level"])


def _sure(found: Found) -> str:
    return f"{percent(found['confidence'], 0)} interval"


def _verdict(told: Found) -> str:
    level, low, high = told["level"], told["coverage"]["low"], told["coverage"]["high"]
    if level is None or low is None or low <= level <= high:
        return ""
    return ", which is less than it says" if high < level else ", which is more than it says"


def _coverage_blocks(told: Found, found: Found) -> Iterator[Block]:
    yield Text(
        f"{interval_sentence(found)} It was made of the validation rows, each day, group or row of "
        "its own counting the same, and is as wide for every row; so slices whose outcomes are "
        "spread more than others are held less often."
    )
    for column, groups in told["slices"].items():
        yield _coverage_table(column, groups, told, found)


def _coverage_table(column: str, groups: Sequence[Found], told: Found, found: Found) -> Table:
    largest = sorted(groups, key=lambda group: -int(group["rows"]))
    hidden = len(largest) - _SHOWN
    more = f" (the {_SHOWN} largest; {hidden:,} more are in metrics.json)" if hidden > 0 else ""
    shown, level = largest[:_SHOWN], told["level"]
    held_against = told["coverage"]["value"] if level is None else level
    return Table(
        header=(wording.name(column), "Rows", "Within the interval", _sure(found)),
        rows=[(wording.name(it["name"]), f"{it['rows']:,}", *_coverage_cells(it)) for it in shown],
        caption=f"Within the interval by {wording.name(column)}{more}",
        spans=[_coverage_span(it["coverage"], held_against) for it in shown],
        mark=MARK if level is None else f"dashed: {percent(level)}, as it says",
    )


def _coverage_cells(group: Found) -> tuple[str, str]:
    figure = group["coverage"]
    if figure is None:
        return _TOO_FEW, ""
    low, high = figure["low"], figure["high"]
    return percent(figure["value"]), "" if low is None else f"{percent(low)} to {percent(high)}"


def _coverage_span(figure: Found | None, whole: float) -> Span:
    if figure is None:
        return Span(None, None, None)
    return Span(figure["value"], figure["low"], figure["high"], mark=whole)
