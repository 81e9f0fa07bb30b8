"""What the report says of refits: in one sentence, in a table and in a picture."""

from pathlib import Path
from typing import Any

import pytest
from findings import found

from mlrails.core.params import Task
from mlrails.refits import spread
from mlrails.refits.draws import Kind
from mlrails.reporting import report, sections, variation


def told(task: Task, seeds: float, samples: float, rows: float | None = 0.02) -> dict[str, Any]:
    """Return findings whose refits reach as far, on rows whose interval does."""
    it = found(task)
    model = it["test"][it["primary"]]["models"]["model"]
    value = model["value"] = 0.7
    ends = (None, None) if rows is None else (value - rows, value + rows)
    model["low"], model["high"] = ends
    values = {
        kind: [value - by, value, value + by]
        for kind, by in ((Kind.SEED, seeds), (Kind.SAMPLE, samples))
    }
    about = {"refits": 3, "unit": "day", "units": 212}
    return it | {"variation": about | spread.summary(values, 0.95)}


def words(it: dict[str, Any]) -> str:
    return " ".join(variation._conclusion(it))


@pytest.mark.parametrize("task", list(Task))
def test_both_pages_tell_it_and_the_figures_are_in_metrics_json(tmp_path: Path, task: Task) -> None:
    report.write(told(task, 0.0005, 0.001), tmp_path)
    for name in ("report.md", "report.html"):
        page = (tmp_path / name).read_text("utf-8")
        assert "What the seed and the sample do to it" in page
        assert "the 212 training days, 3 times" in page
    assert (tmp_path / "plots" / "variation.svg").is_file()
    assert '"variation": {' in (tmp_path / "metrics.json").read_text("utf-8")


def test_one_sentence_says_what_moves_the_figure_and_another_what_moves_it_most() -> None:
    it = told(Task.CLASSIFICATION, 0.0005, 0.001)
    assert words(it) == (
        "Another seed moves area under ROC by ±0.0022, another sample of the training days by "
        "±0.0043. The interval of ±0.0200 comes of the test rows alone, and is the largest of the "
        "three: more test rows would tell more than more fits."
    )
    assert "luck of the seed" in words(told(Task.CLASSIFICATION, 0.01, 0.001))
    assert "luck of the training rows" in words(told(Task.CLASSIFICATION, 0.001, 0.01))


def test_a_seed_that_does_nothing_is_told_as_such() -> None:
    assert words(told(Task.CLASSIFICATION, 0.0, 0.001)).startswith(
        "Another seed does not move area under ROC at all; another sample of the training days "
        "moves it by ±0.0043."
    )


def test_rows_without_an_interval_are_held_against_nothing(tmp_path: Path) -> None:
    it = told(Task.CLASSIFICATION, 0.0005, 0.001, rows=None)
    assert "interval" not in words(it)
    assert variation.section(it) is not None
    report.write(it, tmp_path)


@pytest.mark.parametrize("about", [{}, {"variation": {"refits": 3, "unit": "day", "units": 9}}])
def test_where_nothing_is_known_nothing_is_said(about: dict[str, Any]) -> None:
    page = sections.report_page(found(Task.REGRESSION) | about)
    titles = [section.title for section in page.sections]
    assert not any("seed" in it for it in titles)
    assert variation.CHART not in [picture.name for picture in page.pictures()]
    known = sections.report_page(told(Task.REGRESSION, 0.1, 0.2))
    assert [it.title for it in known.sections if it.title not in titles] == [
        "What the seed and the sample do to it"
    ]
    assert variation.CHART in [picture.name for picture in known.pictures()]
