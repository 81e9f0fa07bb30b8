"""The review of a change: verdict, report and bundle, whoever may ask the registry."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import rows
from typer.testing import CliRunner

from mlrails.cli.app import app
from mlrails.core.errors import Exit, UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.gate import judge, report
from mlrails.gate.verdict import Answer, Check, Verdict
from mlrails.github import api
from mlrails.github.api import Job
from mlrails.github.review import REVIEW, review
from mlrails.lifecycle import bundle
from mlrails.lifecycle.promote import promote
from mlrails.pipeline import dvc
from mlrails.registry import git_branch, versions
from mlrails.tracking.input_key import input_key

Put = Callable[[str], str]
NOBODY = "http://127.0.0.1:9"
"""Where no server listens."""


@pytest.fixture(autouse=True)
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Let the review run in a job."""
    files = {"output": str(tmp_path / "output"), "summary": str(tmp_path / "summary")}
    this = Job(server="https://forge", repository="a/b", run="7", **files)
    monkeypatch.setattr(api, "this", lambda: this)
    return this


def outputs(forge: Job) -> dict[str, str]:
    lines = Path(forge.output).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def text(settings: Settings) -> str:
    return (settings.root / REVIEW).read_text("utf-8")


def verdict(settings: Settings) -> Verdict:
    found, _ = bundle.verdict(settings.root / bundle.NAME)
    return found


def test_a_first_model_is_reviewed_packed_and_answered(here: Settings, forge: Job) -> None:
    assert review(here, "HEAD") is Exit.DONE
    key = input_key(here.root)
    assert outputs(forge) == {"verdict": "promote", "candidate": f"candidate-{key}"}
    assert Path(forge.summary).read_text("utf-8") == text(here)
    assert text(here).startswith("# Promote: this model may become champion\n")
    assert "artifacts of https://forge/a/b/actions/runs/7" in text(here)
    folder = here.root / bundle.NAME
    assert (folder / REVIEW).read_text("utf-8") == text(here)
    assert bundle.unpack(here, folder).key == key
    assert versions.connect(here).versions() == []


@pytest.mark.usefixtures("promoted")
def test_what_was_reviewed_is_what_is_promoted(here: Settings, another: Put, forge: Job) -> None:
    second = another("second")
    assert review(here, "HEAD^") is Exit.DONE
    assert promote(here, handed_over=here.root / bundle.NAME) is Exit.DONE
    there = versions.connect(here)
    champion = there.aliased("champion")
    assert champion and champion.digest == second == verdict(here).challenger
    assert review(here, "HEAD^") is Exit.DONE
    assert outputs(forge)["verdict"] == "unchanged"


@pytest.mark.usefixtures("promoted")
def test_the_champion_s_figures_stand_beside(here: Settings, another: Put) -> None:
    another("second")
    review(here, "HEAD^")
    (auc,) = (line for line in text(here).splitlines() if line.startswith("| Area under ROC"))
    cells = auc.split(" | ")
    assert cells[1] == cells[2] != "–"
    assert "Gain over the champion" in text(here)
    assert "src/" in text(here) and "features.py" in text(here)
    assert "The data are those of the champion." in text(here)
    versions.connect(here).tag(1, {"data_digest": "ab" * 32})
    review(here, "HEAD^")
    assert f"here, {'ab' * 6} of the champion" in text(here)


def test_the_bounds_are_the_base_s_and_a_change_of_them_is_told(here: Settings) -> None:
    params = here.root / "params.yaml"
    before = params.read_text("utf-8")
    params.write_text(before.replace("megabytes: 10", "megabytes: 0.001"), "utf-8")
    rows.git(here.root, "commit", "--all", "--quiet", "--message", "strict")
    params.write_text(before, "utf-8")
    rows.git(here.root, "commit", "--all", "--quiet", "--message", "weaken the gate")
    assert review(here, "HEAD") is Exit.DONE
    assert review(here, "HEAD^") is Exit.REJECT
    assert "moves the gate's own bounds: gate.megabytes from 0.001 to 10.0" in plain(text(here))


def plain(shown: str) -> str:
    return shown.replace("\\", "").replace("to 10.", "to 10.0.").replace("10.0.0", "10.0")


@pytest.mark.parametrize(
    ("answer", "passed", "code"),
    [(Answer.REJECT, False, Exit.REJECT), (Answer.UNDECIDED, None, Exit.DONE)],
)
def test_a_rejected_model_fails_and_an_undecided_one_waits(
    here: Settings,
    forge: Job,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    passed: bool | None,
    code: Exit,
) -> None:
    check = Check("bias", passed, None, None, "so it is")
    monkeypatch.setattr(
        judge, "verdict", lambda _, found, *__: Verdict(answer, found.digest, None, [check], {})
    )
    assert review(here, "HEAD") is code
    assert outputs(forge)["verdict"] == answer.value
    assert "Bias: so it is" in Path(forge.summary).read_text("utf-8")
    assert verdict(here).answer is answer


@pytest.mark.parametrize("base", ["", "0" * 40])
def test_a_branch_that_is_new_has_no_base(here: Settings, base: str) -> None:
    assert review(here, base) is Exit.DONE
    assert bundle.verdict(here.root / bundle.NAME)[1] == "the working tree"
    assert "Nothing but what is not kept in the repository." in text(here)


def test_a_base_that_is_none_is_refused(here: Settings, forge: Job) -> None:
    with pytest.raises(UsageError, match=r"the bounds of 'nowhere': git knows no params\.yaml"):
        review(here, "nowhere")
    assert not Path(forge.output).exists()


def test_a_registry_that_cannot_be_asked_stops_who_should_be_able_to(
    here: Settings, forge: Job
) -> None:
    with pytest.raises(WorldError, match=r"the tracking server .* does not answer"):
        review(replace(here, tracking_uri=NOBODY), "HEAD")
    assert not Path(forge.output).exists() and not (here.root / bundle.NAME).exists()


def test_without_a_secret_the_floors_count_and_it_is_said(
    here: Settings, forge: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    with_server = replace(here, tracking_uri=NOBODY)
    assert review(with_server, "HEAD", floors_at_least=True) is Exit.DONE
    words = "The registry cannot be asked without a secret, so only the floors count here."
    assert words in text(here).split("\n## ")[0]
    assert "only the floors count" in capsys.readouterr().err
    assert outputs(forge)["verdict"] == "promote"


def test_and_the_floors_do_count(here: Settings) -> None:
    params = here.root / "params.yaml"
    strict = params.read_text("utf-8").replace("megabytes: 10", "megabytes: 0.001")
    params.write_text(strict, "utf-8")
    rows.git(here.root, "commit", "--all", "--quiet", "--message", "strict")
    with_server = replace(here, tracking_uri=NOBODY)
    assert review(with_server, "HEAD", floors_at_least=True) is Exit.REJECT


def test_a_model_of_other_files_is_not_reviewed(
    here: Settings, forge: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc, "is_stale", lambda root: True)
    with pytest.raises(UsageError, match="not of these params and files"):
        review(here, "HEAD")
    assert not Path(forge.output).exists()


def test_a_crash_of_the_gate_answers_nothing(
    here: Settings, forge: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    review(here, "HEAD")
    Path(forge.output).unlink()

    def crashed(*_: object) -> Verdict:
        raise RuntimeError("a defect")

    monkeypatch.setattr(judge, "verdict", crashed)
    with pytest.raises(RuntimeError):
        review(here, "HEAD")
    assert not Path(forge.output).exists()


def test_the_verb_never_pushes(here: Settings, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    rows.git(tmp_path, "init", "--quiet", "--bare", str(bare))
    rows.git(here.root, "remote", "add", "origin", str(bare))
    done = CliRunner().invoke(app, ["review", "--base", "HEAD", "--registry", "branch"])
    assert done.exit_code == Exit.DONE, done.stderr
    refs = subprocess.run(["git", "-C", str(bare), "for-each-ref"], capture_output=True, check=True)
    assert refs.stdout == b""
    told = json.loads((here.root / report.VERDICT).read_text("utf-8"))
    assert told["registry"] == git_branch.registry_name(here)
