"""The frameworks beside the first one: siblings of one file, each taken through the project's acts.

The matrix is read from `cookiecutter.json`; the first framework is what all other tests are about.
"""

import csv
import itertools
import json
import os
import re
import shlex
import tomllib
import urllib.request
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from baking import (
    CHOICES,
    PROOF,
    PYTHONS,
    SOURCE,
    Project,
    bake,
    combinations,
    share_byte_code,
    wheels_of_torch,
)
from image import megabytes_of_image
from old_project import unpack_network
from serving import asks, free_port, load, ours, started
from test_adopt_story import TABLES, write

FIRST, *OTHERS = CHOICES["framework"]
TASKS = CHOICES["task"]
LOCKS = {"requirements.lock", "requirements-dev.lock"}
ANSWERED = {".template.json", "params.yaml"}
SAYS = str(Path(__file__).with_name("says.py"))
SEAM = "src/flight_delays/estimator.py"


def files(root: Path) -> dict[str, bytes]:
    names = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {it.as_posix(): (root / it).read_bytes() for it in names if it.parts[0] != ".git"}


def differing(one: Path, other: Path) -> set[str]:
    first, second = files(one), files(other)
    return {name for name in first | second if first.get(name) != second.get(name)}


@pytest.mark.parametrize("framework", OTHERS)
def test_bakes_of_two_frameworks_differ_in_the_seam_and_what_it_needs(
    framework: str, tmp_path: Path, user: Mapping[str, str]
) -> None:
    one, other = (
        bake(tmp_path / name, user, framework=name, forge="none") for name in (FIRST, framework)
    )
    assert differing(one, other) == {SEAM, *ANSWERED, "pyproject.toml", *LOCKS}

    params = [yaml.safe_load((root / "params.yaml").read_text("utf-8")) for root in (one, other)]
    for section in ("estimator", "tune"):
        assert params[0].pop(section) != params[1].pop(section)
    assert params[0] == params[1]

    needs = [tomllib.loads((it / "pyproject.toml").read_text("utf-8")) for it in (one, other)]
    groups = [it["dependency-groups"].pop("framework") for it in needs]
    assert not set(groups[0]) & set(groups[1])
    overrides = [it["tool"]["mypy"].pop("overrides") for it in needs]
    assert overrides[0] == overrides[1][: len(overrides[0])]
    needs[1]["tool"].pop("uv", None)
    assert needs[0] == needs[1]


@pytest.mark.parametrize("framework", CHOICES["framework"])
def test_bakes_of_two_tasks_differ_in_the_params_and_in_what_a_caller_is_told(
    framework: str, tmp_path: Path, user: Mapping[str, str]
) -> None:
    one, other = (bake(tmp_path / task, user, framework=framework, task=task) for task in TASKS)
    assert differing(one, other) == {*ANSWERED, "docs/serving.md"}


@pytest.mark.parametrize("framework", CHOICES["framework"])
def test_a_lock_names_releases_and_no_build_of_them(framework: str) -> None:
    libraries = {"scikit-learn": "scikit-learn", "pytorch": "torch", "tensorflow": "tensorflow"}
    for name in LOCKS:
        text = (SOURCE / "overlays" / "framework" / framework / name).read_text("utf-8")
        releases = dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", text))
        assert libraries[framework] in releases
        assert not [release for release in releases.values() if "+" in release]
        assert not re.search(r"(?m)^(nvidia|cuda|triton)", text)
    # What serves a model knows no other framework; to train, the report and MLflow need more.
    overlay = SOURCE / "overlays" / "framework" / framework
    serving, dev = ((overlay / f"requirements{it}.lock").read_text("utf-8") for it in ("", "-dev"))
    assert {it for it in libraries.values() if f"\n{it}==" in serving} == {libraries[framework]}
    assert "optuna==" not in serving
    assert "\noptuna==" in dev


@pytest.mark.parametrize("framework", CHOICES["framework"])
def test_the_projects_own_values_lie_in_the_space_that_may_be_tried(
    framework: str, tmp_path: Path, user: Mapping[str, str]
) -> None:
    root = bake(tmp_path, user, framework=framework, forge="none")
    params = yaml.safe_load((root / "params.yaml").read_text("utf-8"))
    assert len(params["tune"]["space"]) >= 5
    for name, axis in params["tune"]["space"].items():
        value = params["estimator"][name]
        inside = value in axis if isinstance(axis, list) else axis["low"] <= value <= axis["high"]
        assert inside, name


def test_every_choice_of_framework_task_and_python_is_tried() -> None:
    assert set(PYTHONS) == set(CHOICES["framework"])
    assert set(PYTHONS.values()) == set(CHOICES["python_version"])
    assert PYTHONS[FIRST] != CHOICES["python_version"][0]  # which all other tests are about


NAMES = "framework", "task"
every = list(itertools.product(OTHERS, TASKS))
# Each framework and each task once; `nox -s proof` takes both of each.
some = every if PROOF else [*zip(OTHERS, TASKS, strict=True)]
each = pytest.mark.parametrize(NAMES, some)
each_framework = pytest.mark.parametrize(NAMES, [*dict(some).items()])
# What the engine does in the same lines for all of them.
one_framework = each_framework if PROOF else pytest.mark.parametrize(NAMES, some[:1])
Trained = Callable[[str, str], Project]


@pytest.fixture(scope="module")
def trained_of(
    tmp_path_factory: pytest.TempPathFactory, user: Mapping[str, str], tools: Path
) -> Trained:
    """What gives the committed project of a framework and task after its first `nox -s train`."""
    kept = tmp_path_factory.mktemp("frameworks")

    @cache
    def made(framework: str, task: str) -> Project:
        answers = {"framework": framework, "python_version": PYTHONS[framework]}
        root = bake(kept / framework / task, user, task=task, **answers)
        project = Project(root, user, kept / "tools" / framework)
        project.commit()
        act(project, "train", "--install-only")
        share_byte_code(project.tools, tools)
        act(project, "train")
        project.commit()
        return project

    return made


@pytest.fixture
def project(trained_of: Trained, framework: str, task: str) -> Project:
    return trained_of(framework, task)


def act(project: Project, *words: str) -> str:
    done = project.nox(*words)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "Traceback" not in said, said
    return said


@pytest.mark.slow
@each
def test_no_network_is_worse_than_a_linear_model(project: Project) -> None:
    found = json.loads((project.root / "reports" / "metrics.json").read_text("utf-8"))
    gains = found["test"][found["primary"]]["gains"]
    (linear,) = (gains[name] for name in gains if name.endswith("regression"))
    assert linear["high"] > 0
    middling = [gains[name] for name in gains if not name.endswith("regression")]
    assert all(gain["value"] > 0 for gain in middling)


@pytest.mark.slow
@each_framework
def test_every_epoch_is_tracked(project: Project) -> None:
    code = """
import json
import os, sys
from mlflow import MlflowClient
client = MlflowClient(f"sqlite:///{sys.argv[1]}/mlflow.db")
(run,) = client.search_runs([it.experiment_id for it in client.search_experiments()])
names = "train_loss", "validation_loss", "learning_rate", "epoch_seconds"
steps = {name: client.get_metric_history(run.info.run_id, name) for name in names}
print(json.dumps({name: [it.step for it in points] for name, points in steps.items()}))
"""
    done = project.run(project.python, "-c", code, str(project.root))
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)
    assert len(steps["train_loss"]) > 3
    assert all(sorted(it) == list(range(len(steps["train_loss"]))) for it in steps.values())


@pytest.mark.slow
@each
def test_it_is_promoted_and_made_again_to_the_byte(project: Project) -> None:
    assert "is the champion" in act(project, "promote")
    assert "version 1: identical bytes" in act(project, "reproduce")


@pytest.mark.slow
@each
def test_its_champion_answers_requests_and_scores_files(project: Project, tmp_path: Path) -> None:
    here = project.copy(tmp_path / "project")
    act(here, "promote")
    rows, port = asks(here, tmp_path / "rows", 50, 1, here.root / "models" / "model"), free_port()
    with started(here, ours(here, port), port, tmp_path / "log"):
        # 32 bits, and rows that are answered together are added up in another order.
        found = load(here, port, 4, 2, rows, tolerance=1e-5)
    assert set(found["statuses"]) == {"200"} and found["requests"] > 50, found
    assert found["wrong"] == found["lost"] == found["unanswered"] == 0, found
    (told,) = json.loads(here.verb("explain", "17", "--json").stdout)["explanations"]
    moved = [it["contribution"] for it in told["contributions"]]
    assert told["base"] + sum(moved) == pytest.approx(told["prediction"], abs=1e-6, rel=1e-6)
    assert len(moved) > 5 and max(map(abs, moved)) > 0
    act(here, "predict", "--", "data/prepared/test.parquet", "scored.parquet")
    code = """
import pandas as pd
scored, rows = map(pd.read_parquet, ("scored.parquet", "data/prepared/test.parquet"))
print(len(scored) == len(rows), scored.select_dtypes("number").notna().all().all())
"""
    assert here.run(here.python, "-c", code).stdout == "True True\n"


@pytest.mark.slow
@one_framework
def test_visits_of_three_outcomes_in_groups_with_weights_become_a_model_that_answers(
    project: Project, tmp_path: Path
) -> None:
    """In the environment of the example, which has all that the adopted project asks for."""
    here, table = project.copy(tmp_path / "project"), TABLES["visits"]()
    source = write(table, tmp_path / "visits.csv")
    with source.open(encoding="utf-8") as file:
        every = csv.DictReader(file)
        rows = [{it: float(row[it]) for it in ("age", "pain", "fever")} for row in every][:50]
    write(table._replace(rows=iter(rows)), here.root / "asked.csv")
    said = ""
    for words in (
        ("adopt", str(source), *table.words),
        ("train",),
        ("promote", "--dirty"),
        ("predict", "asked.csv", "scored.csv"),
    ):
        done = here.verb(*words)
        said += done.stdout + done.stderr
        assert done.returncode == 0 and "Traceback" not in said, said
    assert "is the champion" in said
    assert "all figures are weighted by 'stands for'" in said
    answers = answered(here, rows, tmp_path / "log")
    with (here.root / "scored.csv").open(encoding="utf-8") as file:
        scored = [*csv.DictReader(file)]
    assert [it.pop("prediction") for it in answers] == [it["prediction"] for it in scored]
    for answer, row in zip(answers, scored, strict=True):
        assert [*answer] == [f"probability_{it}" for it in ("home", "test", "ward")]
        assert sum(answer.values()) == pytest.approx(1)
        # 32 bits, and other rows of a batch are added up in another order.
        assert answer == pytest.approx({name: float(row[name]) for name in answer}, rel=1e-5)


@pytest.mark.slow
@each_framework
def test_a_network_of_before_the_split_predicts_what_it_always_has(
    project: Project, framework: str, tmp_path: Path
) -> None:
    model, rows, recorded = unpack_network(framework, tmp_path)
    done = project.run(project.python, SAYS, str(model), str(rows))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    expected = list(csv.DictReader(recorded.read_text("utf-8").splitlines()))
    assert said["prediction"] == [it["prediction"] == "true" for it in expected]
    # 32 bits, which another machine adds up in another order.
    numbers = [float(it["probability"]) for it in expected]
    assert len(numbers) == 40 and said["probability"] == pytest.approx(numbers, rel=1e-5)


@pytest.mark.slow
@pytest.mark.proof  # An image of the default project is built and run in CI.
@each_framework
def test_the_steps_of_its_dockerfile_make_what_serves(
    project: Project, framework: str, tmp_path: Path
) -> None:
    here = project.copy(tmp_path / "project")
    act(here, "promote")
    act(here, "image")
    with wheels_of_torch(tmp_path / "index") as index:
        size = megabytes_of_image(here, tmp_path, TORCH_INDEX=index)
    assert size < {"pytorch": 1100, "tensorflow": 2000}[framework]


def answered(project: Project, rows: list[dict[str, float]], log: Path) -> list[dict[str, Any]]:
    """Return what the project's server says of rows."""
    port, body = free_port(), json.dumps({"dataframe_records": rows}).encode()
    words = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, words)
    with (
        started(project, ours(project, port), port, log),
        urllib.request.urlopen(asked, timeout=60) as answer,  # noqa: S310 - http
    ):
        return list(json.load(answer)["predictions"])


@pytest.mark.slow
@each_framework  # Of two tasks no line of Python differs.
@pytest.mark.parametrize("session", ["lint", "types"])
def test_its_style_and_types_are_right(project: Project, session: str) -> None:
    act(project, session)


@pytest.mark.slow
@each
def test_it_passes_its_own_tests(project: Project) -> None:
    act(project, "tests")


@pytest.mark.slow
@each_framework
def test_its_network_keeps_what_only_it_promises(project: Project, framework: str) -> None:
    """They run where the framework is: in the environment of the project, and beside it."""
    here = Path(__file__).parent / "networks"
    tests = (str(here / f"test_{name}.py") for name in ("both", framework))
    done = project.run(project.python, "-m", "pytest", "-q", "-c", str(here / "pytest.ini"), *tests)
    assert done.returncode == 0, done.stdout + done.stderr


OFFERED = [*combinations("framework", "python_version", "task")]
TRIED = {"framework": FIRST, "python_version": PYTHONS[FIRST], "task": TASKS[-1]}
"""The one beside those that the rest of this file tries; `nox -s proof` takes all, for hours."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "answers", OFFERED if PROOF else [TRIED], ids=lambda it: "-".join(it.values())
)
def test_each_python_trains_and_is_right_in_style_types_and_tests(
    answers: Mapping[str, str], tmp_path: Path, user: Mapping[str, str]
) -> None:
    project = Project(bake(tmp_path / "bake", user, **answers), user, tmp_path / "tools")
    project.commit()
    act(project, "train")
    for session in ("lint", "types", "promote", "tests"):
        act(project, session)
    version = project.run(project.python, "-c", "import sys; print(sys.version)").stdout
    assert version.startswith(answers["python_version"])


@pytest.mark.slow
@one_framework
def test_a_fit_that_is_killed_goes_on_after_its_last_whole_epoch(
    project: Project, tmp_path: Path
) -> None:
    broken = project.copy(tmp_path / "broken")
    stop = """
import os, signal, sys
from mlrails.stages import callbacks
def keep(self, checkpoint, keep=callbacks.Watcher.keep):
    keep(self, checkpoint)
    if len(checkpoint["told"]) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
callbacks.Watcher.keep = keep
from mlrails.stages.stage import run
from flight_delays.steps.train import train
run(train)
"""
    killed = broken.run(broken.python, "-c", stop, MLFLOW_TRACKING_URI="")
    assert killed.returncode == -9, killed.stderr
    (checkpoint,) = (broken.root / ".dvc" / "tmp" / "checkpoints").iterdir()
    assert broken.run("git", "status", "--porcelain").stdout == ""
    # On one core, where the other fit had all of them.
    went_on = broken.run("taskset", "-c", "0", broken.python, "-m", "flight_delays.steps.train")
    assert went_on.returncode == 0, went_on.stderr
    assert f"going on from {checkpoint}" in went_on.stdout and not checkpoint.exists()
    assert differing(broken.root / "models", project.root / "models") == set()


KILLS = """
import os, signal, sys
if "mlrails.pipeline.forkserver" in sys.orig_argv:
    from mlrails.stages import callbacks
    def keep(self, checkpoint, keep=callbacks.Watcher.keep):
        keep(self, checkpoint)
        if len(checkpoint["told"]) == 2:
            caller = int(os.environ["PIPELINE_PROCESS"].split("/")[-2])
            for process in (caller, os.getpid()):
                os.kill(process, signal.SIGKILL)
    callbacks.Watcher.keep = keep
"""


@pytest.mark.slow
@pytest.mark.proof
@each_framework
def test_so_does_one_of_params_on_the_command_line_whose_copy_is_gone(
    project: Project, tmp_path: Path
) -> None:
    """All is killed, the verb that would take its copy of the project away too."""
    broken, whole = (project.copy(tmp_path / name) for name in ("broken", "whole"))
    words = ("train", "--epochs", "4")
    (tmp_path / "kills").mkdir()
    (tmp_path / "kills" / "sitecustomize.py").write_text(KILLS, "utf-8")
    path = os.pathsep.join([str(broken.root / "src"), str(tmp_path / "kills")])
    assert broken.verb(*words, PYTHONPATH=path).returncode == -9
    (checkpoint,) = (broken.root / ".dvc" / "tmp" / "checkpoints").iterdir()
    said = [act(it, "train", "--", *words[1:]) for it in (broken, whole)]
    assert f"going on from {checkpoint}" in said[0] and not checkpoint.exists()
    fitted = [re.findall("train: 4 steps, model .*", it) for it in said]
    assert fitted[0] == fitted[1] != []


@pytest.mark.slow
@one_framework
def test_a_gpu_that_is_not_there_is_said_in_one_sentence(project: Project, tmp_path: Path) -> None:
    done = project.verb("train", "--device", "gpu", CUDA_VISIBLE_DEVICES="")
    problems = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert len(problems) == 1 and "'estimator.device' = 'gpu'" in problems[0]


HOW_TO = (SOURCE / "docs" / "framework.md").read_text("utf-8")


def block(language: str) -> str:
    """Return the one block of the how-to in a language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", HOW_TO, re.DOTALL)
    return text


@pytest.mark.slow
def test_the_how_to_brings_another_estimator_word_by_word(
    tmp_path: Path, user: Mapping[str, str], tools: Path
) -> None:
    root = bake(tmp_path / "baked", user)
    for name, start, end, language in (
        ("params.yaml", "estimator:\n", r"\Z", "yaml"),
        ("pyproject.toml", r"framework = \[\n", r"^\]\n", "toml"),
    ):
        text = (root / name).read_text("utf-8")
        (before,) = re.findall(f"(?ms)^{start}.*?{end}", text)
        (root / name).write_text(text.replace(before, block(language)), "utf-8")
    (root / SEAM).write_text(block("python"), "utf-8")
    project = Project(root, user, tmp_path / "tools")
    project.commit()
    said = ""
    for line in block("sh").splitlines():
        nox, dash_s, *words = shlex.split(line)
        assert (nox, dash_s) == ("nox", "-s")
        if words[0] == "tests":
            act(project, "train", "--install-only")
            share_byte_code(project.tools, tools)
        said = act(project, *words)
    assert "report: reports/report.html" in said
    for session in ("lint", "types"):
        act(project, session)
    code = "import mlflow.lightgbm as it; print(type(it.load_model('models/model')).__name__)"
    loaded = project.run(project.python, "-c", code, PYTHONPATH="")
    assert "Booster" in loaded.stdout, loaded.stderr
