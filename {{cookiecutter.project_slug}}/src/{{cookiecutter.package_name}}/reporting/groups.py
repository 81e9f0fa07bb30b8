"""Groups of rows in tables: the slices, and the cells that months share with them."""

from collections.abc import Iterator, Sequence

from . import verdict, wording
from .blocks import Block, Section, Span, Table, Text
from .mean import Mean
from .wording import Found, number

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
    whole = number(metric["models"]["model"]["value"], verdict.metric_decimals(metric))
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
    digits = verdict.metric_decimals(found["test"][found["primary"]])
    return *about, number(figure["value"], digits), wording.interval(figure, digits)


def spans(found: Found, groups: Sequence[Found]) -> Sequence[Span]:
    """Return what is drawn beside each group: its figure against the one of all test rows."""
    whole = found["test"][found["primary"]]["models"]["model"]["value"]
    figures = (group[found["primary"]] or {} for group in groups)
    return [
        Span(figure.get("value"), figure.get("low"), figure.get("high"), whole)
        for figure in figures
    ]
