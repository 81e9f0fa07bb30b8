"""Intervals drawn with characters: where zero, the mark, the interval and the value stand."""

import pytest

from flight_delays.reporting import markdown
from flight_delays.reporting.blocks import Page, Section, Span, Table
from flight_delays.reporting.strips import strips


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
