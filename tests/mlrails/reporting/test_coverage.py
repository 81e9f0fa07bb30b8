"""What the report and the card say of an interval that a model serves."""

from typing import Any

from findings import found

from mlrails.core.params import Task
from mlrails.reporting import groups, markdown, report, sections
from mlrails.reporting.blocks import Table


def with_interval(value: float, low: float | None, high: float | None) -> dict[str, Any]:
    figure = {"value": value, "low": low, "high": high}
    slices = [
        {"name": "<b>", "rows": 400, "coverage": figure},
        {"name": "few", "rows": 3, "coverage": None},
    ]
    told = {"level": 0.9, "lower": -12.5, "upper": 40.0, "coverage": figure}
    return found(Task.REGRESSION) | {"interval": {**told, "slices": {"shop": slices}}}


def page(of: dict[str, Any]) -> str:
    return markdown.render(sections.report_page(report._plain(of)))


def test_the_page_says_what_is_promised_and_what_was_held() -> None:
    text = page(with_interval(0.912, 0.88, 0.94))
    assert "is to hold 90.0% of what comes; it held 91.2% of the test rows" in text
    assert "88.0% to 94.0%" in text and "12.50 below" in text and "40.00 above" in text
    assert "few | 3 | too few rows" in text
    assert "interval holds" not in page(found(Task.REGRESSION))


def test_each_slice_is_drawn_beside_what_is_promised() -> None:
    asked = with_interval(0.912, 0.88, 0.94)
    (section,) = groups.interval_sections(asked)
    (table,) = (it for it in section.blocks if isinstance(it, Table))
    assert (table.spans[0].mark, table.mark) == (0.9, "dashed: 90.0%, as it says")
    asked["interval"]["level"] = None
    (section,) = groups.interval_sections(asked)
    (table,) = (it for it in section.blocks if isinstance(it, Table))
    assert (table.spans[0].mark, table.mark) == (0.912, groups.MARK)


def test_an_interval_that_holds_less_than_it_says_is_told_and_one_that_cannot_be_told_is_not() -> (
    None
):
    assert "less than it says" in groups.interval_sentence(with_interval(0.8, 0.75, 0.85))
    assert "more than it says" in groups.interval_sentence(with_interval(0.96, 0.94, 0.98))
    for told in (with_interval(0.8, 0.75, 0.95), with_interval(0.8, None, None)):
        assert "than it says" not in groups.interval_sentence(told)


def test_the_card_says_it_below_the_figures() -> None:
    (line,) = report._interval(with_interval(0.912, 0.88, 0.94))
    assert line.startswith("\n") and "it held 91.2%" in line
    assert [*report._interval(found(Task.REGRESSION))] == []
