"""A candidate that is handed over: its verdict counts while what it was about is still so."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rows

from mlrails.core import files, layout
from mlrails.core.errors import Exit, WorldError
from mlrails.core.settings import Settings
from mlrails.gate import contest, report
from mlrails.gate.verdict import Answer, Check, Verdict
from mlrails.lifecycle import bundle
from mlrails.lifecycle.promote import promote
from mlrails.lifecycle.rollback import rollback
from mlrails.modeling import isolation
from mlrails.pipeline import candidate
from mlrails.registry import download, versions
from mlrails.registry.ledger import Ledger
from mlrails.tracking.origin import Project

Put = Callable[[str], str]
FAILED = Check("size", False, 3.0, 2.0, "too large")


def pack(here: Settings, champion: str | None, answer: Answer = Answer.PROMOTE) -> Path:
    """Pack the project's candidate with a verdict that was held against a champion."""
    found = candidate.here(here)
    checks = [] if answer is Answer.PROMOTE else [FAILED]
    told = Verdict(answer, found.digest, champion, checks, {})
    report.write(told, "a registry", "main (abc)", here.root)
    folder = bundle.pack(Project(here.root), found)
    files.write_text("identical bytes as in a run\n", folder / bundle.PROOF)
    return folder


def champion(settings: Settings) -> int | None:
    return versions.connect(settings).pointed("champion")


def last_move(settings: Settings) -> Mapping[str, str]:
    return Ledger(versions.connect(settings).client, settings).entries()[-1].told


@pytest.fixture
def no_code_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever loads a model or holds the gate fail."""

    def refused(*_: object) -> Any:
        raise AssertionError("the job that writes has run a model's code")

    monkeypatch.setattr(isolation, "load", refused)
    monkeypatch.setattr(contest, "contest", refused)


@pytest.mark.usefixtures("no_code_is_run")
def test_it_is_promoted_with_its_verdict_and_its_proof_and_no_data(here: Settings) -> None:
    folder = pack(here, None)
    for made in ("data", "models", "reports"):
        shutil.rmtree(here.root / made)
    assert promote(here, handed_over=folder) is Exit.DONE
    assert champion(here) == 1
    told = last_move(here)
    assert (told["bounds"], told["proof"]) == ("main (abc)", "identical bytes as in a run")
    there = versions.connect(here)
    with download.model(there, there.get(1)) as promoted:
        assert sorted(it.name for it in promoted.iterdir()) == sorted(
            it.name for it in (folder / layout.MODEL).iterdir()
        )


@pytest.mark.usefixtures("no_code_is_run")
@pytest.mark.parametrize(
    ("answer", "code"), [(Answer.REJECT, Exit.REJECT), (Answer.UNDECIDED, Exit.UNDECIDED)]
)
def test_a_verdict_that_is_no_promotion_promotes_nothing(
    here: Settings, answer: Answer, code: Exit
) -> None:
    assert promote(here, handed_over=pack(here, None, answer)) is code
    assert champion(here) is None


def test_again_it_is_the_champion_already(here: Settings) -> None:
    folder = pack(here, None)
    assert promote(here, handed_over=folder) is Exit.DONE
    assert promote(here, handed_over=folder) is Exit.DONE
    assert champion(here) == 1
    assert len(Ledger(versions.connect(here).client, here).entries()) == 1


@pytest.mark.usefixtures("promoted")
def test_a_champion_that_has_moved_since_the_gate_is_refused(here: Settings, another: Put) -> None:
    first = candidate.here(here).digest
    another("second")
    for met, then in ((None, "nobody"), ("c" * 64, "c" * 12)):
        words = f"the champion is {first[:12]} now, and the gate was held against {then}; run all"
        with pytest.raises(WorldError, match=words):
            promote(here, handed_over=pack(here, met))
        assert champion(here) == 1
    assert promote(here, handed_over=pack(here, first)) is Exit.DONE
    assert champion(here) == 2


@pytest.mark.usefixtures("promoted")
def test_a_digest_that_was_rolled_back_does_not_come_back_with_its_old_verdict(
    here: Settings, another: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    first = candidate.here(here).digest
    another("second")
    folder = pack(here, first)
    promote(here, handed_over=folder)
    rollback(here, reason="a bad night")
    assert promote(here, handed_over=folder) is Exit.REJECT
    assert "not rolled back: it was rolled back: a bad night" in capsys.readouterr().out
    assert champion(here) == 1


def test_what_is_kept_in_the_ledger_is_the_bundle_s_verdict(here: Settings) -> None:
    folder = pack(here, None)
    path = here.root / report.VERDICT
    path.write_text(json.dumps({"verdict": "of something else"}), "utf-8")
    promote(here, handed_over=folder)
    there = versions.connect(here)
    (entry,) = Ledger(there.client, here).entries()
    kept = [
        there.client.download_artifacts(entry.run_id, it.path) for it in kept_files(there, entry)
    ]
    assert any(Path(it).read_bytes() == (folder / report.VERDICT).read_bytes() for it in kept)


def kept_files(there: versions.Registry, entry: Any) -> list[Any]:
    top = there.client.list_artifacts(entry.run_id)
    inside = [it for folder in top for it in there.client.list_artifacts(entry.run_id, folder.path)]
    return [it for it in (*top, *inside) if not it.is_dir]


@pytest.fixture
def with_remote(here: Settings, tmp_path: Path) -> Settings:
    """Return the settings of a project whose remote has its commit on main."""
    bare = tmp_path / "bare.git"
    rows.git(tmp_path, "init", "--quiet", "--bare", str(bare))
    rows.git(here.root, "remote", "add", "origin", str(bare))
    rows.git(here.root, "push", "--quiet", "origin", "HEAD:main")
    return here


def test_the_tip_of_main_is_promoted_and_an_older_commit_is_not(
    with_remote: Settings, another: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promote(with_remote, tip="main", handed_over=pack(with_remote, None)) is Exit.DONE
    assert champion(with_remote) == 1
    old = rows.git(with_remote.root, "rev-parse", "HEAD")
    another("second")
    new = rows.git(with_remote.root, "rev-parse", "HEAD")
    rows.git(with_remote.root, "push", "--quiet", "origin", "HEAD:main")
    rows.git(with_remote.root, "checkout", "--quiet", old)
    assert promote(with_remote, tip="main") is Exit.DONE
    assert f"superseded: main is at {new[:12]}, whose own run decides" in capsys.readouterr().out
    assert len(versions.connect(with_remote).versions()) == 1


def test_without_the_tip_an_older_commit_would_be_promoted(
    with_remote: Settings, another: Put
) -> None:
    old = rows.git(with_remote.root, "rev-parse", "HEAD")
    folder = pack(with_remote, None)
    rows.git(with_remote.root, "commit", "--quiet", "--allow-empty", "--message", "second")
    rows.git(with_remote.root, "push", "--quiet", "origin", "HEAD:main")
    rows.git(with_remote.root, "checkout", "--quiet", old)
    assert promote(with_remote, handed_over=folder) is Exit.DONE
    assert champion(with_remote) == 1


@pytest.mark.parametrize("merged_meanwhile", [True, False])
def test_a_merge_while_the_bytes_are_checked_stops_the_promotion_too(
    with_remote: Settings, monkeypatch: pytest.MonkeyPatch, *, merged_meanwhile: bool
) -> None:
    def merge(*words: Any) -> None:
        check(*words)
        if merged_meanwhile:
            rows.git(with_remote.root, "push", "--quiet", "--force", "origin", f"{later}:main")

    check = download.check
    monkeypatch.setattr(download, "check", merge)
    folder = pack(with_remote, None)
    message = ("commit-tree", "-m", "second", "-p", "HEAD", "HEAD^{tree}")
    later = rows.git(with_remote.root, *message)
    assert promote(with_remote, tip="main", handed_over=folder) is Exit.DONE
    assert champion(with_remote) == (None if merged_meanwhile else 1)


def test_a_tip_that_cannot_be_asked_promotes_nothing(with_remote: Settings, tmp_path: Path) -> None:
    rows.git(with_remote.root, "remote", "set-url", "origin", str(tmp_path / "gone.git"))
    with pytest.raises(WorldError, match="cannot read it"):
        promote(with_remote, tip="main")
    with pytest.raises(WorldError, match="cannot read it"):
        promote(replace(with_remote, token="secret"), tip="main")  # noqa: S106 - a made-up one
    assert versions.connect(with_remote).versions() == []
