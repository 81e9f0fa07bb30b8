"""The report of several classes: each by its name, whatever it is, and what nobody could learn."""

import json
from pathlib import Path

import findings
import pytest

from mlrails.core.params import Task
from mlrails.reporting import classes, markdown, report, sections

FOUND = findings.found(Task.MULTICLASS)


def test_a_class_that_no_training_row_has_is_told_with_its_rows() -> None:
    (told,) = classes.findings(FOUND)
    assert told.startswith("7 test rows have a class that no training row has (“unseen”)")
    said = markdown.render(sections.report_page(report._plain(FOUND)))
    assert "each counts as wrong" in said
    assert "Unknown classes" in said


def test_a_class_without_a_test_row_is_told() -> None:
    found = findings.found(Task.MULTICLASS)
    found["classes"][2]["rows"]["test"] = 0
    assert any("No test row has “plain”" in it for it in classes.findings(found))


def test_each_class_has_its_figures_and_an_interval() -> None:
    table = classes.each_table(FOUND)
    assert {row[0] for row in table.rows} == set(findings.CLASSES)
    assert [row[1] for row in table.rows] == sorted(
        (row[1] for row in table.rows), key=int, reverse=True
    )
    assert all(
        it.mark == FOUND["test"]["macro_f1"]["models"]["model"]["value"] for it in table.spans
    )
    unseen = next(row for row in table.rows if row[0] == "unseen")
    assert unseen[2] == "0"


def test_no_label_becomes_markup(tmp_path: Path) -> None:
    report.write(findings.found(Task.MULTICLASS), tmp_path)
    said = (tmp_path / "report.md").read_text("utf-8")
    assert "a\\|b" in said
    assert "a|b" not in said
    told = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert [it["name"] for it in told["classes"]] == list(findings.CLASSES)
    assert "calibration" not in told["classes"][0]


@pytest.mark.parametrize("count", [8, 40])
def test_many_classes_have_a_picture_and_the_commonest_mistakes(count: int) -> None:
    found = findings.found(Task.MULTICLASS)
    one = found["classes"][0]
    found["classes"] = [{**one, "name": f"class {it}"} for it in range(count)]
    shown = min(count, 20)
    size = shown + (count > 20)
    found["behaviour"]["confusion_matrix"] = {
        "classes": list(range(shown)),
        "others": count - shown,
        "rows": [[5] * size for _ in range(size)],
        "mistakes": [{"actual": 1, "called": 0, "rows": 9}],
    }
    said = markdown.render(sections.report_page(report._plain(found)))
    assert "The commonest mistakes" in said
    assert "| class 1 | class 0 | 9 |" in said
    assert ("the 20 commonest" in said) == (count > 20)
