"""The whole model as one value: raw rows in, predictions out, and the same bytes anywhere."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from flight_delays import model as module
from mlrails.core.params import Task

ELSEWHERE = """
import sys
from pathlib import Path
import sample
sample.ROOT = Path(sys.argv[1])
import rows
print(*(rows.digest_of(rows.fitted(task)) for task in rows.Task))
"""

each_task = pytest.mark.parametrize("task", Task)


def few(count: int = 20) -> pd.DataFrame:
    return rows.parts()["test"].head(count)


@each_task
def test_an_event_is_called_from_the_threshold_on_and_a_number_is_predicted(task: Task) -> None:
    model = rows.fitted(task)
    found = model.predict(few())
    if task is Task.REGRESSION:
        assert model.threshold is None
        assert list(found) == ["prediction"]
        np.testing.assert_array_equal(found["prediction"], model.scores(few()))
    elif task is Task.MULTICLASS:
        assert list(found) == ["prediction", *(f"probability_{it}" for it in model.classes)]
        shares = np.stack([found[f"probability_{it}"] for it in model.classes], axis=1)
        likeliest = [model.classes[it] for it in shares.argmax(axis=1)]
        assert found["prediction"].tolist() == likeliest
        assert len(set(likeliest)) > 1
    else:
        assert list(found) == ["prediction", "probability"]
        called = found["probability"] >= model.threshold
        np.testing.assert_array_equal(found["prediction"], called)
        assert called.any()
        assert not called.all()


@each_task
def test_what_was_saved_predicts_the_same(task: Task, tmp_path: Path) -> None:
    model = rows.fitted(task)
    model.save(tmp_path)
    again = module.load(tmp_path)
    assert (again.task, again.encoder, again.threshold) == (task, model.encoder, model.threshold)
    np.testing.assert_array_equal(again.scores(few()), model.scores(few()))


@each_task
def test_mlflow_gets_a_frame_with_the_callers_index(task: Task, tmp_path: Path) -> None:
    rows.fitted(task).save(tmp_path)
    found = module._load_pyfunc(str(tmp_path)).predict(few(), params=None)
    assert found.index.equals(few().index)
    pd.testing.assert_frame_equal(
        found, pd.DataFrame(rows.fitted(task).predict(few()), index=few().index)
    )


@each_task
@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_are_predicted(task: Task, count: int) -> None:
    found = rows.fitted(task).predict(few(count))
    assert {values.shape for values in found.values()} == {(count,)}
    for name, values in rows.fitted(task).predict(few()).items():
        if values.dtype == object:
            assert found[name].tolist() == values[:count].tolist()
        else:
            np.testing.assert_allclose(found[name], values[:count], rtol=1e-5)


@each_task
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("carrier", "unknown"),
        ("carrier", None),
        ("scheduled_departure", pd.NaT),
        ("scheduled_departure", pd.Timestamp("2199-12-31 23:59")),
        ("temp", None),
        ("temp", 1e30),
        ("distance", 3),
    ],
)
def test_odd_values_are_predicted(task: Task, column: str, value: Any) -> None:
    odd = few().assign(**{column: value})
    assert np.isfinite(rows.fitted(task).scores(odd)).all()


@each_task
def test_columns_that_are_no_features_are_not_read(task: Task) -> None:
    model = rows.fitted(task)
    only = few()[list(model.encoder.columns)]
    np.testing.assert_array_equal(model.scores(only), model.scores(few()))


def test_only_what_the_fit_reads_changes_the_model() -> None:
    before = rows.digest_of(rows.fitted(Task.CLASSIFICATION))
    figures = rows.values()["evaluation"] | {"confidence": 0.5001, "slices": []}
    assert rows.digest_of(rows.fit(rows.parameters(evaluation=figures))) == before
    fewer = rows.values()["features"] | {"numeric": ["distance", "temp"]}
    assert rows.digest_of(rows.fit(rows.parameters(features=fewer))) != before


@pytest.fixture(scope="module", autouse=True)
def elsewhere() -> Iterator[subprocess.Popen[str]]:
    """Fit in another process, on two cores, while the other tests run on one.

    It is as on a user's machine, which writes byte code and lets the libraries choose.
    """
    freed = {"PYTHONDONTWRITEBYTECODE", "OPENBLAS_CORETYPE", "PYTHONHASHSEED"}
    environment = {name: value for name, value in os.environ.items() if name not in freed}
    paths = [str(rows.ROOT / "src"), str(Path(rows.__file__).parent)]
    environment |= {"PYTHONPATH": os.pathsep.join(paths)}
    environment |= {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, "-c", ELSEWHERE, str(rows.ROOT)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_every_fit_gives_the_same_bytes_on_one_core_and_on_two(
    elsewhere: subprocess.Popen[str],
) -> None:
    here = [rows.digest_of(rows.fitted(task)) for task in Task]
    assert elsewhere.communicate()[0].split() == here
