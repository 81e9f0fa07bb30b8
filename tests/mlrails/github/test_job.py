"""What the forge tells a job, and where the job answers."""

from pathlib import Path

import pytest

from mlrails.github import api
from mlrails.github.api import Job

TOLD = {
    "GITHUB_API_URL": "https://api.forge",
    "GITHUB_SERVER_URL": "https://forge",
    "GITHUB_REPOSITORY": "a/b",
    "GITHUB_RUN_ID": "7",
    "GITHUB_SHA": "abc",
    "GITHUB_TOKEN": "secret",
    "PULL_REQUEST": "12",
    "VERDICT": "drift",
    "UNTIL": "2013-12-31",
    "GITHUB_OUTPUT": "output",
    "GITHUB_STEP_SUMMARY": "summary",
}


def test_what_the_forge_says_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TOLD.items():
        monkeypatch.setenv(name, value)
    assert api.this() == Job(*TOLD.values())
    assert api.this().page == "https://forge/a/b/actions/runs/7"


def test_outside_of_a_job_nothing_is_known_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in TOLD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    here = api.this()
    assert here == Job() and here.page == ""
    here.answer(verdict="promote")
    here.summarize("text")
    assert not list(tmp_path.iterdir())


def test_answers_are_added_to_those_of_other_steps(tmp_path: Path) -> None:
    here = Job(output=str(tmp_path / "output"), summary=str(tmp_path / "summary"))
    (tmp_path / "output").write_text("before=1\n")
    here.answer(verdict="promote", candidate="candidate-abc")
    here.answer(more="2")
    told = (tmp_path / "output").read_text("utf-8")
    assert told == "before=1\nverdict=promote\ncandidate=candidate-abc\nmore=2\n"
    here.summarize("# Zwölf\n")
    here.summarize("more\n")
    assert (tmp_path / "summary").read_text("utf-8") == "# Zwölf\nmore\n"
