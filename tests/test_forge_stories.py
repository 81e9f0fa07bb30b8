"""From pull request to production on a forge in a folder: the project's own workflows, executed."""

from pathlib import Path

import pytest
from baking import ROOT, Project
from forge_stories import (
    FOURTH,
    HELD,
    PARAMS,
    PASSED,
    PROMOTE,
    PROMOTED,
    ROLLBACK,
    STOPPED,
    THIRD,
    TRAIN,
    WORSE,
    Repository,
    on_a_forge,
)

pytestmark = [pytest.mark.slow, pytest.mark.forge]
NEWEST = """concurrency:
  group: train-${{ github.ref }}
  cancel-in-progress: true
"""
QUEUE = "      queue: max # without it, who comes next would cancel who waits\n"
DECIDES = "    passed = [check.passed for"
CRASH = (DECIDES, f"    raise RuntimeError('crashed')\n{DECIDES}")
SWALLOWED = """def answer(checks: Iterable[Check]) -> Answer:
    try:
        return _answer(checks)
    except RuntimeError:
        return Answer.PROMOTE


def _answer("""


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


@pytest.mark.parametrize("guarded", [True, False])
def test_a_change_of_the_docs_trains_nothing_and_asks_nobody_in_production(
    trains: Repository, guarded: bool
) -> None:
    there = trains
    if not guarded:
        there.weaken(PROMOTE, ("    if: needs.build.outputs.verdict == 'promote'\n", ""))
    registry = there.forge.tip("registry")
    pull = there.pull("docs", {"docs/notes.md": "Only words.\n"})
    results = there.forge.run()
    assert results[0].jobs == PASSED and "Running stage" not in results[0].log
    assert "Unchanged: this is the champion's model" in there.comments()[-1]
    there.forge.merge(pull, "rebase")
    results = there.forge.run()
    assert results[0].jobs == (HELD if guarded else PROMOTED)
    assert "Running stage" not in results[0].log
    assert there.forge.tip("registry") == registry


def test_a_worse_model_fails_its_check_in_the_same_comment_and_its_forced_merge_promotes_nothing(
    there: Repository,
) -> None:
    registry = there.forge.tip("registry")
    pull = there.pull("worse", there.edit(PARAMS, THIRD))
    assert there.run() == {"Train": PASSED}
    before = there.comments()
    there.change("worse", there.edit(PARAMS, WORSE))
    there.forge.synchronize(pull)
    assert there.run() == {"Train": {"train": "failure", "comment": "success"}}
    after = there.comments()
    assert len(after) == len(before) and after[:-1] == before[:-1]
    assert "Promote: this model may" in before[-1] and "Reject: this model may not" in after[-1]
    assert outline(before[-1]) == outline((ROOT / "docs" / "comment.md").read_text("utf-8"))
    there.forge.merge(pull)
    assert there.run() == {"Promote": STOPPED}
    assert there.forge.tip("registry") == registry


def outline(text: str) -> list[str]:
    """Return the headings of a comment and the names in its tables, but for the slices' own."""
    told = [line for line in text.splitlines() if line.startswith(("#", "|"))]
    named = [line.split("|")[1] if line.startswith("|") else line for line in told]
    return [name for name in named if " = " not in name]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_push_that_waits_gives_way_to_the_next(there: Repository, guarded: bool) -> None:
    if not guarded:
        there.weaken(TRAIN, (NEWEST, ""))
    pull = there.pull("hasty", {"docs/notes.md": "One.\n"})
    older = there.forge.tip("hasty")
    there.change("hasty", {"docs/notes.md": "Two.\n"})
    there.forge.synchronize(pull)
    waiting = [run["head_sha"] for run in there.forge.queue.waiting]
    assert waiting == ([] if guarded else [older]) + [there.forge.tip("hasty")]


@pytest.mark.parametrize("guarded", [True, False])
def test_of_two_merges_only_the_tip_of_main_is_promoted(there: Repository, guarded: bool) -> None:
    if not guarded:
        there.weaken(PROMOTE, (" --tip main", ""))
    pulls = [
        there.pull("one", there.edit(PARAMS, THIRD)),
        there.pull("two", there.edit(PARAMS, FOURTH)),
    ]
    there.forge.queue.waiting.clear()  # Nobody waits for the checks.
    for pull in pulls:
        there.forge.merge(pull)
    older, newer = there.forge.run()
    assert newer.jobs == PROMOTED
    moves = [entry["git_commit"] for entry in there.ledger()[1:]]
    if guarded:
        assert "superseded" in older.log and moves == [there.forge.tip()]
        registry = there.forge.tip("registry")
        again = there.forge.rerun(older.run)
        assert "superseded" in again.log and there.forge.tip("registry") == registry
    else:
        assert moves == [older.run["head_sha"], there.forge.tip()]


@pytest.mark.parametrize("guarded", [True, False])
def test_what_was_rolled_back_stays_away_from_a_rerun(there: Repository, guarded: bool) -> None:
    if not guarded:
        there.weaken(there.source("gate/judge.py"), ("why is None or", "True or"))
    there.land(there.edit(PARAMS, THIRD))
    (promotion,) = there.forge.run()
    assert promotion.jobs == PROMOTED
    summary = promotion.summaries["build"].read_text("utf-8")
    assert outline(summary) == outline((ROOT / "docs" / "summary.md").read_text("utf-8"))
    there.forge.dispatch("rollback.yaml", {"reason": "too many alarms"})
    assert there.run() == {"Rollback": {"rollback": "success"}}
    assert [entry["version"] for entry in there.ledger()] == ["1", "2", "1"]
    again = there.forge.rerun(promotion.run)
    assert again.jobs == (STOPPED if guarded else PROMOTED)
    assert ("too many alarms" in again.log) is guarded
    assert len(there.ledger()) == (3 if guarded else 4)


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("last", ["Promote", "Rollback"])
def test_neither_a_rollback_nor_a_merge_is_lost_to_the_other(
    there: Repository, last: str, guarded: bool
) -> None:
    if not guarded:
        there.weaken(PROMOTE if last == "Promote" else ROLLBACK, (QUEUE, ""))
    happens = {
        "Promote": lambda: there.land({"docs/notes.md": "Only words.\n"}),
        "Rollback": lambda: there.forge.dispatch("rollback.yaml", {"reason": "alarms"}),
    }
    (first,) = happens.keys() - {last}
    for name in (first, last):
        happens[name]()
    waiting = [run["name"] for run in there.forge.queue.waiting]
    assert waiting == ([first, last] if guarded else [last])


@pytest.mark.parametrize("guarded", [True, False])
def test_a_rollback_by_the_code_of_a_branch_is_skipped(there: Repository, guarded: bool) -> None:
    if not guarded:
        there.weaken(ROLLBACK, ("    if: github.ref == 'refs/heads/main'\n", ""))
    there.change("side", {})
    there.forge.dispatch("rollback.yaml", {"reason": "from the side"}, "side")
    (result,) = there.forge.run()
    assert result.jobs == {"rollback": "skipped" if guarded else "failure"}
    assert ("no earlier champion" in result.log) is not guarded  # It has looked for one.


def test_a_fork_gets_the_summary_alone(there: Repository) -> None:
    there.pull("of-a-fork", there.edit(PARAMS, THIRD), fork=True)
    (result,) = there.forge.run()
    assert result.jobs == {"train": "success", "comment": "skipped"}
    assert "Promote: this model" in result.summaries["train"].read_text("utf-8")
    assert len(there.comments()) == 1


@pytest.mark.parametrize("guarded", [True, False])
def test_a_gate_that_crashes_lets_nothing_pass(there: Repository, guarded: bool) -> None:
    gate = there.source("gate/verdict.py")
    if not guarded:
        there.weaken(gate, ("def answer(", SWALLOWED))
    registry = there.forge.tip("registry")
    pull = there.pull("crash", there.edit(PARAMS, WORSE) | there.edit(gate, CRASH))
    checked = there.run()
    there.forge.merge(pull)
    merged = there.run()
    if guarded:
        assert checked == {"Train": {"train": "failure", "comment": "skipped"}}
        assert merged == {"Promote": STOPPED}
    else:
        assert (checked, merged) == ({"Train": PASSED}, {"Promote": PROMOTED})
    assert (there.forge.tip("registry") == registry) is guarded


@pytest.mark.parametrize("sound", [True, False])
def test_the_template_s_own_workflow_asks_for_its_sessions(
    quick: Project, tmp_path: Path, sound: bool
) -> None:
    # What the sessions do is seen where this runs, in one of them.
    # The words of a step that fails at once may be lost.
    uvx = 'echo "uvx $*"' if sound else 'echo "uvx $*"; sleep 0.5; [ "$3" != tests ]'
    path = ".github/workflows/tests.yaml"
    with on_a_forge(quick, tmp_path / "story", uvx) as there:
        sudo = tmp_path / "story" / "forge" / "programs" / "sudo"  # The machine keeps its packages.
        sudo.write_text("#!/bin/sh\n", "utf-8")
        sudo.chmod(0o755)
        there.git("rm", "--quiet", "-r", ".github")
        there.write(path, (ROOT / path).read_text("utf-8"))
        there.commit("main")
        there.pull("docs", {"docs/notes.md": "Only words.\n"})
        there.forge.pushed("main")
        for result in there.forge.run():
            assert result.jobs == {"tests": "success" if sound else "failure"}
            assert "uvx nox -s lint\n" in result.log and "uvx nox -s tests\n" in result.log
            assert ("uvx nox -s stories\n" in result.log) is sound
        assert len(there.forge.files.every("runs")) == 2
