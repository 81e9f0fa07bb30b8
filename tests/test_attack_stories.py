"""Attacks on the way to production; where a workflow holds the guard, without it they pass."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from baking import Project
from forge_stories import (
    FOURTH,
    HELD,
    PARAMS,
    PASSED,
    PROMOTE,
    PROMOTED,
    STOPPED,
    THIRD,
    TRAIN,
    WORSE,
    Repository,
    gone_on,
    own,
    warm_nox,
)

pytestmark = [pytest.mark.slow, pytest.mark.forge]

LAX = (
    ("\n  margin: 0.01", "\n  margin: 0.4"),
    ("slice_margin: 0.05", "slice_margin: 0.4"),
    ("calibration: 0.02", "calibration: 0.9"),
    ("decisions: 0.1", "decisions: 0.9"),
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
JUNK = """
name: Train
on: pull_request
jobs:
  train:
    runs-on: ubuntu-24.04
    steps:
      - run: mkdir -p candidate/models/model && echo "not a model" > candidate/models/model/MLmodel
      - uses: actions/upload-artifact@v7
        with:
          name: candidate-KEY
          path: candidate
"""
UNCHANGED = """
case $3 in
  train) ;;
  review) cp -r {} candidate; echo verdict=unchanged >> "$GITHUB_OUTPUT" ;;
  *) shift; nox "$@" ;;
esac
"""
PUSHED = "on: {push: {branches: [evidence]}}"
QUIET = "on: workflow_dispatch\njobs: {}\n"
PROVE = """      - name: Compare with what the pull request has evaluated
        run: uvx nox -s prove
        env:
          GITHUB_TOKEN: ${{ github.token }}
"""


MEANWHILE = """      - name: Roll back meanwhile, as a person would
        run: uvx nox -s rollback -- --registry branch --reason meanwhile
        env:
          GITHUB_TOKEN: ${{ github.token }}
      - name: Take the model over
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
    # Without its guard it proves something: that is "an earlier commit" of the next test.
    pull = there.pull("back", {TRAIN: junk(there)})
    assert there.run() == {"Train": {"train": "success"}}
    there.change("back", there.edit(TRAIN) | {"docs/notes.md": "Back."}, start="origin/back")
    there.forge.synchronize(pull)
    (honest,) = there.forge.run()
    there.forge.merge(pull, "squash")
    (result,) = there.forge.run()
    assert result.jobs == HELD
    run = re.escape(f"/actions/runs/{honest.run['id']}")
    assert re.search(rf"identical bytes as in \S+{run}$", result.log, re.MULTILINE)


@pytest.fixture
def unchanged(quick: Project, first: Path, tmp_path: Path) -> Iterator[Repository]:
    """Go on from the first promotion; what main trains is at hand, as it stays what it was."""
    uvx = warm_nox(quick) + UNCHANGED.format(tmp_path / "merged")
    with gone_on(quick, first, tmp_path / "story", uvx) as there:
        (merged,) = (it for it in there.forge.files.every("artifacts") if it["name"] == "merged")
        archive = there.forge.files.folder("artifacts") / f"{merged['id']}.zip"
        shutil.unpack_archive(archive, tmp_path / "merged")
        yield there


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize(
    ("who", "guard"),
    [
        ("an earlier commit", ' and run["head_sha"] == head'),
        ("another workflow", "of_train and "),
        ("a fork", "own and "),
        ("a push", ' and run["event"] == "pull_request"'),
        ("a failed run", ' and run["conclusion"] == "success"'),
    ],
)
def test_only_the_train_workflow_on_the_last_commit_here_gives_evidence(
    unchanged: Repository, who: str, guard: str, guarded: bool
) -> None:
    there = unchanged
    if not guarded:
        there.weaken(there.source("github/candidates.py"), (guard, ""))
    text, elsewhere = junk(there), ".github/workflows/elsewhere.yaml"
    text = text.replace("on: pull_request", PUSHED) if "push" in who else text
    text += "      - run: exit 1\n" if "failed" in who else ""
    files = {TRAIN: QUIET, elsewhere: text} if "other" in who else {TRAIN: text}
    pull = there.pull("evidence", files, fork="fork" in who)
    if "push" in who:
        there.forge.pushed("evidence")
    there.run()
    if "earlier" in who:
        there.change("evidence", there.edit(TRAIN) | {"docs/notes.md": "Back."}, "origin/evidence")
        there.forge.synchronize(pull)
        there.forge.queue.waiting.clear()  # Somebody has cancelled the run that would be evidence.
    there.forge.merge(pull)
    (result,) = there.forge.run()
    assert result.jobs == (HELD if guarded else STOPPED)
    assert ("no pull request had evaluated" in result.log) is guarded


def junk(there: Repository) -> str:
    """Return a workflow that keeps something else as the candidate of main's own inputs."""
    (entry,) = there.ledger()
    return JUNK.replace("KEY", entry["input_key"])


@pytest.mark.parametrize("guarded", [True, False])
def test_a_verdict_counts_only_against_the_champion_that_it_met(
    there: Repository, guarded: bool
) -> None:
    if not guarded:
        guard = "if digest != given.champion:"
        there.weaken(there.source("lifecycle/promote.py"), (guard, "if False:"))
    there.land(there.edit(PARAMS, THIRD))
    assert there.run() == {"Promote": PROMOTED}
    meanwhile = ("      - name: Take the model over\n", MEANWHILE)
    there.land(there.edit(PARAMS, FOURTH) | there.edit(PROMOTE, meanwhile))
    (result,) = there.forge.run()
    assert result.jobs == (PROMOTED if not guarded else {**PROMOTED, "promote": "failure"})
    assert ("the gate was held against" in result.log) is guarded
    assert [entry["version"] for entry in there.ledger()][:3] == ["1", "2", "1"]
    assert len(there.ledger()) == 3 + (not guarded)


def test_bytes_that_were_swapped_in_the_registry_are_refused_where_a_key_is_asked_for(
    quick: Project, first: Path, tmp_path: Path, remembering: str
) -> None:
    key = tmp_path / "key.pem"
    make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key)]
    subprocess.run(make, check=True)
    public = subprocess.run(["openssl", "ec", "-in", str(key), "-pubout"], capture_output=True)
    secrets = {"production": {"MODEL_SIGNING_KEY": key.read_text("utf-8")}}
    with gone_on(quick, first, tmp_path / "story", remembering, secrets=secrets) as there:
        there.forge.dispatch("rollback.yaml", {"reason": "before anybody asks for a signature"})
        (early,) = there.forge.run()
        words = ("register", "1", "--registry", "branch")
        assert there.project.verb(*words, MODEL_SIGNING_KEY=str(key)).returncode == 0
        asked_for = {"signing.pub": public.stdout.decode()}
        there.land(there.edit(PARAMS, THIRD) | asked_for)
        assert there.run() == {"Promote": PROMOTED}
        assert there.ledger()[-1]["signature"] == "verified with signing.pub"
        swap(there, there.ledger()[0]["digest"], tmp_path / "swap")
        there.forge.dispatch("rollback.yaml", {"reason": "too many alarms"})
        (refused,) = there.forge.run()
        assert refused.jobs == {"rollback": "failure"}
        assert "does not verify with signing.pub" in refused.log
        again = there.forge.rerun(early.run)
        assert again.jobs == {"rollback": "failure"}
        assert "does not verify with signing.pub" in again.log
        there.git("rm", "--quiet", "signing.pub")  # The guard is taken out: the attack passes.
        there.commit("main")
        there.forge.dispatch("rollback.yaml", {"reason": "too many alarms"})
        assert there.run() == {"Rollback": {"rollback": "success"}}


def swap(there: Repository, digest: str, folder: Path) -> None:
    """Change the bytes of a version on the registry branch, and its digest wherever it stands."""
    clone = ["git", "clone", "--quiet", "--branch", "registry"]
    subprocess.run([*clone, str(there.forge.remote), str(folder)], check=True)
    of_folder = own(there.project, "core.hashing").of_folder
    models = (path.parents[2] for path in folder.rglob("data/model/predictor.json"))
    (model,) = (it for it in models if of_folder(it) == digest)
    path = model / "data" / "model" / "predictor.json"
    path.write_text(path.read_text("utf-8") + " ", "utf-8")
    for signature in folder.rglob(f"{digest}.json"):
        signature.rename(signature.with_name(f"{of_folder(model)}.json"))
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        for table in ("model_version_tags", "tags"):
            renamed = f"UPDATE {table} SET value = ? WHERE value = ?"  # noqa: S608
            database.execute(renamed, (of_folder(model), digest))
    for words in (["add", "--all"], ["commit", "--quiet", "--message", "x"], ["push", "--quiet"]):
        subprocess.run(["git", "-C", str(folder), *words], env=there.project.env, check=True)
