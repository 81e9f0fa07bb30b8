"""The model directory: raw rows in, no pickle, equal bytes for equal models, whole or not."""

import errno
import io
import json
import logging
import os
import pickle
import pickletools
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import rows
import yaml
from mlflow.exceptions import MlflowException
from mlflow.utils import environment, requirements_utils

from flight_delays import estimator as seam
from flight_delays.model import Predictor
from mlrails.core import hashing
from mlrails.core.errors import WorldError
from mlrails.core.params import Task
from mlrails.modeling import directory, signature

Predict = Callable[[pd.DataFrame], pd.DataFrame]


def raw(task: Task, count: int = 20) -> pd.DataFrame:
    """Return rows with exactly the columns of the signature."""
    return rows.parts()["test"].head(count)[list(rows.fitted(task).encoder.columns)]


@pytest.fixture
def pyfunc(model: Path) -> Predict:
    return loaded(model)


@cache
def loaded(model: Path) -> Predict:
    predict: Predict = mlflow.pyfunc.load_model(str(model)).predict
    return predict


def test_mlflow_predicts_raw_rows_as_the_predictor_does(task: Task, pyfunc: Predict) -> None:
    expected = pd.DataFrame(rows.fitted(task).predict(raw(task)), index=raw(task).index)
    pd.testing.assert_frame_equal(pyfunc(raw(task)), expected)


@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_are_predicted(task: Task, pyfunc: Predict, count: int) -> None:
    assert len(pyfunc(raw(task, count))) == count


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("distance", 3, "Incompatible input types for column distance"),
        ("distance", "far", "Incompatible input types for column distance"),
        ("carrier", 1.5, "Incompatible input types for column carrier"),
        ("scheduled_departure", "soon", "Incompatible input types for column scheduled_departure"),
    ],
)
def test_a_wrong_type_is_refused_by_name(
    task: Task, pyfunc: Predict, column: str, value: Any, reason: str
) -> None:
    with pytest.raises(MlflowException, match=reason):
        pyfunc(raw(task).assign(**{column: value}))


def test_a_missing_column_is_refused_by_name(task: Task, pyfunc: Predict) -> None:
    with pytest.raises(MlflowException, match=r"missing inputs.*carrier"):
        pyfunc(raw(task).drop(columns="carrier"))


@pytest.mark.parametrize(
    ("column", "value"),
    [("carrier", "unknown"), ("carrier", None), ("temp", np.nan), ("temp", np.float32(40))],
)
def test_an_unknown_category_or_a_missing_value_is_predicted(
    task: Task, pyfunc: Predict, column: str, value: Any
) -> None:
    found = pyfunc(raw(task).assign(**{column: value}))
    assert np.isfinite(found.select_dtypes(["float", "bool"])).all(axis=None)
    assert found.notna().all(axis=None)


def test_neither_order_nor_number_of_columns_matters(task: Task, pyfunc: Predict) -> None:
    turned = raw(task)[sorted(raw(task).columns, reverse=True)].assign(more="x")
    pd.testing.assert_frame_equal(pyfunc(turned), pyfunc(raw(task)))


def test_the_input_example_is_predicted(model: Path, pyfunc: Predict) -> None:
    example = mlflow.pyfunc.load_model(str(model)).input_example
    assert len(pyfunc(example)) == 2


def test_equal_models_are_equal_bytes_wherever_they_are_written(
    task: Task, model: Path, tmp_path: Path
) -> None:
    digest = rows.write_model(task, tmp_path / "deep" / "elsewhere")
    assert digest == hashing.of_folder(model)
    other = rows.write_model(task, tmp_path / "other", identity="other rows")
    assert other != digest


def test_nothing_of_this_machine_stands_in_the_directory(model: Path) -> None:
    text = b"".join(path.read_bytes() for path in hashing.files(model))
    assert str(rows.ROOT).encode() not in text
    assert str(model.parent).encode() not in text
    about = yaml.safe_load((model / "MLmodel").read_text())
    assert about["utc_time_created"].startswith("1980")


def test_the_environment_is_named_as_text_and_without_what_built_it(model: Path) -> None:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert yaml.safe_load((model / "python_env.yaml").read_text()) == {
        "python": minor,
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }
    conda = yaml.safe_load((model / "conda.yaml").read_text())
    *others, last = conda["dependencies"]
    assert others == [f"python={minor}", "pip"]
    assert last["pip"] == (model / "requirements.txt").read_text().split("\n")
    about = yaml.safe_load((model / "MLmodel").read_text())
    assert about["flavors"]["python_function"]["python_version"] == minor


@pytest.mark.usefixtures("light")
def test_other_releases_than_the_lock_s_are_warned_of_without_a_look_at_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def never() -> None:
        raise AssertionError("it has read the files of every package")

    monkeypatch.setattr(requirements_utils.importlib_metadata, "packages_distributions", never)
    monkeypatch.setattr(requirements_utils, "_MODULES_TO_PACKAGES", None)
    monkeypatch.setattr(requirements_utils._logger, "propagate", True)
    monkeypatch.setattr(logging.getLogger("mlflow"), "propagate", True)
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==1.0.1\npandas==" + pd.__version__ + "\nnone-such==2\n", "utf-8")
    monkeypatch.setattr(rows, "SERVING_LOCK", lock)  # An absolute path stays what it is.
    rows.write_model(Task.REGRESSION, tmp_path / "model")
    told = caplog.text.partition("mismatches")[2]
    assert "numpy (current" in told and "none-such (current: uninstalled" in told
    assert "pandas" not in told
    assert requirements_utils._MODULES_TO_PACKAGES is None


@pytest.mark.parametrize("minor", ["3.10", "3.11", "3.20"])
def test_no_version_of_python_is_read_as_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minor: str
) -> None:
    monkeypatch.setattr(signature, "minor_version", lambda: minor)
    directory._write_environment(tmp_path / "python_env.yaml")
    assert environment._PythonEnv.from_yaml(tmp_path / "python_env.yaml").python == minor


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("found", [None, "26.3"])
def test_the_tools_of_an_environment_leave_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str | None
) -> None:
    before = rows.write_model(Task.REGRESSION, tmp_path / "before")
    tools = {"pip": found, "setuptools": found, "wheel": found}
    monkeypatch.setattr(environment, "_get_package_version", tools.get)
    assert rows.write_model(Task.REGRESSION, tmp_path / "after") == before


def pickled(name: str, content: bytes) -> Iterator[str]:
    """Yield what unpickling would be needed for, inside archives too."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from pickled(f"{name}/{member}", archive.read(member))
    elif content.startswith(b"\x93NUMPY"):
        try:
            np.load(io.BytesIO(content), allow_pickle=False)
        except ValueError:
            yield name
    else:
        try:
            steps = list(pickletools.genops(content))
        except Exception:
            steps = []
        if len(steps) > 1:
            yield name


def test_there_is_no_pickle_inside_archives_neither(model: Path) -> None:
    found = [
        name for path in hashing.files(model) for name in pickled(path.name, path.read_bytes())
    ]
    assert found == []


def test_a_pickle_would_be_found_wherever_it_hides() -> None:
    objects, hidden = io.BytesIO(), io.BytesIO()
    np.save(objects, np.array([{}], dtype=object))
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("good.json", "{}")
        archive.writestr("array.npy", objects.getvalue())
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            archive.writestr(f"{protocol}.bin", pickle.dumps({"a": 1}, protocol))
    assert list(pickled("x", hidden.getvalue())) == [
        "x/array.npy",
        *(f"x/{protocol}.bin" for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
    ]


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the estimator out where only the folder matters: it takes the most time to write."""
    monkeypatch.setattr(seam, "save", lambda estimator, folder: (folder / "light").touch())


@pytest.mark.usefixtures("light")
def test_verify_passes_the_bytes_and_refuses_one_that_was_changed(tmp_path: Path) -> None:
    digest = rows.write_model(Task.REGRESSION, tmp_path / "model")
    hashing.verify(tmp_path / "model", digest)
    path = tmp_path / "model" / "data" / "model" / "predictor.json"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WorldError, match=f"the bytes are not those of the model {digest[:12]}"):
        hashing.verify(tmp_path / "model", digest)


def test_verify_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"found no files.*nox -s train"):
        hashing.verify(tmp_path / "model", "abc")


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("place", ["save", "rewrite"])
def test_a_crash_in_the_middle_leaves_the_old_model_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    before = rows.write_model(Task.REGRESSION, tmp_path / "model")
    if place == "save":
        monkeypatch.setattr(Predictor, "save", full_disk)
    else:
        monkeypatch.setattr(directory, "_write_environment", full_disk)
    with pytest.raises(OSError, match="No space left"):
        rows.write_model(Task.REGRESSION, tmp_path / "model", identity="new rows")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert hashing.of_folder(tmp_path / "model") == before


@pytest.mark.usefixtures("light")
def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".model.1234.parts" / "model").mkdir(parents=True)
    (tmp_path / "history.json").touch()
    rows.write_model(Task.REGRESSION, tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.json", "model"]


@pytest.mark.usefixtures("light")
def test_a_new_model_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    old = rows.write_model(Task.REGRESSION, tmp_path / "model")
    (tmp_path / "model" / "left over").touch()
    new = rows.write_model(Task.REGRESSION, tmp_path / "model", identity="new rows")
    assert hashing.of_folder(tmp_path / "model") == new != old
    assert not (tmp_path / "model" / "left over").exists()


def test_the_directory_carries_the_users_files_and_nothing_of_the_engine(model: Path) -> None:
    carried = {path.relative_to(model / "code").as_posix() for path in model.glob("code/**/*.py")}
    names = ("__init__", "estimator", "features", "model")
    assert carried == {f"{rows.PACKAGE}/{name}.py" for name in names}


CODE = """
import sys
from importlib.util import find_spec
from pathlib import Path
model, package, frame = sys.argv[1:]
ours = (package, "mlrails")
sys.path[:] = [it for it in sys.path if not any((Path(it) / name).is_dir() for name in ours)]
assert find_spec(package) is None, "the project must not be importable"
assert find_spec("mlrails") is None, "nor may the engine be"
import mlflow.pyfunc, pandas
raw = pandas.read_parquet(frame)
loaded = mlflow.pyfunc.load_model(model).predict(raw)
assert find_spec(package).origin.startswith(model), "the code is the one that the model carries"
assert not any(name.startswith("mlrails") for name in sys.modules)
print(loaded.to_json(orient="columns", double_precision=15))
"""


@pytest.fixture(scope="module", autouse=True)
def elsewhere(
    model_of: Callable[[Task], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[str]]:
    """Load and predict in a process of its own, while the other tests run."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(model_of(Task.CLASSIFICATION), folder / "model")
    raw(Task.CLASSIFICATION).to_parquet(folder / "raw.parquet")
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(folder / "model"), rows.PACKAGE, "raw.parquet"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if "PYTHON" not in name},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def test_it_loads_where_the_project_is_not_importable(
    elsewhere: subprocess.Popen[str], model_of: Callable[[Task], Path]
) -> None:
    output, problems = elsewhere.communicate()
    assert elsewhere.returncode == 0, problems
    found = json.loads(output)["probability"].values()
    task = Task.CLASSIFICATION
    np.testing.assert_allclose(list(found), rows.fitted(task).scores(raw(task)))
    folder = Path(str(elsewhere.args[3]))  # type: ignore[index]
    assert list(folder.rglob("__pycache__"))
    assert hashing.of_folder(folder) == hashing.of_folder(model_of(task))
