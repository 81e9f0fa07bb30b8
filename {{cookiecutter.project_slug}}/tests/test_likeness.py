"""How like two models are: a last bit is forgiven, a difference is not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from flight_delays import carried, likeness
from flight_delays.task import Task

import rows

HERE = np.array([0.25, 0.5, 1e-12])


def told(monkeypatch: pytest.MonkeyPatch, ours: np.ndarray, theirs: np.ndarray) -> str | None:
    """Compare two models that predict this."""
    known = {"ours": ours, "theirs": theirs}
    monkeypatch.setattr(
        carried, "load", lambda folder: SimpleNamespace(scores=lambda _: known[folder.name])
    )
    return likeness.of(Path("ours"), Path("theirs"), rows.parts()["test"])


def test_two_directories_of_one_fit_predict_the_same(
    model_of: Callable[[Task], Path], tmp_path: Path
) -> None:
    ours = model_of(Task.CLASSIFICATION)
    theirs = shutil.copytree(ours, tmp_path / "model")
    assert likeness.of(ours, theirs, rows.parts()["test"]) == "identical predictions"
    rows.write_model(Task.REGRESSION, tmp_path / "another")
    assert likeness.of(ours, tmp_path / "another", rows.parts()["test"]) is None


@pytest.mark.parametrize("sign", [-1, 1])
def test_another_last_bit_is_told_with_its_size(monkeypatch: pytest.MonkeyPatch, sign: int) -> None:
    found = told(monkeypatch, HERE * (1 + sign * 1e-7), HERE)
    assert found == "within tolerance (predictions at most 1.0e-07 apart)"


@pytest.mark.parametrize(
    "theirs", [HERE * (1 + 3e-6), [0.25, 0.5, 1e-3], [0.25, 0.5, np.nan], [0.25, 0.5, np.inf]]
)
def test_another_prediction_is_another_model(
    monkeypatch: pytest.MonkeyPatch, theirs: np.ndarray
) -> None:
    assert told(monkeypatch, HERE, np.asarray(theirs)) is None
    assert told(monkeypatch, np.asarray(theirs), HERE) is None
