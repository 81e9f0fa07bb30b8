"""`explain`: which rows may be asked for, in which words, and what is printed."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import callers
import fakes
import pandas as pd
import pytest
import rows

from mlrails.batch.explain import MOST_ROWS, Question, explain
from mlrails.core import hashing, layout
from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.core.settings import Settings

ROW = callers.ROW | {"distance": 50.0, "wind_speed": 12}
Asked = Callable[..., Any]


@pytest.fixture
def here(project: Path, fake: fakes.FakeClient, explained_of: Callable[[Task], Path]) -> Path:
    """A project whose model, which is no champion, can be explained."""
    lay(project, explained_of(Task.CLASSIFICATION))
    return project


def lay(root: Path, model: Path) -> None:
    shutil.rmtree(root / layout.MODEL)
    shutil.copytree(model, root / layout.MODEL)
    digest = hashing.of_folder(root / layout.MODEL)
    (root / layout.METRICS).write_text(json.dumps({"digest": digest}))
    (root / layout.DIGEST).write_text(digest)


@pytest.fixture
def asked(here: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Return what asks, and gives what was printed as JSON."""

    def ask(wanted: str | None = None, output: str | None = None, **how: Any) -> Any:
        explain(Settings(here, **how), Question(wanted, output, as_json=True), "champion")
        return json.loads(capsys.readouterr().out)["explanations"]

    return ask


def values(told: Any) -> dict[str, Any]:
    return {it["column"]: it["value"] for it in told["contributions"]}


def test_a_row_is_a_json_object_and_adds_up(asked: Asked) -> None:
    (found,) = asked(json.dumps(ROW))
    total = found["base"] + sum(it["contribution"] for it in found["contributions"])
    assert total == pytest.approx(found["prediction"], abs=1e-6)
    assert values(found) == ROW
    assert len(asked(json.dumps([ROW, ROW | {"carrier": "EV"}]))) == 2


def test_a_file_of_json_is_read_too(here: Path, asked: Asked) -> None:
    (here / "row.json").write_text("\ufeff" + json.dumps(ROW), "utf-8")
    assert [values(it) for it in asked("row.json")] == [ROW]


def test_the_number_of_a_test_row_is_enough(asked: Asked) -> None:
    frame = rows.parts()["test"]
    for number in (1, 17, len(frame)):
        (found,) = asked(str(number))
        expected = frame.iloc[number - 1]
        assert values(found)["carrier"] == expected["carrier"]
        assert values(found)["distance"] == expected["distance"]


def test_without_a_row_the_models_own_example_is_explained(here: Path, asked: Asked) -> None:
    (found,) = asked()
    told = json.loads((here / layout.MODEL / "serving_input_example.json").read_text("utf-8"))
    split = told["dataframe_split"]
    assert values(found) == dict(zip(split["columns"], split["data"][0], strict=True))


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_row_of_a_file_is_named_by_its_number(here: Path, asked: Asked, name: str) -> None:
    frame = rows.parts()["test"].head(MOST_ROWS + 20)
    frame.to_csv(here / name, index=False) if name.endswith("csv") else frame.to_parquet(
        here / name
    )
    for number in (1, MOST_ROWS + 5):
        (found,) = asked(f"{name}:{number}")
        assert values(found)["carrier"] == frame["carrier"].iloc[number - 1]
    with pytest.raises(UsageError, match=rf"more than {MOST_ROWS} rows; name one .* {name}:1"):
        asked(name)
    with pytest.raises(UsageError, match=r"no row 99; it has 36 rows"):
        asked(f"{name}:99")


def test_few_rows_of_a_file_are_all_explained(here: Path, asked: Asked) -> None:
    rows.parts()["test"].head(3).to_csv(here / "few.csv", index=False)
    assert len(asked("few.csv")) == 3


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("{", r"ROW: not JSON \(.*\); write '\{\"scheduled_departure\": …"),
        ("[]", "ROW: no object of columns and values"),
        ("[1]", "ROW: no object of columns and values"),
        (json.dumps(ROW | {"carier": "x"}), r"'carier' is none of .*\(did you mean 'carrier'\?\)"),
        (json.dumps({"carrier": "x"}), "'scheduled_departure' is missing; write .* all 7 columns"),
        (
            json.dumps(ROW | {"distance": [1]}),
            "the column 'distance' is list.*, and the model takes a number",
        ),
        (json.dumps(ROW | {"distance": "far"}), "row 1: column 'distance': must be a valid number"),
        (json.dumps(ROW | {"distance": True}), "'distance' is bool, and the model takes a number"),
        (json.dumps(ROW | {"wind_speed": 300}), "'wind_speed': must be less than or equal to 200"),
        (" ", "ROW: is empty; write"),
        ("0", r"0: there are test rows 1 to [\d,]+; name one"),
        ("99999999", r"99999999: there are test rows 1 to"),
        ("nothing.csv", "nothing.csv: no .parquet or .csv file there"),
        ("nothing.csv:3", "nothing.csv: no .parquet or .csv file there"),
    ],
)
def test_what_is_no_row_ends_with_a_sentence(asked: Asked, wanted: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as told:
        asked(wanted)
    assert "\n" not in str(told.value) and "far" not in str(told.value)


def test_an_output_that_is_none_is_told_before_rows_are_read(asked: Asked) -> None:
    with pytest.raises(UsageError, match="'late' cannot be explained; what can: probability"):
        asked("nothing.csv", "late")


def test_a_model_of_before_says_what_to_do(
    here: Path, asked: Asked, model_of: Callable[[Task], Path]
) -> None:
    lay(here, model_of(Task.CLASSIFICATION))
    with pytest.raises(UsageError, match="write `background: 32` below `features`"):
        asked()


def test_a_person_reads_a_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = json.dumps(ROW | {"carrier": "ZZ", "dest": "BOS"})
    explain(Settings(here), Question(wanted), "champion")
    said = capsys.readouterr().out
    assert re.search(r"^row 1: probability 0\.\d+, where typical rows have 0\.\d+$", said, re.M)
    assert re.search(r"^carrier +ZZ +[+-]0\.\d+$", said, re.M)
    assert re.search(r"^temp +missing +[+-]", said, re.M)
    assert "carrier is a category that no training row has" in said
    assert "there the model guesses" in said


def test_values_of_rows_are_not_printed_where_logs_are_public(
    here: Path, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    (told,) = asked(json.dumps(ROW), in_ci=True)
    assert {it["value"] for it in told["contributions"]} == {None}
    explain(Settings(here, in_ci=True), Question(json.dumps(ROW)), "champion")
    said = capsys.readouterr().out
    assert "carrier" in said and "AA" not in said and "JFK" not in said


def test_rows_of_a_table_are_the_ones_of_the_data(here: Path, asked: Asked) -> None:
    frame = pd.DataFrame([ROW | {"temp": float(it)} for it in range(3)])
    frame.to_csv(here / "t.csv", index=False)
    assert [values(it)["temp"] for it in asked("t.csv")] == [0.0, 1.0, 2.0]
