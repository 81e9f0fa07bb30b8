"""What the tests share."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

import fakes
import pytest
import rows
import yaml
from hypothesis import settings as hypothesis
from mlflow.store.db import utils as databases

from mlrails.core import files, hashing, layout
from mlrails.core.layout import LOCK, SERVING_LOCK
from mlrails.core.params import FILE, Task
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.gate import predictions
from mlrails.lifecycle import scorer
from mlrails.lifecycle.promote import promote
from mlrails.lifecycle.register import register
from mlrails.pipeline import dvc
from mlrails.reporting import svg
from mlrails.tracking import embedded, origin, store

# How long an example takes is the machine's.
hypothesis.register_profile("untimed", deadline=None)
hypothesis.load_profile("untimed")
# MLflow reads the history of its tables anew for each store that it opens.
databases._get_latest_schema_revision = cache(databases._get_latest_schema_revision)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the variables of this machine."""
    pipeline = ("PIPELINE_PROCESS", "PIPELINE_PROJECT", "STARTED_BY")
    for name in ("CI", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", *pipeline):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    # DVC reads the words that we were started with, and MLflow adds the code of what it loads.
    monkeypatch.setattr(sys, "argv", ["tests"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(scorer, "Scorer", Here)


class Here:
    """Lets models predict in this process, which has imported already what they need.

    Another one takes two seconds for it; `lifecycle/test_scorer.py` holds that both say the same.
    """

    of_models = staticmethod(predictions.of_models)

    def __init__(self, settings: Settings) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Task], Path]:
    """Return what gives the model directory of a task; it is shared, so never change it."""

    @cache
    def written(task: Task) -> Path:
        folder = tmp_path_factory.mktemp(task) / "model"
        rows.write_model(task, folder)
        return folder

    return written


@pytest.fixture(scope="session")
def explained_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Task], Path]:
    """Return what gives a model directory with typical rows; it is shared, so never change it."""

    @cache
    def written(task: Task) -> Path:
        folder = tmp_path_factory.mktemp(f"explained-{task}") / "model"
        rows.write_model(task, folder, background=32)
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
def quick_stores(empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a store that is missing be a copy, where MLflow takes a second to make each."""

    def copied(database: Path, where: str, scratch: Path) -> None:
        shutil.copy(empty_store / "mlflow.db", database)
        embedded.follow(database, database.parent)

    monkeypatch.setattr(embedded, "_make", copied)


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


_SOURCE = r"src/\S+\.py"


def _leave_few_files(path: Path) -> None:
    """Let the stages depend on their own files and one more: the others would only be copied.

    Files of an owner's, which `source.py` reads, are none of these rows'.
    """
    text, few = path.read_text("utf-8"), ("/steps/", "/features.py", "/__init__.py")
    deps = {dep for stage in yaml.safe_load(text)["stages"].values() for dep in stage["deps"]}
    ours = ("data/raw", "data/prepared", "models/", "python_env.yaml", SERVING_LOCK)
    kept = {dep for dep in deps if dep.startswith(ours) or any(name in dep for name in few)}
    left_out = deps - kept
    lines = text.splitlines(keepends=True)
    path.write_text("".join(it for it in lines if it.strip().removeprefix("- ") not in left_out))


@pytest.fixture(scope="session")
def project_files(
    tmp_path_factory: pytest.TempPathFactory, model_of: Callable[[Task], Path]
) -> Path:
    """Return a project of the small rows, with all that its stages make but the report."""
    root = tmp_path_factory.mktemp("project")
    copied = ("dvc.yaml", "pyproject.toml", "python_env.yaml", ".gitignore", LOCK, SERVING_LOCK)
    for name in copied:
        shutil.copy(rows.ROOT / name, root / name)
    rows.write_pyproject(root)
    _leave_few_files(root / "dvc.yaml")
    for name in sorted(set(re.findall(_SOURCE, (root / "dvc.yaml").read_text("utf-8")))):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(rows.ROOT / name, root / name)
    (root / ".dvc").mkdir()
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (root / FILE).write_text(yaml.safe_dump(rows.values()), "utf-8")
    parquet.write(rows.flights(), root / layout.RAW)
    for part, frame in rows.parts().items():
        parquet.write(frame, root / layout.prepared(part))
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(model_of(Task.CLASSIFICATION), root / layout.MODEL, ignore=ignored)
    files.write_text(json.dumps({"loss": {"0": 0.5, "1": 0.25}}), root / layout.HISTORY)
    origin.note_machine(root)
    digest = hashing.of_folder(root / layout.MODEL)
    files.write_text(f"{digest}\n", root / layout.DIGEST)
    files.write_text(json.dumps(rows.REPORT | {"digest": digest}), root / layout.METRICS)
    (root / layout.REPORT).write_text("<html>")
    rows.git(root, "init", "--quiet", "--initial-branch", "main")
    rows.git(root, "add", ".")
    rows.git(root, "commit", "--quiet", "--message", "first")
    rows.git(root, "gc", "--quiet")  # one file to copy where there were hundreds
    return root


@pytest.fixture
def project(project_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project to work in; the working directory and the variables are put back after."""
    root = tmp_path / "project"
    shutil.copytree(project_files, root)
    monkeypatch.chdir(root)
    written = ("DVC_NO_ANALYTICS", "MLFLOW_TRACKING_URI", "PIPELINE_PROJECT")
    for name in ("PATH", "PYTHONPATH", *written):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return root


@pytest.fixture
def clone(tmp_path: Path, quick_stores: None) -> Callable[[str], Settings]:
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
def here(project: Path, quick_stores: None, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a committed project whose model is evaluated."""
    monkeypatch.setattr(dvc, "is_stale", lambda root: False)
    monkeypatch.setattr(svg, "svg", lambda *_: "<svg></svg>")  # test_gate_report.py draws
    rows.tell_figures(project)
    return Settings(project, actor="somebody")


@pytest.fixture
def another(here: Settings, states: Path) -> Callable[[str], str]:
    """Return what puts a model of other bytes into the project; it predicts the same."""

    def put(identity: str) -> str:
        kept = states / f"model of {identity}"
        if not kept.exists():
            rows.write_model(Task.CLASSIFICATION, kept, identity)
        shutil.copytree(kept, here.root / layout.MODEL, dirs_exist_ok=True)
        params = here.root / "params.yaml"
        params.write_text(params.read_text("utf-8") + f"# {identity}\n", "utf-8")
        # Another key: what the stages read has changed.
        (here.root / "src" / rows.PACKAGE / "features.py").open("a").write(f"# {identity}\n")
        rows.git(here.root, "add", "--all")
        rows.git(here.root, "commit", "--quiet", "--message", identity)
        return rows.tell_figures(here.root)

    return put


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the states are kept that several tests begin with."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture
def reach(here: Settings, states: Path) -> Callable[[str, Callable[[], object]], None]:
    """Return what brings the project into a state: by its act the first time, then by a copy."""

    def reached(state: str, act: Callable[[], object]) -> None:
        if (states / state).exists():
            shutil.copytree(states / state, here.root, dirs_exist_ok=True)
        else:
            act()
            shutil.copytree(here.root, states / state)

    return reached


@pytest.fixture
def registered(here: Settings, reach: Callable[..., None]) -> None:
    """Let the project's model be version 1."""
    reach("registered", lambda: register(here))


@pytest.fixture
def promoted(here: Settings, reach: Callable[..., None]) -> None:
    """Let the project's model be champion."""
    reach("promoted", lambda: promote(here))


@pytest.fixture
def succeeded(promoted: None, here: Settings, another: Any, reach: Callable[..., None]) -> None:
    """Let the project's model be the second champion."""
    reach("succeeded", lambda: (another("second"), promote(here)))


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
