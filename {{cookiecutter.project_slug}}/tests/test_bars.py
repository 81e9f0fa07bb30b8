"""Bars: drawn by the forge in Markdown, drawn by the page in HTML; names cannot end the drawing."""

import re

import pytest

from flight_delays.reporting import html, markdown
from flight_delays.reporting.blocks import Bars, Page, Section

from pages import Reader

NAMES = ('"]\n```\n# a heading', "a | <i> @someone `c` %% x", "`\u202e", "")


def page(*bars: tuple[str, float, float], title: str = "Gain", unit: str = "Gain in AUC") -> Page:
    return Page("t", "s", "v", [], [Section("Bars", [Bars(title, unit, bars)])])


def diagram(text: str) -> list[str]:
    """Return the lines of the only diagram of a page, which ends where it should."""
    fences = [number for number, line in enumerate(text.splitlines()) if line.startswith("```")]
    first, last = fences
    assert text.splitlines()[first] == "```mermaid"
    return [line.strip() for line in text.splitlines()[first + 1 : last]]


def test_every_bar_is_there_with_its_bound() -> None:
    lines = diagram(
        markdown.render(page(("champion", 0.01, -0.02), ("origin = JFK", -0.03, -0.05)))
    )
    assert lines == [
        "xychart-beta horizontal",
        'title "Gain"',
        'x-axis ["champion", "origin = JFK"]',
        'y-axis "Gain in AUC" -0.053000 --> 0.013000',
        "bar [0.010000, -0.030000]",
        "line [-0.020000, -0.050000]",
    ]


@pytest.mark.parametrize(
    "bars", [[(0.0, 0.0)], [(0.1, 0.2)], [(-0.1, -0.2)], [(1e-4, -1e-4)]], ids=str
)
def test_zero_is_always_in_the_picture_and_it_has_room(bars: list[tuple[float, float]]) -> None:
    found = diagram(markdown.render(page(*(("a", *both) for both in bars))))
    axis = next(line for line in found if line.startswith("y-axis"))
    low, high = map(float, re.findall(r"-?[\d.]+(?= -->|$)", axis))
    assert low <= min(0, *bars[0]) <= max(0, *bars[0]) <= high
    assert low < high


def test_a_name_cannot_end_the_diagram() -> None:
    bars = [(name, 0.1, -0.1) for name in NAMES]
    text = markdown.render(page(*bars, title=NAMES[0], unit=NAMES[0]))
    lines = diagram(text)
    assert all(line.count('"') in {0, 2, 2 * len(NAMES)} for line in lines)
    assert not re.search(r"[`<>|@%\u202e]", "".join(lines).replace("-->", ""))
    assert "# a heading" not in text
    axis = next(line for line in lines if line.startswith("x-axis"))
    assert axis == 'x-axis ["a heading", "a  i someone c  x", "-", "-"]'


def test_html_shows_the_same_figures_and_names_stay_names() -> None:
    found = Reader(html.render(page(*((name, 0.01, -0.02) for name in NAMES[:3])), {}))
    assert "i" not in found.tags
    assert {(row[0], row[1]) for row in found.rows[1:]} == {(it, "+0.0100") for it in NAMES[:3]}
    assert "svg" in found.tags
