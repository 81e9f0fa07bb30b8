"""Attacks on the way to production; where a workflow holds the guard, without it they pass."""

import pytest
from forge_stories import (
    OTHER,
    PARAMS,
    PASSED,
    PROMOTE,
    PROMOTED,
    STOPPED,
    THIRD,
    TRAIN,
    WORSE,
    Repository,
    first,
    quick,
    there,
)

pytestmark = pytest.mark.slow
__all__ = ["first", "quick", "there"]

LAX = (
    ("\n  margin: 0.01", "\n  margin: 0.4"),
    ("slice_margin: 0.05", "slice_margin: 0.4"),
    ("calibration: 0.003", "calibration: 0.4"),
    ("roc_auc: 0.6", "roc_auc: 0.1"),
    WORSE,
)
FORGE = """
      - name: Forge the candidate
        run: |
          chmod -R u+w candidate
          python3 - <<'END'
          import hashlib, json, pathlib
          root = pathlib.Path("candidate")
          model = root / "models" / "model"
          path = model / "data" / "model" / "predictor.json"
          path.write_text(path.read_text() + " ")
          files = [it for it in model.rglob("*") if it.is_file()]
          pairs = sorted(
              (it.relative_to(model).as_posix(), hashlib.sha256(it.read_bytes()).hexdigest())
              for it in files
          )
          text = json.dumps(pairs, separators=(",", ":"))
          digest = hashlib.sha256(text.encode()).hexdigest()
          for name in ("candidate.json", "reports/metrics.json", "reports/verdict.json"):
              told = json.loads((root / name).read_text())
              told |= {key: digest for key in ("digest", "challenger") if key in told}
              (root / name).write_text(json.dumps(told))
          END
      - name: Keep the candidate
"""
FORGED = ("\n      - name: Keep the candidate\n", FORGE)
PROVE = """      - name: Compare with what the pull request has evaluated
        run: uvx nox -s prove
        env:
          GITHUB_TOKEN: ${{ github.token }}
"""


@pytest.mark.parametrize("guarded", [True, False])
def test_a_change_cannot_weaken_the_gate_that_it_has_to_pass(
    there: Repository, guarded: bool
) -> None:
    if not guarded:
        there.weaken(TRAIN, ("--base 'HEAD^1'", "--base HEAD"))
        there.weaken(PROMOTE, ('--base "$BEFORE"', "--base HEAD"))
    pull = there.pull("lax", there.edit(PARAMS, *LAX))
    checked = there.run()
    there.forge.merge(pull)
    merged = there.run()
    if guarded:
        assert checked == {"Train": {"train": "failure", "comment": "success"}}
        assert "moves the gate's own bounds" in there.comments()[-1]
        assert merged == {"Promote": STOPPED}
    else:
        assert (checked, merged) == ({"Train": PASSED}, {"Promote": PROMOTED})
    assert len(there.ledger()) == 1 + (not guarded)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_forged_candidate_stops_the_promotion(there: Repository, guarded: bool) -> None:
    if not guarded:
        there.weaken(PROMOTE, (PROVE, ""))
    pull = there.pull("forged", there.edit(PARAMS, THIRD) | there.edit(TRAIN, FORGED))
    assert there.run() == {"Train": PASSED}
    there.forge.merge(pull)
    (result,) = there.forge.run()
    assert result.jobs == (STOPPED if guarded else PROMOTED)
    assert ("prove: stopped" in result.log) is guarded
    assert len(there.ledger()) == 1 + (not guarded)


def test_a_workflow_that_was_changed_and_changed_back_proves_nothing(there: Repository) -> None:
    pull = there.pull("back", there.edit(PARAMS, THIRD) | there.edit(TRAIN, FORGED))
    assert there.run() == {"Train": PASSED}
    there.change("back", there.edit(TRAIN) | {"docs/notes.md": "Back."}, start="origin/back")
    there.forge.synchronize(pull)
    (honest,) = there.forge.run()
    there.forge.merge(pull, "squash")
    assert there.run() == {"Promote": PROMOTED}
    assert there.ledger()[-1]["proof"].endswith(f"/actions/runs/{honest.run['id']}")


def test_a_candidate_of_another_workflow_proves_nothing(there: Repository) -> None:
    files = there.edit(TRAIN, FORGED, ("name: Train\n", "name: Other\n"))
    other = {".github/workflows/other.yaml": files[TRAIN]}
    quiet = there.edit(TRAIN, ("  pull_request:\n", "  workflow_dispatch:\n"))
    pull = there.pull("else", there.edit(PARAMS, THIRD) | other | quiet)
    assert there.run() == {"Other": PASSED}
    there.forge.merge(pull)
    assert there.run() == {"Promote": PROMOTED}
    assert there.ledger()[-1]["proof"].startswith("no pull request had evaluated")


@pytest.mark.parametrize("guarded", [True, False])
def test_the_job_that_may_comment_runs_no_code_of_the_pull_request(
    there: Repository, guarded: bool
) -> None:
    if not guarded:
        there.weaken(TRAIN, ("          ref: ${{ github.event.pull_request.base.sha }}\n", ""))
    path = f"src/{there.project.package}/forge/comment.py"
    evil = ('content = {"body": ', 'content = {"body": "Approved by the owner" + ')
    there.pull("evil", there.edit(path, evil) | there.edit(PARAMS, OTHER[::-1]))
    assert there.run() == {"Train": PASSED}
    comment = there.comments()[-1]
    assert ("Approved by the owner" in comment) is not guarded
    assert f"touches the code that judges it**: `{path}`" in comment
