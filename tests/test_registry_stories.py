"""The registry behind the forge: one that refuses, and a server in the place of the branch."""

import json
from pathlib import Path

import pytest
from baking import Project
from forge_stories import (
    FOURTH,
    PARAMS,
    PASSED,
    PROMOTED,
    STOPPED,
    THIRD,
    TRAINING,
    Repository,
    gone_on,
    on_a_forge,
    warm_nox,
)
from test_stories import free_port, server

pytestmark = [pytest.mark.slow, pytest.mark.forge]


def test_the_first_push_of_a_repository_promotes_and_the_next_changes_nothing(
    quick: Project, tmp_path: Path
) -> None:
    with on_a_forge(quick, tmp_path / "story") as there:
        there.remember(quick)
        there.forge.pushed("main")
        assert there.run() == {"Promote": PROMOTED}
        (entry,) = there.ledger()
        assert entry["version"] == "1" and entry["bounds"] == "the working tree"
        assert entry["proof"] == "no pull request had evaluated these inputs to a good end"
        there.forge.dispatch("rollback.yaml", {"reason": "nothing to go back to"})
        assert there.run() == {"Rollback": {"rollback": "failure"}}
        assert there.ledger() == [entry]


def test_a_registry_that_refuses_is_told_and_a_rerun_completes(there: Repository) -> None:
    registry = there.forge.tip("registry")
    hook = there.forge.remote / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\ngrep -q refs/heads/registry && { echo "full" >&2; exit 1; }\n:\n')
    hook.chmod(0o755)
    there.land(there.edit(PARAMS, THIRD))
    (result,) = there.forge.run()
    assert result.jobs == {"build": "success", "promote": "failure"}
    assert "git cannot write it" in result.log and there.forge.tip("registry") == registry
    hook.unlink()
    assert there.forge.rerun(result.run).jobs == PROMOTED
    assert len(there.ledger()) == 2


def test_a_server_takes_the_place_of_the_branch(
    quick: Project, first: Path, tmp_path: Path
) -> None:
    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    uri = f"http://127.0.0.1:{port}"
    variables = {"MLFLOW_TRACKING_URI": uri}
    uvx = warm_nox(quick) + TRAINING
    with gone_on(quick, first, tmp_path / "story", uvx, variables=variables) as there:
        there.land(there.edit(PARAMS, THIRD))
        (down,) = there.forge.run()
        assert down.jobs == STOPPED and "does not answer" in down.log
        pull = there.pull("fourth", there.edit(PARAMS, FOURTH))
        (unseen,) = there.forge.run()
        assert unseen.jobs == PASSED
        assert "registry cannot be asked without a secret" in there.comments()[-1]
        with server(quick, folder, port):
            assert there.forge.rerun(down.run).jobs == PROMOTED
            assert there.forge.rerun(unseen.run).jobs == PASSED
            comment = there.comments()[-1]
            assert "cannot be asked" not in comment and "No champion" not in comment
            assert len(there.comments()) == 2
            there.forge.merge(pull)
            assert there.run() == {"Promote": PROMOTED}
            told = there.project.verb("history", "--json", MLFLOW_TRACKING_URI=uri).stdout
            assert [entry["version"] for entry in json.loads(told)] == ["1", "2"]
