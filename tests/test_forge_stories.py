"""From pull request to production on a forge in a folder: the project's own workflows, executed."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from baking import Project
from forge_stories import Repository, gone_on, on_a_forge
from test_lifecycle import change
from test_stories import free_port, server

pytestmark = pytest.mark.slow

PARAMS = "params.yaml"
PROMOTE, TRAIN = (f".github/workflows/{name}.yaml" for name in ("promote", "train"))
OTHER, WORSE = ("max_leaf_nodes: 31", "max_leaf_nodes: 25"), ("max_iter: 40", "max_iter: 1")
THIRD = ("l2_regularization: 1.0", "l2_regularization: 3.0")
PASSED = {"train": "success", "comment": "success"}
PROMOTED = {"build": "success", "promote": "success"}
HELD = {"build": "success", "promote": "skipped"}
STOPPED = {"build": "failure", "promote": "skipped"}


@pytest.fixture(scope="module")
def quick(trained: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose model is quick to make, and whose checks the other tests run."""
    project = trained.copy(tmp_path_factory.mktemp("quick") / "project")
    (project.root / ".github/workflows/checks.yaml").unlink()
    few = (("max_iter: 300", "max_iter: 40"), ("resamples: 1000", "resamples: 200"))
    change(project, *few)
    return project


@pytest.fixture(scope="module")
def first(quick: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first pull request of a fresh repository, merged: version 1 is the champion."""
    folder = tmp_path_factory.mktemp("first") / "story"
    with on_a_forge(quick, folder) as there:
        remember(there)
        pull = there.pull("other", there.edit(PARAMS, OTHER))
        assert there.run() == {"Train": PASSED}
        there.forge.merge(pull, "squash")
        assert there.run() == {"Promote": PROMOTED}
    return folder


def remember(there: Repository) -> None:
    """Let the forge's cache hold what main has trained, so that only changes are trained."""
    record = {"key": "dvc-main", "ref": "refs/heads/main", "_path": ".dvc/cache"}
    made = there.forge.files.new("caches", record)
    with tarfile.open(there.forge.files.folder("caches") / f"{made['id']}.tar", "w") as tar:
        tar.add(there.project.root / ".dvc" / "cache", ".dvc/cache")


@pytest.fixture
def there(quick: Project, first: Path, tmp_path: Path) -> Iterator[Repository]:
    """Go on from the first promotion."""
    with gone_on(quick, first, tmp_path / "story") as repository:
        yield repository


def logs(results: list[Any]) -> str:
    return "\n".join(result.log for result in results)


def test_the_first_pull_request_reports_and_its_merge_promotes_the_same_bytes(
    there: Repository,
) -> None:
    (entry,) = there.ledger()
    runs = {run["name"]: run for run in there.forge.files.every("runs")}
    artifacts = {it["name"]: it for it in there.forge.files.every("artifacts")}
    (name,) = (name for name in artifacts if name.startswith("candidate-"))
    assert entry["input_key"] == name.removeprefix("candidate-")
    assert entry["git_commit"] == there.forge.tip() and entry["actor"] == "owner"
    assert entry["proof"].startswith("identical bytes as in ")
    assert entry["proof"].endswith(f"/actions/runs/{runs['Train']['id']}")
    (comment,) = there.comments()
    assert "Promote: this model may become champion" in comment
    assert entry["digest"][:12] in comment and "max\\_leaf\\_nodes" in comment
    summaries = there.forge.files.folder("runs", runs["Train"]["id"], "summaries")
    assert comment.endswith((summaries / "train.md").read_text("utf-8"))


def test_a_change_of_the_docs_trains_nothing_and_moves_nothing(there: Repository) -> None:
    before = there.ledger()
    registry = there.forge.tip("registry")
    pull = there.pull("docs", {"docs/notes.md": "Only words.\n"})
    results = there.forge.run()
    assert results[0].jobs == PASSED and "Running stage" not in results[0].log
    assert "Unchanged: this is the champion's model" in there.comments()[-1]
    there.forge.merge(pull, "rebase")
    results = there.forge.run()
    assert results[0].jobs == HELD and "Running stage" not in results[0].log
    assert there.ledger() == before and there.forge.tip("registry") == registry


def test_a_worse_model_fails_its_check_and_its_forced_merge_promotes_nothing(
    there: Repository,
) -> None:
    before = there.ledger()
    pull = there.pull("worse", there.edit(PARAMS, WORSE))
    assert there.run() == {"Train": {"train": "failure", "comment": "success"}}
    assert "Reject: this model may not become champion" in there.comments()[-1]
    there.forge.merge(pull)
    assert there.run() == {"Promote": STOPPED}
    assert there.ledger() == before


def test_a_second_push_keeps_one_comment(there: Repository) -> None:
    pull = there.pull("twice", there.edit(PARAMS, THIRD))
    there.run()
    before = there.comments()
    there.change("twice", there.edit(PARAMS, WORSE))
    there.forge.synchronize(pull)
    there.run()
    after = there.comments()
    assert len(after) == len(before) and after[:-1] == before[:-1] and after[-1] != before[-1]


@pytest.mark.parametrize("guarded", [True, False])
def test_of_two_merges_only_the_tip_of_main_is_promoted(there: Repository, guarded: bool) -> None:
    if not guarded:
        there.weaken(PROMOTE, (" --tip main", ""))
    known = len(there.ledger())
    pulls = [
        there.pull("one", there.edit(PARAMS, THIRD)),
        there.pull("two", there.edit(PARAMS, ("learning_rate: 0.1", "learning_rate: 0.09"))),
    ]
    there.run()
    for pull in pulls:
        there.forge.merge(pull)
    older, newer = there.forge.run()
    assert newer.jobs == PROMOTED
    moves = [entry["git_commit"] for entry in there.ledger()[known:]]
    if guarded:
        assert "superseded" in older.log and moves == [there.forge.tip()]
        before = there.ledger()
        again = there.forge.rerun(older.run)
        assert "superseded" in again.log and there.ledger() == before
    else:
        assert moves == [older.run["head_sha"], there.forge.tip()]


def test_what_was_rolled_back_stays_away_from_a_rerun(there: Repository) -> None:
    pull = there.pull("bad", there.edit(PARAMS, THIRD))
    there.run()
    there.forge.merge(pull)
    (promotion,) = there.forge.run()
    assert promotion.jobs == PROMOTED
    there.forge.dispatch("rollback.yaml", {"reason": "too many alarms"})
    assert there.run() == {"Rollback": {"rollback": "success"}}
    assert [entry["version"] for entry in there.ledger()] == ["1", "2", "1"]
    again = there.forge.rerun(promotion.run)
    assert again.jobs == STOPPED and "too many alarms" in again.log
    assert len(there.ledger()) == 3


def test_a_fork_and_a_bot_get_the_summary_alone(there: Repository) -> None:
    for who in ({"fork": True}, {"bot": True}):
        pull = there.pull(f"of-{next(iter(who))}", there.edit(PARAMS, THIRD), **who)
        (result,) = there.forge.run()
        assert result.jobs == {"train": "success", "comment": "skipped"}, pull
        assert "Promote: this model" in result.summaries["train"].read_text("utf-8")
    assert len(there.comments()) == 1


def test_a_gate_that_crashes_lets_nothing_pass(there: Repository) -> None:
    before = there.ledger()
    package = there.project.package
    crash = ("def answer(", "raise RuntimeError('crashed')\n\n\ndef answer(")
    pull = there.pull("crash", there.edit(f"src/{package}/gate.py", crash))
    assert there.run() == {"Train": {"train": "failure", "comment": "skipped"}}
    there.forge.merge(pull)
    assert there.run() == {"Promote": STOPPED}
    there.git("checkout", "--quiet", "--force", "-B", "main", "origin/main")
    assert there.ledger() == before


def test_a_registry_that_refuses_is_told_and_a_rerun_completes(there: Repository) -> None:
    before = there.ledger()
    pull = there.pull("blocked", there.edit(PARAMS, THIRD))
    there.run()
    hook = there.forge.remote / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\ngrep -q refs/heads/registry && { echo "full" >&2; exit 1; }\n:\n')
    hook.chmod(0o755)
    there.forge.merge(pull)
    (result,) = there.forge.run()
    assert result.jobs == {"build": "success", "promote": "failure"}
    assert "git cannot write it" in result.log and there.ledger() == before
    hook.unlink()
    assert there.forge.rerun(result.run).jobs == PROMOTED
    assert len(there.ledger()) == len(before) + 1


def test_a_server_takes_the_place_of_the_branch(quick: Project, tmp_path: Path) -> None:
    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    uri = f"http://127.0.0.1:{port}"
    with on_a_forge(quick, tmp_path / "story", variables={"MLFLOW_TRACKING_URI": uri}) as there:
        remember(there)
        with server(quick, folder, port):
            pull = there.pull("other", there.edit(PARAMS, OTHER))
            assert there.run() == {"Train": PASSED}
            there.forge.merge(pull)
            assert there.run() == {"Promote": PROMOTED}
            told = there.project.verb("history", "--json", MLFLOW_TRACKING_URI=uri).stdout
            assert [entry["version"] for entry in json.loads(told)] == ["1"]
        pull = there.pull("third", there.edit(PARAMS, THIRD))
        assert there.run() == {"Train": PASSED}
        assert "cannot be asked without a secret" in there.comments()[-1]
        there.forge.merge(pull)
        (down,) = there.forge.run()
        assert down.jobs == STOPPED and "does not answer" in down.log
        with server(quick, folder, port):
            assert there.forge.rerun(down.run).jobs == PROMOTED
