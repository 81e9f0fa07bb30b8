"""The report's blocks as one page of HTML that needs nothing beside itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import svg
from .blocks import Block, Page, Table, Tint

if TYPE_CHECKING:
    from jinja2 import Template


Charts = Mapping[str, str]
"""SVG text by the picture's name."""

_HERE = Path(__file__).parent
_TEMPLATE, _STYLES = "report.html.jinja", "report.css"
_MARGIN = 6
_COLOURS = {
    "blue": svg.BLUE,
    "orange": svg.ORANGE,
    "ink": svg.INK,
    "grey": svg.GREY,
    "pale": svg.PALE,
    "faint": svg.FAINT,
}


def render(page: Page, charts: Charts) -> str:
    """Write the page as HTML."""
    return _template().render(page=page, charts=charts)


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        keep_trailing_newline=True,
        loader=FileSystemLoader(_HERE),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"kind": _kind, "scale": _scale, "tint": _tint}
    environment.globals |= {
        "colours": _COLOURS,
        "styles": (_HERE / _STYLES).read_text("utf-8"),
    }
    return environment.get_template(_TEMPLATE)


def _kind(block: Block) -> str:
    return type(block).__name__


@dataclass(frozen=True)
class _Scale:
    """Where values stand in the drawings beside the rows of a table, in pixels."""

    least: float
    most: float
    width: int = 150
    height: int = 16

    def place(self, value: float) -> str:
        """Return the distance from the left edge."""
        size = self.most - self.least
        share = (value - self.least) / size if size > 0 else 0.5
        return f"{_MARGIN + share * (self.width - 2 * _MARGIN):.1f}"


def _scale(table: Table) -> _Scale:
    """Return the scale that all spans of a table have in common."""
    places = [place for span in table.spans for place in span.known()] or [0.0, 1.0]
    return _Scale(min(places), max(places))


def _tint(cell: Tint) -> str:
    """Return how much of its colour the ground of a cell has."""
    return f"{100 * (0.1 + 0.5 * cell.strength):.0f}%"
