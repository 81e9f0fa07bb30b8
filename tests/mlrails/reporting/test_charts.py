"""Charts say something, or are not drawn: what is empty, alike, whole, tiny or a great many."""

import re
from typing import TYPE_CHECKING, Any

import findings
import numpy as np
import pytest

from mlrails.core.params import Task
from mlrails.evaluation.diagnostics import behaviour
from mlrails.reporting import blocks, charts, sections, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def names(found: dict[str, Any]) -> set[str]:
    return {picture.name for picture in sections.report_page(found).pictures()}


def texts(found: dict[str, Any], name: str) -> list[str]:
    """Return the words of a chart: ticks and title across, then those up."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", charts.draw_charts(found, [name])[name])


def said(found: dict[str, Any]) -> str:
    page = sections.report_page(found)
    return " ".join(
        block.text
        for section in page.sections
        for block in section.blocks
        if isinstance(block, blocks.Text)
    )


def test_months_without_enough_rows_are_told_instead_of_drawn(task: Task) -> None:
    found = findings.found(task)
    assert {"months", "means"} <= names(found)
    last = found["months"]["test"][0]
    for groups in found["months"].values():
        for group in groups:
            group[found["primary"]] = last[found["primary"]] if group is last else None
    assert names(found) & {"months", "means"} == {"means"}
    assert "fewer than two months have enough rows" in said(found)


def test_a_single_month_is_no_course_of_time(task: Task) -> None:
    found = findings.found(task)
    found["months"] = {"test": found["months"]["test"]}
    assert not names(found) & {"months", "means"}
    assert "fewer than two months" in said(found)


def test_columns_have_an_interval_where_it_is_asked_for(task: Task) -> None:
    found = findings.found(task)
    assert "interval, by" not in said(found)
    plain = charts.draw_charts(found, ["importance"])["importance"]
    wide = {"low": 0.05, "high": 0.3}, {"low": -0.01, "high": None}
    for loss, ends in zip(found["importance"].values(), wide, strict=True):
        loss.update(ends)
    assert "Of 2 columns these rows tell 1 from one that says nothing" in said(found)
    assert "Most rests on hour." in said(found)
    found["importance"]["hour"]["low"] = -0.01
    assert "Most rests on no column at all. Of 2 columns these rows tell 0" in said(found)
    drawn = charts.draw_charts(found, ["importance"])["importance"]
    assert drawn != plain and "nan" not in drawn
    captions = {it.name: it.caption for it in sections.report_page(found).pictures()}
    assert "% intervals by " in captions["importance"]
    assert "one standard deviation" not in captions["importance"]


@pytest.mark.parametrize("left", [0.0, -0.0])
def test_columns_that_all_change_nothing_have_no_bars(task: Task, left: float) -> None:
    found = findings.found(task)
    found["importance"] = {name: {"mean": left, "sd": left} for name in found["importance"]}
    assert "importance" not in names(found)
    assert "Most rests on no column at all" in said(found)


def test_predictions_that_are_all_alike_have_no_calibration_curve(task: Task) -> None:
    found = findings.found(task)
    target = (np.arange(600) % 2).astype(np.float64)
    shape = (600, 2) if task is Task.MULTICLASS else (600,)
    found["behaviour"] = behaviour(task, target, np.full(shape, 0.5), 0.5)
    assert "calibration" not in names(found)
    assert "All predictions are alike" in said(found)


@pytest.mark.parametrize("most", [1.0, 2.0, 3.0, 4.0, 7.0])
def test_rows_are_counted_in_whole_numbers_each_once(most: float) -> None:
    found = findings.found(Task.REGRESSION)
    found["behaviour"]["residuals"]["histogram"] = {
        "edges": [0.0, 1.0, 2.0],
        "counts": [1.0, most],
    }
    words = texts(found, "residuals")
    ticks = words[words.index("Outcome minus prediction") + 1 : -1]
    assert len(ticks) == len(set(ticks)) and all(tick.isdecimal() for tick in ticks)


@pytest.mark.parametrize("value", [0.0, 1e-17, 0.25, 40_000.0])
def test_what_does_not_differ_has_no_axis_of_rounding_errors(value: float) -> None:
    found = findings.found(Task.REGRESSION)
    for models in found["test"][found["primary"]]["models"].values():
        models |= {"value": value, "low": value - 1e-17, "high": value + 1e-17}
    words = texts(found, "baselines")
    assert not [word for word in words if "e\N{MINUS SIGN}" in word or "+" in word], words
    assert len(words) == len(set(words))


def test_a_great_many_months_stay_apart() -> None:
    found = findings.found(Task.CLASSIFICATION)
    (month,) = found["months"]["train"]
    found["months"]["train"] = [
        month | {"name": f"{1990 + at // 12}-{at % 12 + 1:02d}"} for at in range(200)
    ]
    few, many = (re.findall(r"stroke-width: ([0-9.]+)", it) for it in drawn_months(found))
    assert min(map(float, many)) < min(map(float, few))
    assert len(texts(found, "months")) < 30


def drawn_months(found: dict[str, Any]) -> list[str]:
    return [
        charts.draw_charts(it, ["months"])["months"]
        for it in (findings.found(Task.CLASSIFICATION), found)
    ]


def test_an_axis_of_nothing_but_zeros_has_some_width() -> None:
    def zeros(axes: "Axes") -> None:
        axes.barh([0, 1], [-1e-17, 0.0])

    assert "1e" not in svg.svg("zeros", zeros, 2)
