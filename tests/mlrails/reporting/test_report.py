"""The report: its three files agree, and it has words for what is not known."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from findings import found
from pages import Reader, rows_of_markdown, unescaped

from mlrails.core.params import Task
from mlrails.reporting import charts, report

Written = tuple[dict[str, Any], str, str]
FILES = ("metrics.json", "report.md", "report.html")
TASKS = pytest.mark.parametrize("task", Task)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for a report whose charts are not drawn, which saves the test's time."""
    monkeypatch.setattr(charts, "draw_charts", lambda _, names: dict.fromkeys(names, "<svg></svg>"))
    return tmp_path


def written(folder: Path, findings: dict[str, Any]) -> Written:
    """Write the report and return its figures, its Markdown and its HTML."""
    report.write(findings, folder)
    figures, markdown, html = ((folder / name).read_text("utf-8") for name in FILES)
    return json.loads(figures, parse_constant=refuse), markdown, html


def refuse(constant: str) -> None:
    """Refuse NaN, which Python would read and nobody else."""
    raise AssertionError(f"{constant} is not JSON")


@TASKS
def test_markdown_and_html_have_the_same_tables(folder: Path, task: Task) -> None:
    _, markdown, html = written(folder, found(task))
    tiles, *values = rows_of_markdown(markdown)
    assert values[2:] == Reader(html).rows
    assert len(values) > 20
    for text in [*tiles, *values[0], *values[1]]:
        assert f">{text}<" in html


@TASKS
def test_both_pages_show_the_figures_of_metrics_json(folder: Path, task: Task) -> None:
    figures, *pages = written(folder, found(task))
    for metric in figures["test"].values():
        model = metric["models"]["model"]
        ends = " to ".join(f"{model[end]:.3f}" for end in ("low", "high"))
        assert all(f"{model['value']:.3f} ({ends})" in page for page in pages)
    for digest in ("digest", "data_digest"):
        assert all(figures[digest][:12] in page for page in pages)


@TASKS
def test_metrics_json_keeps_what_was_found_but_for_the_curves(folder: Path, task: Task) -> None:
    findings = found(task)
    figures, _, _ = written(folder, findings)
    assert list(figures) == list(findings)
    assert figures["test"] == findings["test"]
    assert figures["as_good"] == findings["as_good"]
    curves = {"roc", "precision_recall", "calibration"}
    assert set(figures["behaviour"]) == set(findings["behaviour"]) - curves
    assert "histogram" not in figures["behaviour"].get("residuals", {})


@TASKS
def test_one_day_only_leaves_dashes_and_nulls(folder: Path, task: Task) -> None:
    figures, *pages = written(folder, found(task, days=1))
    model = figures["test"][figures["primary"]]["models"]["model"]
    assert model["low"] is None
    assert model["value"] is not None
    for page in pages:
        assert "95% interval –" in page
        assert "nobody can tell without an interval" in page
        assert "as good on" not in page
        assert not re.search(r"\b(nan|NaN|None|null)\b", page)


@TASKS
def test_a_perfect_model_is_reported(folder: Path, task: Task) -> None:
    _, markdown, _ = written(folder, found(task, perfect=True))
    assert "> **Beats all 2 baselines on" in markdown


@TASKS
def test_rows_without_a_time_are_reported_by_part(tmp_path: Path, task: Task) -> None:
    _, markdown, html = written(tmp_path, found(task, timed=False))
    assert "for want of a column of times or groups" in html
    assert "## From part to part" in markdown
    assert "| Part | Rows |" in markdown and "| Part | Part |" not in markdown
    assert "on 600 rows." in unescaped(markdown)
    assert "rows that are hard for one are hard" in markdown.lower()
    assert [re.findall(r"(?i).{20}\bdays?\b", page) for page in (markdown, html)] == [[], []]


@TASKS
@pytest.mark.parametrize("timed", [False, True])
def test_rows_in_groups_are_reported_as_groups(tmp_path: Path, task: Task, timed: bool) -> None:
    told = found(task, timed=timed)
    for part in told["parts"].values():
        part["groups"] = 40
    told["parts"]["test"]["known_groups"] = 31
    told["weight"] = "times_seen"
    _, markdown, html = written(tmp_path, told)
    assert ("whole days and whole groups are drawn" if timed else "whole groups are drawn") in html
    assert "Of the 40 groups of the test rows 31 are in training as well" in html
    assert "All figures are weighted by times_seen; rows are counted." in html
    assert ("The wider of the two intervals counts." in html) is timed
    titles = "| Part | Rows | From | To | Days | Groups |" if timed else "| Part | Rows | Groups |"
    assert titles in markdown
    if not timed:
        assert [re.findall(r"(?i).{20}\bdays?\b", page) for page in (markdown, html)] == [[], []]


def test_a_picture_of_an_earlier_report_goes(folder: Path) -> None:
    (folder / "plots").mkdir()
    stale = folder / "plots" / "of-last-year.svg"
    stale.touch()
    written(folder, found(Task.REGRESSION))
    assert not stale.exists()


def test_nothing_to_shuffle_leaves_the_chapter_out(folder: Path) -> None:
    nothing = {"hour": {"mean": float("nan"), "sd": float("nan")}}
    _, markdown, _ = written(folder, found(Task.CLASSIFICATION) | {"importance": nothing})
    assert "importance" not in markdown.replace("metrics.json", "")
    assert not (folder / "plots" / "importance.svg").exists()


@pytest.mark.parametrize("columns", [["region"], []])
def test_how_categories_are_seen_is_told_where_there_are_any(
    folder: Path, columns: list[str]
) -> None:
    findings = found(Task.CLASSIFICATION)
    findings["model"]["features"]["categorical"] = columns
    _, markdown, html = written(folder, findings)
    told = [unescaped(page).count("Categories are seen as codes.") for page in (markdown, html)]
    assert told == [len(columns)] * 2


@pytest.mark.parametrize(
    ("seen_as", "told"),
    [
        ("codes in alphabetical order", "A split sends what is missing to the side"),
        ("embeddings, learnt with the network", "What is missing has an embedding of its own"),
        ("something of one's own", ""),
    ],
)
def test_what_becomes_of_unknown_missing_and_rare_categories_is_told(
    folder: Path, seen_as: str, told: str
) -> None:
    findings = found(Task.CLASSIFICATION)
    findings["model"]["features"]["categorical"] = ["region"]
    findings["model"]["categories"] = seen_as
    _, markdown, _ = written(folder, findings)
    assert "One that the training rows lack counts as missing" in markdown and told in markdown
    assert ("A rare category" in markdown) == bool(told)
