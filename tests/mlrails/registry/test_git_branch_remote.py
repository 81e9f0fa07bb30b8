"""A branch of the remote: whoever pushes first counts, and the rights of a job stay its own."""

import base64
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rows

from mlrails.core import git
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.registry import git_branch

BRANCH = "registry"
TOKEN = "ghs_a-token-of-a-job"  # noqa: S105 - a made-up one
SECRET = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
Clone = Callable[[str], Settings]
Call = tuple[tuple[str, ...], Mapping[str, str]]


def put(settings: Settings, folder: Path, **files: bytes) -> bool:
    """Push files on what the branch is now, from a folder that is made for it."""
    begun = begin(settings, folder)
    for name, content in files.items():
        (begun / name).write_bytes(content)
    return git_branch.push(settings, BRANCH, begun, list(files), "more")


def begin(settings: Settings, folder: Path) -> Path:
    folder.mkdir()
    commit = git_branch.fetch(settings, BRANCH, writes=True)
    git_branch.copy(settings, BRANCH, commit, folder)
    return folder


def on_branch(settings: Settings, *words: str) -> str:
    bare = git_branch.address(settings)
    return rows.git(Path(bare), *words)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Return the arguments and the variables of each git, which answers with nothing."""
    calls: list[Call] = []

    def run(folder: Path, *words: str, **variables: str) -> Any:
        calls.append((words, variables))
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(git, "run", run)
    return calls


def test_a_branch_begins_alone_and_grows(clone: Clone, tmp_path: Path) -> None:
    first = clone("one")
    assert git_branch.tip(first, BRANCH) is None
    assert git_branch.fetch(first, BRANCH, writes=True) is None
    assert put(first, tmp_path / "a", a=b"1")
    assert put(clone("other"), tmp_path / "b", b=b"2")
    assert on_branch(first, "rev-list", "--count", BRANCH) == "2"
    assert on_branch(first, "ls-tree", "--name-only", BRANCH).split() == ["a", "b"]
    assert git_branch.fetch(first, BRANCH, writes=True) == git_branch.tip(first, BRANCH)


def test_of_two_who_began_together_the_first_push_counts(clone: Clone, tmp_path: Path) -> None:
    one, other = clone("one"), clone("other")
    put(one, tmp_path / "before", a=b"0")
    ours, theirs = begin(one, tmp_path / "ours"), begin(other, tmp_path / "theirs")
    for folder, content in ((ours, b"1"), (theirs, b"2")):
        (folder / "a").write_bytes(content)
    assert git_branch.push(other, BRANCH, theirs, ["a"], "theirs") is True
    assert git_branch.push(one, BRANCH, ours, ["a"], "ours") is False
    assert on_branch(one, "show", f"{BRANCH}:a") == "2"


def test_two_who_begin_the_branch_do_not_both_begin_it(clone: Clone, tmp_path: Path) -> None:
    one, other = clone("one"), clone("other")
    ours, theirs = begin(one, tmp_path / "ours"), begin(other, tmp_path / "theirs")
    for folder in (ours, theirs):
        (folder / "a").write_text(folder.name)
    assert git_branch.push(one, BRANCH, ours, ["a"], "ours") is True
    assert git_branch.push(other, BRANCH, theirs, ["a"], "theirs") is False


def test_a_push_that_the_remote_forbids_says_why(clone: Clone, tmp_path: Path) -> None:
    settings = clone("one")
    hook = Path(git_branch.address(settings), "hooks", "pre-receive")
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho 'the branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(WorldError, match=r"registry of .*cannot write it: .*(protected|hook)"):
        put(settings, tmp_path / "a", a=b"1")


def test_who_only_reads_is_given_what_was_fetched_last(
    clone: Clone, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = clone("one")
    put(settings, tmp_path / "a", a=b"1")
    known = git_branch.fetch(settings, BRANCH, writes=False)
    rows.git(settings.root, "remote", "set-url", "origin", str(tmp_path / "gone.git"))
    assert git_branch.fetch(settings, BRANCH, writes=False) == known is not None
    assert "this is how it was when last fetched" in capsys.readouterr().err
    acts: list[Callable[[], object]] = [
        lambda: git_branch.fetch(settings, BRANCH, writes=True),
        lambda: git_branch.tip(settings, BRANCH),
    ]
    for act in acts:
        with pytest.raises(WorldError, match=r"cannot read it: .*gone\.git.* not .* repository"):
            act()


def test_a_job_without_rights_knows_from_its_checkout_that_there_is_no_registry_yet(
    clone: Clone, tmp_path: Path
) -> None:
    settings = clone("one")
    rows.git(settings.root, "remote", "set-url", "origin", str(tmp_path / "gone.git"))
    assert git_branch.fetch(replace(settings, in_ci=True), BRANCH, writes=False) is None
    for asked, writes in [(settings, False), (replace(settings, in_ci=True), True)]:
        with pytest.raises(WorldError, match="cannot read it"):
            git_branch.fetch(asked, BRANCH, writes=writes)


def test_a_branch_that_was_taken_away_is_none(clone: Clone, tmp_path: Path) -> None:
    settings = clone("one")
    put(settings, tmp_path / "a", a=b"1")
    git_branch.fetch(settings, BRANCH, writes=True)
    on_branch(settings, "branch", "--quiet", "-D", BRANCH)
    assert git_branch.fetch(settings, BRANCH, writes=False) is None


def test_no_remote_is_told_with_what_to_do(project: Path) -> None:
    with pytest.raises(UsageError, match="no remote 'origin'; add it with `git remote add"):
        git_branch.address(Settings(project))


def test_lines_end_as_they_were_written(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"a\nb\r\nc\n"
    settings = clone("one")
    attributes = b"* -text\n"
    put(settings, tmp_path / "a", a=content, **{".gitattributes": attributes})
    for number, (name, value) in enumerate({"autocrlf": "true", "eol": "crlf"}.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", f"core.{name}")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    folder = begin(settings, tmp_path / "b")
    assert (folder / "a").read_bytes() == content
    (folder / "a").write_bytes(content * 2)
    git_branch.push(settings, BRANCH, folder, ["a"], "more")
    there = ["git", "-C", git_branch.address(settings), "show", f"{BRANCH}:a"]
    assert subprocess.run(there, capture_output=True, check=True).stdout == content * 2


def test_a_checkout_of_the_user_s_habits_would_change_them(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = clone("one")
    put(settings, tmp_path / "a", a=b"a\nb\n")
    rows.git(settings.root, "fetch", "--quiet", "origin", BRANCH)
    rows.git(settings.root, "-c", "core.autocrlf=true", "checkout", "--quiet", "FETCH_HEAD")
    assert (settings.root / "a").read_bytes() == b"a\r\nb\r\n"
    assert (begin(settings, tmp_path / "b") / "a").read_bytes() == b"a\nb\n"


def test_the_token_of_a_job_is_never_an_argument(said: list[Call], tmp_path: Path) -> None:
    settings = Settings(tmp_path, token=TOKEN)
    addressed(settings, said, "https://github.com/a/b.git")
    words = " ".join(word for arguments, _ in said for word in arguments)
    assert TOKEN not in words and SECRET not in words
    asked = [rights for arguments, rights in said if arguments[0] in {"ls-remote", "push"}]
    assert asked and all(f"basic {SECRET}" in " ".join(it.values()) for it in asked)


@pytest.mark.parametrize(
    "address",
    [
        "http://github.com/a/b.git",
        "https://example.org/a/b.git",
        "https://github.com.example.org/a/b.git",
        "https://github.com@example.org/a/b.git",
        "git@github.com:a/b.git",
        "/a.git",
    ],
)
def test_only_the_forge_itself_is_told_the_token(
    said: list[Call], tmp_path: Path, address: str
) -> None:
    settings = Settings(tmp_path, token=TOKEN)
    addressed(settings, said, address)
    assert said
    assert not [value for _, rights in said for value in rights.values() if SECRET in value]
    addressed(replace(settings, server="https://forge"), said, "https://forge/a/b.git")
    assert SECRET in "".join(said[-1][1].values())


def addressed(settings: Settings, said: list[Call], address: str) -> None:
    """Ask and push as where the remote has this address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git_branch, "address", lambda settings: address)
        git_branch.tip(settings, BRANCH)
        git_branch.push(settings, BRANCH, settings.root, ["a"], "more")


def test_no_message_holds_a_secret(clone: Clone, tmp_path: Path) -> None:
    settings = replace(clone("one"), token=TOKEN, server="https://somebody:password@127.0.0.1:9")
    nowhere = "https://somebody:password@127.0.0.1:9/a/b.git"  # pragma: allowlist secret
    rows.git(settings.root, "remote", "set-url", "origin", nowhere)
    folder = tmp_path / "a"
    folder.mkdir()
    git_branch.copy(settings, BRANCH, None, folder)
    (folder / "a").touch()
    acts: list[Callable[[], object]] = [
        lambda: git_branch.fetch(settings, BRANCH, writes=True),
        lambda: git_branch.push(settings, BRANCH, folder, ["a"], "more"),
    ]
    for act in acts:
        with pytest.raises(WorldError, match=r"https://\*\*\*@127\.0\.0\.1:9/a/b\.git") as told:
            act()
        assert not [word for word in (TOKEN, SECRET, "password") if word in str(told.value)]
