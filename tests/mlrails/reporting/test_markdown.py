"""Intervals drawn with characters: where zero, the mark, the interval and the value stand."""

import re

import pytest
from pages import Reader, rows_of_markdown

from mlrails.reporting import html, markdown
from mlrails.reporting.blocks import Page, Section, Span, Table
from mlrails.reporting.markdown import strips

NAMES = ("`]\n\n# a heading", "a | <i> @someone %% x", "\u2028| --- |")


def page_of_names() -> Page:
    """Return a page on which each name of the data has a row with a span."""
    rows = [(name, "+0.1") for name in NAMES]
    spans = [Span(float(number), 0.0, 3.0, -1.0) for number in range(len(NAMES))]
    table = Table(("", "Gain"), rows, spans=spans, mark="┃ may be lost", strips=True)
    return Page("t", "s", "v", [], [Section("Gains", [table])])


def test_a_scale_is_common_to_all_spans() -> None:
    wide, narrow = strips([Span(0.0, -1.0, 1.0), Span(0.5, 0.25, 0.75)])
    assert wide == "─" * 16 + "●" + "─" * 16
    assert narrow == "·" * 16 + "┊···" + "────●────" + "····"


def test_a_mark_shows_what_may_be_lost() -> None:
    (drawn,) = strips([Span(0.5, 0.0, 1.0, mark=-1.0)])
    assert drawn[0] == "┃" and drawn.count("·") == 15
    assert drawn[16] == "┊" and drawn[24] == "●"


def test_what_is_not_known_is_not_drawn() -> None:
    nothing, only_value = strips([Span(None, None, None), Span(1.0, None, None)])
    assert nothing == "┊" + "·" * 32
    assert only_value == "┊" + "·" * 31 + "●"


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0])
def test_one_place_alone_is_no_scale_and_no_error(value: float) -> None:
    (drawn,) = strips([Span(value, value, value)])
    assert len(drawn) == 33 and drawn.count("●") == 1


def test_a_table_of_markdown_ends_with_the_drawing() -> None:
    table = Table(("", "gain"), [("a | b", "1")], spans=[Span(1, 0, 2)], mark="┊ zero", strips=True)
    text = markdown.render(Page("t", "s", "v", [], [Section("Gains", [table])]))
    header, rule, row = (line for line in text.splitlines() if line.startswith("|"))
    assert header.endswith("| gain | ┊ zero |") and rule.endswith("| --: | :-- |")
    assert row == f"| a \\| b | 1 | `{'─' * 16}●{'─' * 16}` |".replace("`─", "`┊", 1)


def test_each_drawing_stands_in_its_row_and_names_stay_names() -> None:
    text = markdown.render(page_of_names())
    header, *rows = rows_of_markdown(text)
    assert header == ["", "Gain", "┃ may be lost"]
    assert [row[0] for row in rows] == ["`]  # a heading", NAMES[1], " | --- |"]
    values = [row[2].index("●") for row in rows]
    assert values == sorted(set(values))
    assert "\n# a heading" not in text


def test_html_draws_by_itself() -> None:
    text = html.render(page_of_names(), {})
    found = Reader(text)
    assert "svg" in found.tags and "i" not in found.tags
    assert not re.search("[─●·]{2}", text)
    assert {*NAMES[:2]} <= {row[0] for row in found.rows}
