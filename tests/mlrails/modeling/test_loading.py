"""A model answers its own example when it is loaded, or is not loaded at all."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import callers
import pytest
import rows
import yaml

from mlrails.core import hashing
from mlrails.core.errors import WorldError
from mlrails.core.params import Task
from mlrails.modeling import loading, signature


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    shutil.copytree(model, tmp_path / "model")
    return tmp_path / "model"


def origin(folder: Path) -> loading.ModelOrigin:
    return loading.ModelOrigin(hashing.of_folder(folder), "3", "flights")


def test_the_interface_holds_types_ranges_and_known_categories(model: Path, task: Task) -> None:
    found = {it.name: it for it in signature.read_interface(model).inputs}
    assert found["temp"] == signature.Field("temp", "double", True, -60, 140, unit="°F")
    assert found["distance"] == signature.Field("distance", "double", False, 1, None, unit="mi")
    assert found["carrier"].known == ("AA", "B6", "DL", "EV", "UA")
    assert found["scheduled_departure"].type == "datetime"
    assert "prediction" in signature.read_interface(model).outputs


def test_a_model_that_does_not_tell_its_ranges_takes_missing_numbers(copy: Path) -> None:
    path = copy / "MLmodel"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"metadata": None}))
    found = {it.name: it for it in signature.read_interface(copy).inputs}
    assert found["distance"] == signature.Field("distance", "double", nullable=True)
    assert not found["carrier"].nullable


def test_a_model_without_an_example_is_refused(copy: Path) -> None:
    (copy / "serving_input_example.json").unlink()
    with pytest.raises(WorldError, match="no input example"):
        loading.load(copy, origin(copy))


def test_the_answer_is_the_predictors(model: Path, task: Task) -> None:
    found = callers.model(model)
    frame = rows.parts()["test"].head(20)
    columns = {it.name: frame[it.name].tolist() for it in found.inputs}
    expected = {name: out.tolist() for name, out in rows.fitted(task).predict(frame).items()}
    assert found.answer(columns, 20) == expected


def test_bytes_of_another_digest_are_not_loaded(copy: Path) -> None:
    known = origin(copy)
    predictor = next((copy / "code").iterdir()) / "model.py"
    predictor.write_text("raise SystemExit('run')\n")
    with pytest.raises(WorldError, match="the bytes are not those"):
        loading.load(copy, known)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no\\nluck')", r"does not answer its own example \(no\)"),
        ("raise SystemExit(0)", r"does not answer its own example \(SystemExit\)"),
        ("return {'prediction': np.full(len(self.scores(rows)), np.nan)}", "no number"),
        ("return {'prediction': self.scores(rows)[:1]}", "another number of answers"),
        ("return {'prediction': self.scores(rows), 'more': self.scores(rows)}", "other columns"),
    ],
)
def test_a_model_that_answers_its_example_badly_is_refused(
    copy: Path, code: str, reason: str
) -> None:
    path = next((copy / "code").iterdir()) / "model.py"
    text = path.read_text().replace("        scores = self.scores(rows)\n", f"        {code}\n", 1)
    path.write_text(text)
    with pytest.raises(WorldError, match=reason):
        loading.load(copy, origin(copy))


def test_an_answer_other_than_at_the_trial_is_refused(model: Path) -> None:
    expected = callers.model(model).try_example()
    loading.load(model, origin(model), expected)
    other = {
        name: [f"not {value}" if isinstance(value, str) else 1 - value for value in values]
        for name, values in expected.items()
    }
    with pytest.raises(WorldError, match="otherwise than when it was tried"):
        loading.load(model, origin(model), other)
    none: Any = [1, 2]
    with pytest.raises(WorldError, match="does not answer its own example"):
        loading.load(model, origin(model), none)


def test_two_models_live_side_by_side(model_of: Callable[[Task], Path]) -> None:
    events, numbers, classes = (callers.model(model_of(task)) for task in Task)
    assert events.try_example().keys() == {"prediction", "probability"}
    assert numbers.try_example().keys() == {"prediction"}
    each = {f"probability_{name}" for name in ("early", "late", "on time")}
    assert classes.try_example().keys() == {"prediction", *each}
    assert dataclasses.astuple(events.origin) != dataclasses.astuple(numbers.origin)
