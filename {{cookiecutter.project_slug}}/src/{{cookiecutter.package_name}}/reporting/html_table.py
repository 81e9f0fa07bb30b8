"""A table as HTML, with an interval drawn beside each row where there is one."""

from collections.abc import Iterator
from functools import singledispatch
from html import escape
from itertools import zip_longest

from .blocks import Span, Table, Tint

_WIDTH, _HEIGHT, _MARGIN = 150, 16, 6

_Ends = tuple[float, float]


def render(table: Table) -> str:
    """Write the table, folded away where it says so."""
    caption = f"<b>{escape(table.caption)}</b> {escape(table.note)}".rstrip()
    named = [f"<caption>{caption}</caption>"] if table.caption and not table.folded else []
    lines = ['<div class="wide"><table>', *named, *_head(table), *_body(table), "</table></div>"]
    grid = "\n".join(lines)
    return f"<details>\n<summary>{caption}</summary>\n{grid}\n</details>" if table.folded else grid


def _head(table: Table) -> Iterator[str]:
    titles = "".join(
        f'<th scope="col"{_classes(_side(table, column))}>{escape(title)}</th>'
        for column, title in enumerate(table.header)
    )
    mark = f'<td class="mark">{escape(table.mark)}</td>' if table.spans else ""
    yield f"<thead><tr>{titles}{mark}</tr></thead>"


def _body(table: Table) -> Iterator[str]:
    places = [place for span in table.spans for place in span.known()]
    ends = (min(places), max(places)) if places else (0.0, 1.0)
    yield "<tbody>"
    for row, span in zip_longest(table.rows, table.spans):
        first, *others = row
        cells = "".join(
            _cell(cell, _side(table, column)) for column, cell in enumerate(others, start=1)
        )
        drawn = "" if span is None else f'<td class="span">{_span(span, ends)}</td>'
        yield f'<tr><th scope="row">{escape(_text(first))}</th>{cells}{drawn}</tr>'
    yield "</tbody>"


def _side(table: Table, column: int) -> str:
    return "words" if column in table.words else ""


def _classes(*names: str) -> str:
    joined = " ".join(filter(None, names))
    return f' class="{joined}"' if joined else ""


def _text(cell: str | Tint) -> str:
    return cell.text if isinstance(cell, Tint) else cell


@singledispatch
def _cell(cell: str | Tint, side: str) -> str:
    return f"<td{_classes(side)}>{escape(_text(cell))}</td>"


@_cell.register
def _(cell: Tint, side: str) -> str:
    classes = _classes(side, "good" if cell.good else "bad")
    share = f"{100 * (0.1 + 0.5 * cell.strength):.0f}%"
    return f'<td{classes} style="--tint: {share}">{escape(cell.text)}</td>'


def _span(span: Span, ends: _Ends) -> str:
    """Draw the interval as a line, its value as a dot and the mark as a dashed line."""
    middle = _HEIGHT / 2
    shapes = []
    if span.mark is not None:
        at = _place(span.mark, ends)
        shapes.append(f'<line class="mark" x1="{at}" x2="{at}" y1="0" y2="{_HEIGHT}"/>')
    if span.low is not None and span.high is not None:
        start, end = _place(span.low, ends), _place(span.high, ends)
        shapes.append(f'<line x1="{start}" x2="{end}" y1="{middle}" y2="{middle}"/>')
    if span.value is not None:
        shapes.append(f'<circle cx="{_place(span.value, ends)}" cy="{middle}" r="3.5"/>')
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg aria-hidden="true" {size}>{"".join(shapes)}</svg>'


def _place(value: float, ends: _Ends) -> str:
    least, most = ends
    share = (value - least) / (most - least) if most > least else 0.5
    return f"{_MARGIN + share * (_WIDTH - 2 * _MARGIN):.1f}"
