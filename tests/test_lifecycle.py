"""From a model to a champion and back: what the template is for, in one story a task."""

import json
import re
from pathlib import Path

import pytest
from baking import CHOICES, PROOF, Project, replaced

pytestmark = [pytest.mark.slow, pytest.mark.covering]

# Networks and an adopted table promote regressions; `nox -s proof` tells this one of both tasks.
TASKS = CHOICES["task"] if PROOF else CHOICES["task"][:1]
each_task = pytest.mark.parametrize("trained", TASKS, indirect=True)
WORSE = ("max_iter: 300\n  max_leaf_nodes: 31", "max_iter: 1\n  max_leaf_nodes: 2")
OTHER = ("max_leaf_nodes: 31", "max_leaf_nodes: 25")


def change(project: Project, *changes: tuple[str, str]) -> None:
    """Change params, train and commit, as a person would."""
    path = project.root / "params.yaml"
    path.write_text(replaced(path.read_text("utf-8"), *changes), "utf-8")
    project.commit()
    done = project.verb("train")
    assert done.returncode == 0, done.stdout + done.stderr
    project.commit()


def act(project: Project, *words: str, code: int = 0, **more: str) -> str:
    """Run a verb and return what it said; nothing may end in a traceback."""
    done = project.verb(*words, **more)
    said = done.stdout + done.stderr
    assert done.returncode == code and "Traceback" not in said, said
    return said


def verdict(project: Project) -> dict[str, object]:
    return json.loads((project.root / "reports" / "verdict.json").read_text("utf-8"))


def champion(project: Project) -> int:
    ledger = json.loads(act(project, "history", "--json"))
    return int(ledger[-1]["version"])


@each_task
def test_promote_reject_roll_back_and_reproduce(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "project")
    first = act(project, "promote")
    assert "only the floors" in (project.root / "reports" / "gate.md").read_text("utf-8")
    assert "models are not signed" in first and verdict(project)["champion"] is None

    change(project, WORSE)
    refused = act(project, "promote", code=3)
    failed = [check["name"] for check in verdict(project)["checks"] if check["passed"] is False]
    assert failed and all(name in refused for name in failed) and champion(project) == 1

    change(project, WORSE[::-1], OTHER)
    assert "is the champion" in act(project, "promote")
    second = champion(project)
    assert second != 1 and "gate: unchanged" in act(project, "promote")
    assert (project.root / "reports" / "gate" / "differences.svg").is_file()

    assert "version 1 is the champion" in act(project, "rollback", "--reason", "a bad night")
    again = act(project, "promote", code=3)
    assert "a bad night" in again and champion(project) == 1

    before = project.run("git", "status", "--porcelain").stdout
    assert "version 1: identical bytes" in act(project, "reproduce", "1")
    assert project.run("git", "status", "--porcelain").stdout == before

    ledger = json.loads(act(project, "history", "--json"))
    moves = [(it["action"], int(it["version"]), it.get("before")) for it in ledger]
    assert moves == [
        ("promotion", 1, None),
        ("promotion", second, "1"),
        ("rollback", 1, str(second)),
    ]
    assert all(re.fullmatch(r"[0-9a-f]{40}", it["git_commit"]) for it in ledger)
    table = act(project, "history")
    assert "a bad night" in table and "A user" in table
    # A console without the dash that stands for nobody shows something else in its place.
    assert "2  " in act(project, "history", PYTHONIOENCODING="latin-1")
    commit = ledger[0]["git_commit"]
    assert "1  " in act(project, "history", "--commit", commit[:10])
