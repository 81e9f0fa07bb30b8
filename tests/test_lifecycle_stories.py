"""Promotions on a bad day: races, kills, servers, altered bytes, and people in a hurry."""

import itertools
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from baking import PROOF, Project
from test_lifecycle import OTHER, WORSE, act, champion, change, verdict
from test_stories import free_port, server

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).with_name("driver.py")
TIMES = 20 if PROOF else 2
"""How often what depends on chance is tried; `nox -s proof` tries it long enough to believe it."""


@pytest.fixture(scope="module")
def promoted(trained: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose first model is champion; tests only look at it."""
    project = trained.copy(tmp_path_factory.mktemp("promoted") / "project")
    act(project, "promote")
    return project


@pytest.fixture(scope="module")
def others(promoted: Project, tmp_path_factory: pytest.TempPathFactory) -> list[Project]:
    """Copies of it with models of their own that the gate lets pass."""
    folder, found = tmp_path_factory.mktemp("others"), []
    for leaves in (29, 27):
        project = promoted.copy(folder / str(leaves))
        change(project, (OTHER[0], f"max_leaf_nodes: {leaves}"))
        found.append(project)
    return found


def drive(project: Project, *words: object) -> list[dict[str, object]]:
    """Run the driver in the project's environment; return what it printed."""
    done = project.run(project.python, str(DRIVER), *map(str, words))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_processes_that_race_leave_one_version_a_digest_and_one_champion(
    trained: Project, others: list[Project], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "empty.db")) as empty:
        with closing(sqlite3.connect(trained.root / "mlflow.db")) as whole:
            whole.backup(empty)
        counted = empty.execute("SELECT count(*) FROM registered_models")
        assert counted.fetchone() == (0,)
    shutil.copytree(trained.root / "mlartifacts", tmp_path / "mlartifacts")
    folders = [trained.copy(tmp_path / "first"), *others]
    told = drive(trained, "race", tmp_path, TIMES, 8, *(it.root for it in folders))
    assert len(told) == TIMES
    for round_ in told:
        digests = [version["digest"] for version in round_["versions"]]
        assert len(digests) == len(set(digests)) == 3, digests
        assert set(round_["codes"]) <= {0, 1} and round_["codes"].count(0) >= 1
        assert round_["open"] == []
        moves = [(it.get("before"), it["version"]) for it in round_["entries"]]
        assert moves and moves[0][0] is None
        assert all(after[0] == before[1] for before, after in itertools.pairwise(moves))
        stages = {version["number"]: version["stage"] for version in round_["versions"]}
        assert [it for it in stages if stages[it] == "production"] == [int(moves[-1][1])]
        assert round_["aliases"]["champion"] == int(moves[-1][1])


def test_after_a_kill_at_any_moment_the_next_promotion_completes(
    others: list[Project], tmp_path: Path
) -> None:
    project = others[0].copy(tmp_path / "project")
    for name in ("mlflow.db", "mlartifacts"):
        assert (project.root / name).exists()
    (tmp_path / "kept" / ".dvc").mkdir(parents=True)
    whole, *after_kills = drive(project, "kills", tmp_path / "kept", TIMES, project.root)
    assert len(after_kills) == TIMES and whole["aliases"]["champion"] == 2
    for state in after_kills:
        assert state == whole


@pytest.mark.proof  # A server with accounts, and one in the place of the branch, are asked in CI.
def test_the_lifecycle_runs_on_a_server_as_well(
    promoted: Project, others: list[Project], tmp_path: Path
) -> None:
    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    first, second = promoted.copy(tmp_path / "a"), others[0].copy(tmp_path / "b")
    with server(first, folder, port):
        uri = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}
        assert f"in http://127.0.0.1:{port}" in act(first, "promote", **uri)
        assert "version 2 is the champion" in act(second, "promote", **uri)
        assert "gate: unchanged" in act(second, "promote", **uri)
        rolled = act(second, "rollback", **uri)
        assert "version 1 is the champion" in rolled
        assert len(json.loads(act(second, "history", "--json", **uri))) == 3
        assert "mlflow.db" in act(second, "history", "--registry", "local", **uri)
        two = [_start(it, uri) for it in (first, second) for _ in range(2)]
        said = [process.communicate(timeout=120)[0] for process in two]
        assert not [it for it in said if "Traceback" in it], said
        assert {process.returncode for process in two} <= {0, 1, 3}, said
    gone = act(second, "promote", code=1, **uri)
    assert "does not answer" in gone


def _start(project: Project, variables: dict[str, str]) -> subprocess.Popen[str]:
    env = {**project.env, "PYTHONPATH": str(project.root / "src"), **variables}
    return subprocess.Popen(
        [project.python, "-m", project.package, "promote"],
        cwd=project.root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_altered_and_lost_bytes_are_refused(promoted: Project, tmp_path: Path) -> None:
    project = promoted.copy(tmp_path / "project")
    change(project, OTHER)
    stored = (project.root / "mlartifacts").rglob("predictor.json")
    first = min(stored, key=lambda path: path.stat().st_mtime)
    text = first.read_text("utf-8")
    first.write_text(text.replace("classification", "classification "), "utf-8")
    said = act(project, "promote", code=1)
    assert "the bytes of version 1 are not those that were registered" in said
    assert champion(project) == 1
    shutil.rmtree(first.parents[2])
    assert "the bytes of version 1 are gone" in act(project, "gate", code=1)

    model = project.root / "models" / "model" / "data" / "model" / "predictor.json"
    model.chmod(0o644)
    model.write_text(model.read_text("utf-8") + "\n", "utf-8")
    assert "not the bytes that dvc.lock names" in act(project, "promote", code=1)


def test_what_a_person_gets_wrong_is_one_sentence(promoted: Project, tmp_path: Path) -> None:
    project = promoted.copy(tmp_path / "project")
    assert "there is no version 9" in act(project, "rollback", "9", code=2)
    assert "no earlier champion" in act(project, "rollback", code=2)
    assert "there is no version 9" in act(project, "reproduce", "9", code=2)
    assert "choose local, branch or server" in act(project, "gate", "--registry", "cloud", code=2)
    assert "names no server" in act(project, "gate", "--registry", "server", code=2)
    assert "git knows no params.yaml" in act(project, "gate", "--bounds", "nowhere", code=2)
    params = project.root / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(text.replace(*WORSE), "utf-8")
    assert "not of these params and files" in act(project, "promote", code=2)
    params.write_text(text.replace("margin: 0.01", "margin: 0"), "utf-8")
    assert "gate.margin" in act(project, "gate", code=2)


def test_a_dirty_tree_on_main_is_refused_unless_the_ledger_may_tell(
    trained: Project, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "project")
    (project.root / "nohup.out").write_text("a log is no dirt", "utf-8")
    notes = project.root / "src" / project.package / "notes.py"
    notes.write_text('"""Code is."""\n', "utf-8")
    assert "not committed" in act(project, "promote", code=2)
    act(project, "promote", "--dirty")
    (entry,) = json.loads(act(project, "history", "--json"))
    assert entry["git_dirty"] == "true"


def test_a_holdout_too_small_says_how_much_more_it_takes(promoted: Project, tmp_path: Path) -> None:
    project = promoted.copy(tmp_path / "project")
    change(project, OTHER, ("days: 35", "days: 80"))
    said = act(project, "gate", code=4)
    assert "80 days are needed" in said
    assert verdict(project)["verdict"] == "undecided"


def test_the_bounds_of_a_revision_count_where_it_is_named(
    promoted: Project, tmp_path: Path
) -> None:
    project = promoted.copy(tmp_path / "project")
    lax = [("\n  margin: 0.01", "\n  margin: 0.5"), ("roc_auc: 0.6", "roc_auc: 0.1")]
    lax += [("calibration: 0.02", "calibration: 0.9"), ("decisions: 0.02", "decisions: 0.9")]
    change(project, WORSE, *lax)
    act(project, "gate")
    base = project.run("git", "rev-list", "--max-parents=0", "HEAD").stdout.strip()
    assert "no worse than the champion" in act(project, "gate", "--bounds", base, code=3)
    assert verdict(project)["bounds"] == base


@pytest.mark.proof
def test_mlflow_run_makes_a_version_again(promoted: Project, tmp_path: Path) -> None:
    project = promoted.copy(tmp_path / "project")
    words = ["-e", "reproduce", "-P", "version=1", "--env-manager", "local"]
    done = project.run("mlflow", "run", ".", *words, PYTHONPATH="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "version 1: identical bytes" in done.stdout
