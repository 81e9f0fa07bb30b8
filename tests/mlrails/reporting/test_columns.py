"""What the report, the card and the console say of groups that the model does not see."""

import json
from pathlib import Path
from typing import Any

import pytest
import rows

from mlrails.core.config import validated
from mlrails.core.params import FILE, Params, Task
from mlrails.evaluation import figures
from mlrails.reporting import columns, report, sections
from mlrails.reporting.blocks import Table, Text
from mlrails.reporting.tasks import target_mean


def found_in(task: Task, root: Path) -> Any:
    values = rows.values(task)
    asked = {"tailnum": [], "plane_seats": [50]}
    params = validated(Params, values | {"data": values["data"] | {"sensitive": asked}}, FILE)
    found = figures.of_model(params, rows.fitted(task), rows.parts())
    found |= {"digest": "abc", "data_digest": "def"}
    report.write(found, root)
    return json.loads((root / "metrics.json").read_text("utf-8"))


@pytest.mark.parametrize("task", Task)
def test_the_report_tells_figures_and_gaps_of_each_group(task: Task, tmp_path: Path) -> None:
    found = found_in(task, tmp_path)
    text, page = ((tmp_path / it).read_text("utf-8") for it in ("report.md", "report.html"))
    for words in ("Groups that the model does not see", "50 and over", "Calibration", "N102"):
        assert words in text and words in page
    assert ("True positive rate" in text) is (task is Task.CLASSIFICATION)
    assert ("for people to decide" in text) is (task is Task.CLASSIFICATION)
    told = report.figures_table(found)
    assert ("widest gap: True positive rate" in told) is (task is Task.CLASSIFICATION)
    assert "widest gap: Calibration: " in told
    assert "widest gap" not in report.figures_table(found, "validation")


def test_groups_of_too_few_rows_are_told_once_and_not_by_each_measure(tmp_path: Path) -> None:
    found = found_in(Task.CLASSIFICATION, tmp_path)
    nothing = {it: {"figure": None, "gap": None} for it in columns.TITLES}
    seats = found["fairness"]["plane_seats"]
    few, none = [seats[0], *(it | nothing for it in seats[1:])], [it | nothing for it in seats]
    for groups, said in (
        (few, f"Of {len(few) - 1} of these {len(few)} groups no more can be said: too few rows"),
        (none, "Of none of these groups more can be said: too few rows"),
    ):
        told = found | {"fairness": {"plane_seats": groups}}
        (section,) = columns.sensitive(told, target_mean(told))
        assert any(said in it.text for it in section.blocks if isinstance(it, Text))
        tables = [it for it in section.blocks if isinstance(it, Table)]
        measured = [row[1] for table in tables for row in table.rows if "Calibration" in row]
        assert measured == ([seats[0]["name"]] if groups is few else [])


def test_a_group_a_slice_and_a_month_whose_rows_all_weigh_nothing_are_told_as_unknown(
    tmp_path: Path,
) -> None:
    task = Task.CLASSIFICATION
    values, parts = rows.values(task), {it: part.copy() for it, part in rows.parts().items()}
    data = values["data"] | {"weight": "flight", "sensitive": {"tailnum": []}}
    test, train = parts["test"], parts["train"]
    nobody = test["tailnum"].iloc[0], test["carrier"].iloc[0]
    test.loc[(test["tailnum"] == nobody[0]) | (test["carrier"] == nobody[1]), "flight"] = 0
    months = train["scheduled_departure"].dt.month
    train.loc[months == months.iloc[0], "flight"] = 0
    params = validated(Params, values | {"data": data}, FILE)
    found = figures.of_model(params, rows.fitted(task), parts)
    report.write({**found, "digest": "abc", "data_digest": "def"}, tmp_path)
    told = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    for group, name in zip(
        (told["fairness"]["tailnum"], told["slices"]["carrier"]), nobody, strict=True
    ):
        (one,) = (it for it in group if it["name"] == name)
        assert one["target"] is None and one["score"] is None and one["rows"] > 50


def test_the_widest_gap_is_the_one_that_is_shown_and_not_the_luckiest(tmp_path: Path) -> None:
    found = found_in(Task.REGRESSION, tmp_path)

    def widest(**gaps: tuple[float, float | None, float | None]) -> str:
        names = ("value", "low", "high")
        groups = [
            {"name": it, "calibration": {"figure": None, "gap": dict(zip(names, gap, strict=True))}}
            for it, gap in gaps.items()
        ]
        (told,) = columns.widest(found | {"fairness": {"of": groups}}, target_mean(found))
        return told

    small, sure, other = (9.0, -3.0, 21.0), (-4.0, -5.0, -3.0), (6.0, 2.0, 10.0)
    assert "of = sure −4" in widest(small=small, sure=sure, other=other)
    assert "of = small +9" in widest(small=small, unsure=(5.0, -1.0, 11.0))
    assert "of = bare +7" in widest(bare=(7.0, None, None), small=(5.0, -1.0, 11.0))


def test_without_sensitive_columns_nothing_is_said_of_them() -> None:
    found = {**rows.figures(), "digest": "abc", "data_digest": "def"}
    titles = [it.title for it in sections.report_page(report._plain(found)).sections]
    assert not any("does not see" in it for it in titles)


def test_the_card_names_what_was_kept_from_the_model(tmp_path: Path) -> None:
    found = found_in(Task.CLASSIFICATION, tmp_path)
    rows.write_pyproject(tmp_path)
    rows.write_model(Task.CLASSIFICATION, tmp_path / "model")
    made = rows.parameters(), tmp_path, tmp_path / "model"
    card = report.model_card(found, {}, *made)
    assert "## Fairness\n\nNot among the columns above: `tailnum` and `plane_seats`." in card
    assert "- True positive rate: " in card
    # A value of the data is no markup of the card's.
    hostile = "[x](//evil) <b> @all"
    for group in (*found["fairness"]["plane_seats"], *found["slices"]["carrier"]):
        group["name"] = hostile
    card = report.model_card(found, {}, *made)
    assert card.count("\\[x\\](//evil) \\<b\\> @<!-- -->all") > 4 and hostile not in card
    del found["fairness"]
    assert "## Fairness" not in report.model_card(found, {}, *made)
