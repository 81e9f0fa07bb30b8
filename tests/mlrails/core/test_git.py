"""Git is started in one way: one sentence where it fails, one kind of clone, one actor."""

from dataclasses import replace
from pathlib import Path

import pytest
import rows

from mlrails.core import git
from mlrails.core.errors import WorldError
from mlrails.core.settings import Settings


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a repository whose project lies in a folder of it."""
    top = tmp_path / "top"
    (top / "project").mkdir(parents=True)
    (top / "project" / "a.txt").write_text("a")
    rows.git(top, "init", "--quiet", "--initial-branch", "main")
    rows.git(top, "add", ".")
    rows.git(top, "commit", "--quiet", "--message", "first")
    return top


def test_what_git_prints_is_returned(top: Path) -> None:
    assert git.check(top, "ls-files") == "project/a.txt\n"


HOOKS = "pre-commit", "prepare-commit-msg", "commit-msg", "post-checkout", "post-commit"


@pytest.fixture
def guarded(top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have hooks that refuse, for all repositories and in each new one, and sign each commit."""
    for folder in (tmp_path / "hooks", tmp_path / "template" / "hooks"):
        folder.mkdir(parents=True)
        for name in HOOKS:
            (folder / name).write_text("#!/bin/sh\nexit 1\n")
            (folder / name).chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f'[core]\nhooksPath = "{tmp_path}/hooks"\n[commit]\ngpgsign = true\n'
        "[gpg]\nprogram = false\n[user]\nname = A\nemail = a@localhost\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "template"))


@pytest.mark.usefixtures("guarded")
def test_a_copy_is_made_and_committed_to_whatever_a_person_wants_of_their_own(
    top: Path, tmp_path: Path
) -> None:
    there = git.shared_clone(top / "project", tmp_path / "copy")
    git.check(there.parent, "checkout", "--quiet", "HEAD")
    git.check(there, "commit", "--quiet", "--allow-empty", "--message", "ours")
    assert git.check(there, "log", "--format=%s").split() == ["ours", "first"]


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("left", [2, 0], ids=["signed", "hooks and signed"])
def test_without_our_settings_a_person_s_would_stop_it(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    monkeypatch.setattr(git, "_OURS", git._OURS[:left])
    copy = git.shared_clone(top, tmp_path / "copy")
    with pytest.raises(WorldError):
        git.check(copy, "checkout", "--quiet", "HEAD")
        git.check(copy, "commit", "--quiet", "--allow-empty", "--message", "ours")


@pytest.mark.parametrize("remedy", ["", "fetch it"])
def test_a_failure_is_one_sentence_with_the_verb_the_folder_and_the_remedy(
    top: Path, remedy: str
) -> None:
    with pytest.raises(WorldError) as caught:
        git.check(top, "-c", "core.autocrlf=false", "checkout", "nowhere", remedy=remedy)
    said = str(caught.value)
    assert said.startswith(f"git checkout failed in {top}: error: pathspec 'nowhere'")
    assert "\n" not in said
    assert said.endswith(f"; {remedy}" if remedy else "git")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("hint: try again\nfatal: no\nfatal: no more\n", "fatal: no"),
        ("warning: slow\n", "warning: slow"),
        ("\n", "it does not say why"),
    ],
)
def test_the_reason_is_the_first_line_that_is_no_advice(said: str, reason: str) -> None:
    assert git.reason(said) == reason


def test_a_shared_clone_has_the_objects_and_no_file(top: Path, tmp_path: Path) -> None:
    folder = git.shared_clone(top / "project", tmp_path / "copy")
    assert folder == tmp_path / "copy" / "project"
    assert [it.name for it in (tmp_path / "copy").iterdir()] == [".git"]
    assert git.head(tmp_path / "copy") == git.head(top)
    held = tmp_path / "copy" / ".git" / "objects"
    assert (held / "info" / "alternates").read_text().strip() == str(top / ".git" / "objects")
    assert [it for it in held.rglob("*") if len(it.name) == 38] == []


def test_head_and_branch_before_the_first_commit_and_on_none(top: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    rows.git(new, "init", "--quiet", "--initial-branch", "trunk")
    assert (git.head(new), git.branch(new)) == (None, "trunk")
    rows.git(top, "checkout", "--quiet", "--detach")
    assert (git.head(top), git.branch(top)) == (rows.git(top, "rev-parse", "HEAD"), "")


def test_who_acts_is_whom_the_forge_names_or_else_whom_git_knows(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Settings(top)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ada@example.org")
    assert git.actor(here) == "Ada"
    assert git.actor(replace(here, actor="octocat")) == "octocat"
