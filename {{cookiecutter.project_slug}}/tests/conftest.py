"""What the tests share."""

import gc
import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

# Small fits do not gain from several threads, and on a busy machine they wait for each other.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from flight_delays import data, dvc_cli, embedded, store
from flight_delays.params import FILE
from flight_delays.provenance import LOCK, SERVING_LOCK
from flight_delays.reporting import drawing
from flight_delays.settings import Settings
from flight_delays.task import Task

import fakes
import rows


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported: it would look at all of it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the variables of this machine."""
    for name in ("CI", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "PIPELINE_PROCESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    # DVC reads the words that we were started with, and MLflow adds the code of what it loads.
    monkeypatch.setattr(sys, "argv", ["tests"])
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Task], Path]:
    """Return what gives the model directory of a task; it is shared, so never change it."""

    @cache
    def written(task: Task) -> Path:
        folder = tmp_path_factory.mktemp(task) / "model"
        rows.write_model(task, folder)
        return folder

    return written


@pytest.fixture(params=list(Task))
def task(request: pytest.FixtureRequest) -> Task:
    """Return each task in turn."""
    found: Task = request.param
    return found


@pytest.fixture
def model(task: Task, model_of: Callable[[Task], Path]) -> Path:
    """Return the model directory of each task in turn."""
    return model_of(task)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store as the project makes it, once in a session."""
    root = tmp_path_factory.mktemp("store")
    embedded.prepare(Settings(root))
    return root


@pytest.fixture
def settings(tmp_path: Path, empty_store: Path) -> Settings:
    """Return the settings of a folder that has a real store of its own."""
    shutil.copy(empty_store / "mlflow.db", tmp_path / "mlflow.db")
    return Settings(tmp_path)


@pytest.fixture(params=["fake", "real"])
def client(request: pytest.FixtureRequest) -> Any:
    """Return a client of each kind of store in turn."""
    if request.param == "fake":
        return fakes.FakeClient()
    return store.connect(request.getfixturevalue("settings"))


@pytest.fixture
def experiment(client: Any, tmp_path: Path) -> str:
    """Return the id of the project's experiment."""
    return store.experiment(client, Settings(tmp_path))


@pytest.fixture(scope="session")
def project_files(
    tmp_path_factory: pytest.TempPathFactory, model_of: Callable[[Task], Path]
) -> Path:
    """Return a project of the small rows, with all that its stages make but the report."""
    root = tmp_path_factory.mktemp("project")
    copied = ("dvc.yaml", "pyproject.toml", "python_env.yaml", ".gitignore", LOCK, SERVING_LOCK)
    for name in copied:
        shutil.copy(rows.ROOT / name, root / name)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(rows.ROOT / "src", root / "src", ignore=ignored)
    (root / ".dvc").mkdir()
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (root / FILE).write_text(yaml.safe_dump(rows.values()), "utf-8")
    for part, frame in rows.parts().items():
        data.write(frame, root / data.prepared(part))
    shutil.copytree(model_of(Task.CLASSIFICATION), root / data.MODEL, ignore=ignored)
    data.write_text(json.dumps({"loss": {"0": 0.5, "1": 0.25}}), root / data.HISTORY)
    data.write_text(json.dumps(rows.REPORT), root / data.METRICS)
    (root / data.REPORT).write_text("<html>")
    rows.git(root, "init", "--quiet")
    rows.git(root, "add", ".")
    rows.git(root, "commit", "--quiet", "--message", "first")
    return root


@pytest.fixture
def project(project_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project to work in; the working directory and the variables are put back after."""
    root = tmp_path / "project"
    shutil.copytree(project_files, root)
    monkeypatch.chdir(root)
    for name in ("PATH", "PYTHONPATH", "DVC_NO_ANALYTICS", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return root


@pytest.fixture
def clone(tmp_path: Path) -> Callable[[str], Settings]:
    """Return what clones one bare repository, whose registry is its branch, as somebody."""
    bare = tmp_path / "bare.git"
    rows.git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(bare))

    def cloned(who: str) -> Settings:
        root = tmp_path / who
        rows.git(tmp_path, "clone", "--quiet", str(bare), str(root))
        return Settings(root, actor=who, on_branch=True)

    first = cloned("first").root
    (first / "notes.md").write_text("a project\n", "utf-8")
    rows.git(first, "add", ".")
    rows.git(first, "commit", "--quiet", "--message", "first")
    rows.git(first, "push", "--quiet", "origin", "HEAD:main")
    return cloned


@pytest.fixture
def here(project: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a committed project whose model is evaluated."""
    shutil.copy(empty_store / "mlflow.db", project / "mlflow.db")
    monkeypatch.setattr(dvc_cli, "is_stale", lambda root: False)
    monkeypatch.setattr(drawing, "svg", lambda *_: "<svg></svg>")  # test_gate_report.py draws
    data.write(rows.flights(), project / data.RAW)
    rows.tell_figures(project)
    rows.git(project, "branch", "-M", "main")
    return Settings(project, actor="somebody")


@pytest.fixture
def another(here: Settings) -> Callable[[str], str]:
    """Return what puts a model of other bytes into the project; it predicts the same."""

    def put(identity: str) -> str:
        rows.write_model(Task.CLASSIFICATION, here.root / data.MODEL, identity)
        params = here.root / "params.yaml"
        params.write_text(params.read_text("utf-8") + f"# {identity}\n", "utf-8")
        # Another key: what the stages read has changed.
        (here.root / "src" / rows.PACKAGE / "task.py").open("a").write(f"# {identity}\n")
        rows.git(here.root, "add", "--all")
        rows.git(here.root, "commit", "--quiet", "--message", identity)
        return rows.tell_figures(here.root)

    return put


@pytest.fixture
def lead_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return what lets every connection lead to a given client."""
    return lambda client: monkeypatch.setattr(store, "connect", lambda settings: client)


@pytest.fixture
def fake(lead_to: Callable[[Any], None]) -> fakes.FakeClient:
    """Let every connection lead to one server in memory."""
    client = fakes.FakeClient()
    lead_to(client)
    return client
