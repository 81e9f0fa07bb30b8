"""Bytes that are not the model's: from a poisoned remote, and in every environment of MLflow's."""

import json
import os
from hashlib import md5
from pathlib import Path

import pytest
from baking import Project

pytestmark = pytest.mark.slow

HARM = "\nimport sys\n\nsys.stderr.write('foreign code ran\\n')\n"
UNGUARDED = """
from mlrails.core import dvc_lock, hashing, layout
dvc_lock.verify = lambda *_, **__: None
layout.model_digest = lambda root: hashing.of_folder(root / layout.MODEL)
"""
PYENV = """#!/bin/sh
case "$1" in
  root) echo "$PYENV_ROOT" ;;
  install)
    [ "$2" != --list ] || { echo "  VERSION"; exit; }
    mkdir -p "$PYENV_ROOT/versions/VERSION/bin"
    ln -sf "PYTHON" "$PYENV_ROOT/versions/VERSION/bin/python" ;;
esac
"""


@pytest.fixture
def poisoned(trained: Project, tmp_path: Path) -> Project:
    """Return a project whose remote has a model with other code; nothing of it is here yet."""
    project, store = trained.copy(tmp_path / "project"), tmp_path / "store"
    added = project.run("dvc", "remote", "add", "--quiet", "--default", "storage", str(store))
    assert added.returncode == 0, added.stderr
    project.commit()
    pushed = project.nox("push")
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    code = project.root / "models" / "model" / "code" / project.package / "model.py"
    name = md5(code.read_bytes()).hexdigest()  # noqa: S324 - as DVC names it
    held = store / "files" / "md5" / name[:2] / name[2:]
    held.chmod(0o644)
    held.write_text(held.read_text("utf-8") + HARM, "utf-8")
    forget(project)
    return project


def forget(project: Project) -> None:
    gone = [".dvc/cache", ".dvc/tmp", "models", "reports", "data"]
    assert project.run("rm", "-rf", *gone).returncode == 0


def digest(project: Project) -> str:
    found = json.loads((project.root / "reports" / "metrics.json").read_text("utf-8"))
    return str(found["digest"])


def change(project: Project) -> None:
    """Let the model be evaluated anew, and not be trained."""
    path = project.root / "params.yaml"
    path.write_text(path.read_text("utf-8").replace("resamples: 1000", "resamples: 900"), "utf-8")
    project.commit()


def test_a_poisoned_remote_gives_no_champion(poisoned: Project) -> None:
    pulled = poisoned.nox("pull")
    assert pulled.returncode != 0
    assert "not the bytes that dvc.lock names" in pulled.stdout + pulled.stderr
    forget(poisoned)
    # DVC itself takes them, unless its remote is told to verify.
    assert poisoned.run("dvc", "pull", "--quiet").returncode == 0
    for words in (["promote", "--dirty"], ["predict", "--local", "data/raw", "out.csv"]):
        refused = poisoned.verb(*words)
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert "not the bytes that dvc.lock names" in refused.stderr
    change(poisoned)
    trained = poisoned.nox("train")
    told = trained.stdout + trained.stderr
    assert trained.returncode != 0 and "not the bytes that dvc.lock names" in told
    assert "foreign code ran" not in told


def test_without_the_guards_the_poisoned_model_is_champion(
    poisoned: Project, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(UNGUARDED, "utf-8")
    paths = os.pathsep.join([str(poisoned.root / "src"), str(tmp_path)])
    for words in (["pull"], ["train"], ["promote", "--dirty"]):
        if words == ["train"]:
            change(poisoned)
        done = poisoned.verb(*words, PYTHONPATH=paths)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ("foreign code ran" in done.stderr) is (words != ["pull"])
    told = poisoned.verb("history", "--json")
    assert [it["digest"] for it in json.loads(told.stdout)] == [digest(poisoned)]


@pytest.mark.parametrize(
    "manager", ["local", "uv", pytest.param("virtualenv", marks=pytest.mark.proof)]
)
def test_every_environment_manager_of_mlflow_answers_the_example(
    trained: Project, tmp_path: Path, manager: str
) -> None:
    """Conda cannot be had here: the engine's `modeling/test_directory.py` reads its file."""
    ask = "import sys; print(sys._base_executable, sys.version.split()[0])"
    python, version = trained.run(trained.python, "-c", ask).stdout.split()
    pyenv = tmp_path / "bin" / "pyenv"
    pyenv.parent.mkdir()
    # It builds Pythons of their sources; here is one already.
    pyenv.write_text(PYENV.replace("VERSION", version).replace('PYTHON"', f'{python}"'), "utf-8")
    pyenv.chmod(0o755)
    model = trained.root / "models" / "model"
    words = ["mlflow", "models", "predict", "--model-uri", str(model)]
    words += ["--input-path", str(model / "serving_input_example.json")]
    programs = pyenv.parent, Path(trained.python).parent
    own = {
        "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
        "PIP_CACHE_DIR": str(Path.home() / ".cache" / "pip"),
        "PIP_COMPILE": "false",  # It takes longer than the prediction.
        "MLFLOW_ENV_ROOT": str(tmp_path / "environments"),
        "PYENV_ROOT": str(tmp_path / "pyenv"),
        "PYTHONPATH": "",
    }
    done = trained.run(*words, "--env-manager", manager, **own)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = json.loads(done.stdout.strip().splitlines()[-1])["predictions"]
    assert len(answers) == 2 and all(0 < it["probability"] < 1 for it in answers)
