"""A baked project from end to end: its own gates, and what `nox -s train` promises."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import picture
import pytest
import yaml
from baking import Project, replaced

pytestmark = [pytest.mark.slow, pytest.mark.covering]
one_task = pytest.mark.parametrize("trained", ["classification"], indirect=True)
"""What does not depend on the task is looked at once."""


def digest_of_model(project: Project) -> str:
    """Return the model's digest as the last evaluation wrote it."""
    return json.loads((project.root / "reports" / "metrics.json").read_text("utf-8"))["digest"]


def ran(output: str) -> list[str]:
    """Return the stages that DVC ran, in order."""
    return re.findall(r"Running stage '(\w+)'", output)


@one_task
def test_the_picture_in_the_readme_is_of_todays_report(trained: Project) -> None:
    said = picture.words(trained.root / "reports" / "report.html")
    # Where not: `python tests/picture.py REPORT` takes it anew.
    assert said == picture.WORDS.read_text("utf-8") and picture.PICTURE.is_file()


@pytest.mark.parametrize(
    ("trained", "session"),
    [
        *(("classification", it) for it in ("lint", "secrets", "types", "tests")),
        ("regression", "tests"),
    ],
    indirect=["trained"],
)
def test_the_project_passes_its_own_gates(trained: Project, session: str) -> None:
    done = trained.nox(session)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("trained", ["regression"], indirect=True)
def test_the_tests_let_an_owner_read_files_and_add_modules_and_grow(
    trained: Project, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "copy")
    package = project.root / "src" / project.package
    (package / "queries.py").write_text("def rows():\n" + "    print()\n" * 60, "utf-8")
    source, pipeline = package / "source.py", project.root / "dvc.yaml"
    last = "from mlrails.sources import Track, packaged\n"
    grown = replaced(source.read_text("utf-8"), (last, f"{last}from . import queries\n"))
    source.write_text(grown + "# A line of many.\n" * 300, "utf-8")
    (project.root / "data" / "credit.csv").write_text("a,b\n1,2\n", "utf-8")
    own = f"    deps:\n      - data/credit.csv\n      - src/{project.package}/queries.py\n"
    pipeline.write_text(pipeline.read_text("utf-8").replace("    deps:\n", own, 1), "utf-8")
    done = project.nox("tests")
    assert done.returncode == 0, done.stdout + done.stderr


@one_task
def test_a_key_is_found_before_it_is_committed(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "copy")
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    (project.root / "src" / "keys.py").write_text(f'aws = "{key}"\n', "utf-8")
    done = project.nox("secrets")
    assert done.returncode == 1 and "src/keys.py:1" in done.stdout + done.stderr


def test_the_model_beats_the_constants_clearly(trained: Project) -> None:
    found = json.loads((trained.root / "reports" / "metrics.json").read_text("utf-8"))
    primary = found["test"][found["primary"]]
    constants = [name for name in primary["gains"] if name.startswith("constant")]
    assert constants
    assert all(primary["gains"][name]["low"] > 0 for name in constants)
    assert found["parts"]["test"]["from"] == "2013-09-01"
    assert found["parts"]["test"]["to"] == "2013-10-31"


def test_a_second_train_runs_no_stage_and_makes_no_run(trained: Project) -> None:
    before = runs(trained)
    done = trained.nox("train")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == []
    assert runs(trained) == before
    assert trained.run("git", "status", "--porcelain").stdout == ""


def runs(project: Project, uri: str = "") -> list[dict[str, Any]]:
    """Return every run of a store, by default the project's own, as plain values."""
    code = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiments = [found.experiment_id for found in client.search_experiments()]
print(json.dumps([
    {
        "id": run.info.run_id,
        "status": run.info.status,
        "name": run.info.run_name,
        "experiment": client.get_experiment(run.info.experiment_id).name,
        "tags": run.data.tags,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "inputs": sorted(entry.dataset.name for entry in run.inputs.dataset_inputs),
        "models": [model.model_id for model in (run.outputs.model_outputs if run.outputs else [])],
        "steps": {
            name: [point.step for point in client.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics
        },
        "files": sorted(file.path for file in client.list_artifacts(run.info.run_id)),
    }
    for run in client.search_runs(experiments)
]))
"""
    own = f"sqlite:///{project.root / 'mlflow.db'}"
    done = project.code(code, uri or own)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_run_says_where_the_model_came_from(trained: Project) -> None:
    (run,) = runs(trained)
    tags, head = run["tags"], trained.run("git", "rev-list", "--max-parents=0", "HEAD")
    assert run["status"] == "FINISHED"
    assert tags["digest"] == digest_of_model(trained)
    assert tags["git_commit"] == tags["mlflow.source.git.commit"] == head.stdout.strip()
    assert tags["git_dirty"] == "false"
    assert re.fullmatch("[0-9a-f]{64}", tags["input_key"])
    assert {"data_digest", "lock_digest", "cpu_class"} <= set(tags)
    assert run["params"]["estimator.learning_rate"] in {"0.1", "0.05"}
    assert run["inputs"] == ["test", "train", "validation"]
    assert len(run["models"]) == 1
    steps = run["steps"]["validation_loss"]
    assert len(steps) > 10 and steps == sorted(set(steps))
    assert run["files"] == ["inputs", "outputs", "reports"]


def test_a_changed_hyperparameter_runs_train_and_evaluate_only(
    trained: Project, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "copy")
    path = project.root / "params.yaml"
    path.write_text(path.read_text("utf-8").replace("max_iter: 300", "max_iter: 20"), "utf-8")
    done = project.nox("train")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == ["train", "evaluate"]
    new, old = runs(project)
    assert new["tags"]["git_dirty"] == "true" and old["tags"]["git_dirty"] == "false"
    assert new["tags"]["digest"] != old["tags"]["digest"]
    assert new["tags"]["data_digest"] == old["tags"]["data_digest"]

    path.write_text(path.read_text("utf-8").replace("max_iter: 20", "max_iter: 300"), "utf-8")
    back = project.nox("train")
    assert ran(back.stdout) == [] and len(runs(project)) == 2
    assert digest_of_model(project) == old["tags"]["digest"]


@one_task
def test_a_moved_project_keeps_its_runs_and_their_artifacts(
    trained: Project, tmp_path: Path
) -> None:
    there = trained.copy(tmp_path / "a" / "b c")
    code = """
import sys, mlflow
client = mlflow.MlflowClient(sys.argv[1])
run, = client.search_runs([e.experiment_id for e in client.search_experiments()])
model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
print(client.download_artifacts(run.info.run_id, "reports/report.md"), model.artifact_location)
"""
    assert there.verb("evaluate").returncode == 0
    done = there.code(code, f"sqlite:///{there.root / 'mlflow.db'}")
    assert done.returncode == 0, done.stderr
    assert str(trained.root) not in done.stdout


@one_task
def test_a_fresh_clone_pulls_and_retrains_nothing(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "project")
    remote = ["remote", "add", "--default", "storage", str(tmp_path / "remote")]
    assert project.run("dvc", *remote).returncode == 0
    assert project.nox("push").returncode == 0
    project.commit()
    clone = Project(tmp_path / "clone", project.env, project.tools)
    assert project.run("git", "clone", "-q", str(project.root), str(clone.root)).returncode == 0
    pulled = clone.nox("pull")
    assert pulled.returncode == 0, pulled.stdout + pulled.stderr
    done = clone.nox("train")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == []
    assert digest_of_model(clone) == digest_of_model(trained)
    # The clone's own store has never seen the run: it is told from the restored files.
    (there,), (here,) = runs(trained), runs(clone)
    for part in ("status", "params", "metrics", "inputs", "steps", "files"):
        assert here[part] == there[part], part
    for tag in ("input_key", "digest", "data_digest"):
        assert here["tags"][tag] == there["tags"][tag]


@one_task
@pytest.mark.parametrize("verb", ["push", "pull"])
def test_without_a_remote_one_is_told_how_to_set_it(trained: Project, verb: str) -> None:
    done = trained.verb(verb)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "dvc remote add --default" in done.stderr


def test_one_core_and_another_folder_give_the_same_bytes(trained: Project, tmp_path: Path) -> None:
    root = tmp_path / "elsewhere"
    root.mkdir()
    listed = trained.run("git", "ls-files").stdout.split()
    for name in listed:
        if name != "dvc.lock":
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(trained.root / name, root / name)
    again = Project(root, trained.env, trained.tools)
    assert again.run("git", "init", "-q").returncode == 0
    done = again.run("taskset", "-c", "0", again.python, "-m", again.package, "train")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == ["ingest", "prepare", "train", "evaluate"]
    lock, other = (yaml.safe_load((path / "dvc.lock").read_text()) for path in (root, trained.root))
    for stage, recorded in lock["stages"].items():
        assert recorded["outs"] == other["stages"][stage]["outs"], stage


@one_task
def test_evaluate_alone_makes_the_report_again(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "copy")
    (project.root / "reports" / "report.html").unlink()
    done = project.nox("evaluate")
    assert done.returncode == 0, done.stdout + done.stderr
    # DVC restores the missing file from its cache: nothing is computed again.
    assert ran(done.stdout) == []
    page = (project.root / "reports" / "report.html").read_bytes()
    assert page == (trained.root / "reports" / "report.html").read_bytes()


@one_task
def test_evaluate_of_a_model_of_other_params_is_not_recorded(
    trained: Project, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "copy")
    path = project.root / "params.yaml"
    path.write_text(path.read_text("utf-8").replace("max_iter: 300", "max_iter: 30"), "utf-8")
    done = project.nox("evaluate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is recorded" in done.stdout + done.stderr
    assert len(runs(project)) == 1


@one_task
def test_a_search_writes_the_best_values_and_the_next_train_makes_their_model(
    trained: Project, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "copy")
    path = project.root / "params.yaml"
    space = ("max_iter: {low: 100, high: 1000, log: true}", "max_iter: {low: 5, high: 20}")
    before = replaced(path.read_text("utf-8"), ("max_iter: 300", "max_iter: 2"), space)
    path.write_text(before, "utf-8")
    done = project.nox("tune", "--", "--trials", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == []
    told = json.loads((project.root / "reports" / "tune.json").read_text("utf-8"))
    found = next(it for it in told["trials"] if it["number"] == told["best"])
    params = yaml.safe_load(path.read_text("utf-8"))
    assert {name: params["estimator"][name] for name in found["values"]} == found["values"]
    assert params["estimator"]["max_iter"] >= 5
    assert [it for it in path.read_text("utf-8").splitlines() if "#" in it] == [
        it for it in before.splitlines() if "#" in it
    ]
    below = [it for it in runs(project) if it["experiment"] == "flight-delays-tuning"]
    assert sorted(it["name"] for it in below)[:3] == ["trial 0", "trial 1", "trial 2"]
    done = project.nox("train")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == ["train", "evaluate"]
    metrics = json.loads((project.root / "reports" / "metrics.json").read_text("utf-8"))
    figure = metrics["validation"][metrics["primary"]]["models"]["model"]["value"]
    assert found["value"] == pytest.approx(figure, abs=2e-6)


@one_task
def test_help_imports_nothing_heavy(trained: Project) -> None:
    code = f"""
import os, runpy, sys
sys.argv, os._exit = ["x", "--help"], sys.exit  # a process of the project ends at once
try:
    runpy.run_module({trained.package!r}, run_name="__main__")
except SystemExit:
    print(sorted(set(sys.modules) & set("mlflow sklearn pandas numpy dvc".split())))
"""
    done = trained.run(trained.python, "-c", code)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
    assert "train" in done.stdout


def test_the_store_has_one_model_that_loads_both_ways(trained: Project) -> None:
    code = """
import sys, mlflow, mlflow.sklearn, pandas as pd
rows = pd.read_parquet("data/prepared/test.parquet").head(50)
model = mlflow.pyfunc.load_model("models/model")
wanted = model.metadata.get_input_schema().input_names()
print(list(model.predict(rows[wanted]).columns))
print(type(mlflow.sklearn.load_model("models/model")).__name__)
"""
    done = trained.run(trained.python, "-c", code, PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    assert "'prediction'" in done.stdout and "HistGradientBoosting" in done.stdout


@one_task
def test_no_git_and_no_repository_are_said_in_words(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "copy")
    shutil.rmtree(project.root / ".git")
    done = project.verb("train", GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert done.returncode == 2 and "git init" in done.stderr
    empty = tmp_path / "bin"
    empty.mkdir()
    python = [project.python, "-m", project.package, "train"]
    env = {**project.env, "PATH": str(empty), "PYTHONPATH": str(project.root / "src")}
    without = subprocess.run(python, cwd=project.root, env=env, capture_output=True, text=True)
    assert without.returncode == 1 and "install it" in without.stderr
    assert "Traceback" not in done.stderr + without.stderr
