"""The whole model: raw rows in, predictions out, from a folder that needs nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flight_delays import model as module
from flight_delays.schema import COLUMNS
from mlrails.core import hashing
from mlrails.core.imports import closure
from mlrails.core.layout import SERVING_LOCK
from mlrails.modeling import directory, isolation

import made_up

MODEL = made_up.fitted()
ROWS = made_up.parts()["test"].head(20)
ELSEWHERE = """
import json, sys
from pathlib import Path
sys.modules["mlrails"] = None  # importing it fails
folder, package, rows = Path(sys.argv[1]), sys.argv[2], json.load(sys.stdin)
sys.path.insert(0, str(folder / "code"))
from importlib import import_module
model = import_module(f"{package}.model").load(folder / "data" / "model")
print(json.dumps(model.scores(rows).tolist()))
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the model directory, written as `train` does."""
    folder, seen = tmp_path_factory.mktemp("model") / "model", made_up.parts()["train"]
    directory.write(MODEL, COLUMNS, seen, "made up", made_up.ROOT / SERVING_LOCK, folder)
    return folder


def test_an_event_is_called_from_the_threshold_on_and_a_class_or_number_is_predicted() -> None:
    scores, names = MODEL.scores(ROWS), ("prediction", "lower", "upper")
    if MODEL.classes:
        expected = {"prediction": np.array(MODEL.classes, object)[scores.argmax(axis=1)]}
        expected |= {f"probability_{it}": scores[:, at] for at, it in enumerate(MODEL.classes)}
    elif MODEL.threshold is not None:
        expected = {"prediction": scores >= MODEL.threshold, "probability": scores}
    else:
        expected = {it: scores + end for it, end in zip(names, (0, *MODEL.interval), strict=False)}
    pd.testing.assert_frame_equal(pd.DataFrame(MODEL.predict(ROWS)), pd.DataFrame(expected))


@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_are_predicted(count: int) -> None:
    found = MODEL.predict(ROWS.head(count))
    assert {values.shape for values in found.values()} == {(count,)}


def test_what_was_saved_predicts_the_same(tmp_path: Path) -> None:
    MODEL.save(tmp_path)
    again = module.load(tmp_path)
    assert (again.task, again.encoder) == (MODEL.task, MODEL.encoder)
    assert (again.threshold, again.classes) == (MODEL.threshold, MODEL.classes)
    np.testing.assert_array_equal(again.scores(ROWS), MODEL.scores(ROWS))


def test_mlflow_gets_a_frame_with_the_callers_index(tmp_path: Path) -> None:
    MODEL.save(tmp_path)
    found = module._load_pyfunc(str(tmp_path)).predict(ROWS, params=None)
    pd.testing.assert_frame_equal(found, pd.DataFrame(MODEL.predict(ROWS), index=ROWS.index))


def test_the_directory_carries_your_files_and_nothing_of_the_engine(written: Path) -> None:
    carried = {path.relative_to(written / "code") for path in written.glob("code/**/*.py")}
    needed = closure(f"{made_up.PACKAGE}.model", at_once=True)
    engine = [file for file in needed if file.startswith("mlrails")]
    assert engine == [], (
        "model.py, features.py, estimator.py and what they import travel with the model, where "
        "there is no engine: import it below `if TYPE_CHECKING:`, or inside of `fit` and `save`"
    )
    assert {path.as_posix() for path in carried} == {*needed}
    files = ("__init__", "estimator", "features", "model")
    assert {f"{made_up.PACKAGE}/{file}.py" for file in files} <= {*needed}


def test_the_engine_loads_it_by_its_digest(written: Path) -> None:
    loaded = isolation.load(written, hashing.of_folder(written))
    np.testing.assert_array_equal(loaded.scores(ROWS), MODEL.scores(ROWS))


def test_it_loads_and_scores_where_there_is_no_engine(written: Path) -> None:
    known = ROWS[[*MODEL.encoder.columns]].dropna()
    rows = json.dumps({name: it.tolist() for name, it in known.items()}, default=str)
    command = [sys.executable, "-I", "-B", "-c", ELSEWHERE, str(written), made_up.PACKAGE]
    done = subprocess.run(command, input=rows, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), MODEL.scores(known), rtol=1e-5)
