"""How like two models are: what another machine makes of one fit, and another fit."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rows

from mlrails.core import hashing
from mlrails.core.params import Task
from mlrails.modeling import equivalence, isolation
from mlrails.modeling.checked_copy import Model

HERE = np.array([-1.0, -1e-9, 1e-9, 1.0] * 25)
"""Their spread is .71, and some cross zero, where a relative difference means nothing."""


def named(name: str) -> Model:
    return Model(Path(name), "")


def there(folder: Path) -> Model:
    return Model(folder, hashing.of_folder(folder))


def told(
    monkeypatch: pytest.MonkeyPatch,
    ours: np.ndarray,
    theirs: np.ndarray,
    same_class: bool = False,
) -> str | None:
    """Compare two models that predict this."""
    known = {"ours": ours, "theirs": theirs}
    monkeypatch.setattr(
        isolation, "load", lambda folder, _: SimpleNamespace(scores=lambda _: known[folder.name])
    )
    return equivalence.likeness(named("ours"), named("theirs"), rows.parts()["test"], same_class)


@pytest.mark.parametrize("same_class", [True, False])
def test_two_directories_of_one_fit_predict_the_same(
    model_of: Callable[[Task], Path], tmp_path: Path, same_class: bool
) -> None:
    ours, frame = model_of(Task.CLASSIFICATION), rows.parts()["test"]
    theirs = shutil.copytree(ours, tmp_path / "model")
    assert (
        equivalence.likeness(there(ours), there(theirs), frame, same_class)
        == "identical predictions"
    )
    rows.write_model(Task.REGRESSION, tmp_path / "another")
    assert equivalence.likeness(there(ours), there(tmp_path / "another"), frame, same_class) is None


@pytest.mark.parametrize("unit", [1e-3, 1, 1e6])
@pytest.mark.parametrize("apart", [1e-9, 0.005, 0.03])
def test_of_another_class_is_tolerated_what_is_small_against_the_spread(
    monkeypatch: pytest.MonkeyPatch, unit: float, apart: float
) -> None:
    theirs = (HERE + apart) * unit
    found = told(monkeypatch, HERE * unit, theirs)
    size = f"{apart / HERE.std():.1g} of their spread apart, {apart * unit:.1g} at most"
    assert found == f"within tolerance (predictions are {size})"
    assert told(monkeypatch, HERE * unit, theirs, same_class=True) is None


def test_one_row_that_is_far_off_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = HERE + np.eye(len(HERE))[0] * 0.2
    assert "0.2 at most" in str(told(monkeypatch, HERE, theirs))


@pytest.mark.parametrize(
    "theirs",
    [HERE + 0.05, HERE * 1.06, -HERE, HERE * 0, HERE * np.nan, [*HERE[:-1], np.inf]],
)
def test_another_prediction_is_another_model(
    monkeypatch: pytest.MonkeyPatch, theirs: np.ndarray
) -> None:
    assert told(monkeypatch, HERE, np.asarray(theirs)) is None
    assert told(monkeypatch, np.asarray(theirs), HERE) is None
