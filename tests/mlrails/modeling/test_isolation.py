"""A model loaded with its own code: two that differ live in one process, and leave no trace."""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows

from mlrails.core import hashing
from mlrails.core.errors import WorldError
from mlrails.core.params import Task
from mlrails.modeling import isolation


def loaded_of(folder: Path) -> Any:
    """Load what lies in a folder, whatever it is."""
    return isolation.load(folder, hashing.of_folder(folder))


def test_it_predicts_as_the_fitted_model_does(task: Task, model: Path) -> None:
    test = rows.parts()["test"]
    loaded = loaded_of(model)
    np.testing.assert_array_equal(loaded.scores(test), rows.fitted(task).scores(test))
    assert type(loaded).__module__.startswith("_carried_")


def test_loading_leaves_no_byte_code(task: Task, model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (next((copy / "code").iterdir()) / "__init__.py").write_text(f'"""{task}."""\n')
    before = {path.name for path in copy.rglob("*")}
    loaded_of(copy)
    assert {path.name for path in copy.rglob("*")} == before
    assert sys.dont_write_bytecode == (sys.flags.dont_write_bytecode == 1)


def test_models_with_different_code_live_in_one_process(
    model: Path, task: Task, tmp_path: Path
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model, copy)
    features = next((copy / "code").iterdir()) / "features.py"
    features.write_text(
        features.read_text() + "\n_codes_before = _codes\n\n\n"
        "def _codes(values, known):\n    return _codes_before(values, known) * np.nan\n"
    )
    test = rows.parts()["test"]
    changed, plain = loaded_of(copy), loaded_of(model)
    assert (changed.scores(test) != plain.scores(test)).any()
    np.testing.assert_array_equal(plain.scores(test), rows.fitted(task).scores(test))


def test_what_a_model_says_of_itself(task: Task, model: Path) -> None:
    about = isolation.about(model)
    assert about["task"] == task
    assert about["encoder"]["numeric"] == ["distance", "wind_speed", "temp"]


@pytest.mark.parametrize(
    "content", [None, "", "{", "flavors: {python_function: {loader_module: alone}}"]
)
def test_a_foreign_folder_is_refused_by_name(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "MLmodel"
    (tmp_path / "notes.md").write_text("Nothing of a model.")
    if content is not None:
        path.write_text(content)
    digest = hashing.of_folder(tmp_path)
    with pytest.raises(WorldError, match=f"{path}: not a model of this project; run `nox"):
        isolation.load(tmp_path, digest)
