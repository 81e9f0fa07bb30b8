"""The registry on a branch: an act counts whole, on the newest state, or not at all."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import rows

from mlrails.core import git
from mlrails.core.errors import WorldError
from mlrails.core.settings import Settings
from mlrails.registry import git_branch
from mlrails.tracking import embedded, store

Clone = Callable[[str], Settings]


def adding(name: str) -> Callable[[Settings], list[str]]:
    """Return the act that adds an experiment with a file, and tells which ones there are then."""

    def act(there: Settings) -> list[str]:
        client = store.connect(there)
        folder = there.store_folder / embedded.ARTIFACTS / name
        folder.mkdir(parents=True)
        (folder / "lines.txt").write_bytes(b"a\nb\r\n")
        store.experiment(client, there, name)
        return experiments(there)

    return act


def experiments(there: Settings) -> list[str]:
    found = store.connect(there).search_experiments()
    return sorted(it.name for it in found if it.name != "Default")


def commits(settings: Settings) -> int:
    bare = Path(git_branch.address(settings))
    found = rows.git(bare, "for-each-ref", f"refs/heads/{git_branch.BRANCH}")
    return int(rows.git(bare, "rev-list", "--count", git_branch.BRANCH)) if found else 0


def pushed(settings: Settings, folder: Path) -> Path:
    """Return what the remote holds, checked out by somebody who only uses git."""
    address = git_branch.address(settings)
    rows.git(folder.parent, "clone", "--quiet", "--branch", git_branch.BRANCH, address, str(folder))
    return folder


def test_what_one_has_written_another_reads(clone: Clone) -> None:
    one, other = clone("one"), clone("other")
    assert git_branch.act_on(one, adding("a")) == ["a"]
    assert git_branch.act_on(other, experiments, writes=False) == ["a"]
    assert git_branch.act_on(other, adding("b")) == ["a", "b"]
    assert git_branch.act_on(one, experiments, writes=False) == ["a", "b"]


def test_without_a_branch_the_act_meets_the_settings_as_they_are(settings: Settings) -> None:
    assert git_branch.act_on(settings, lambda there: there) is settings


def test_of_two_acts_at_once_one_push_wins_and_the_other_is_done_again(
    clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = clone("one"), clone("other")
    git_branch.act_on(one, adding("before"))
    seen: list[list[str]] = []

    def slow(there: Settings) -> list[str]:
        seen.append(experiments(there))
        if len(seen) == 1:  # Between its fetch and its push somebody else is done.
            git_branch.act_on(other, adding("theirs"))
        return adding("ours")(there)

    assert git_branch.act_on(one, slow) == ["before", "ours", "theirs"]
    assert seen == [["before"], ["before", "theirs"]]
    assert commits(one) == 3
    assert "somebody was faster; doing it again on what is there now" in capsys.readouterr().out


def test_a_push_that_overwrites_would_lose_the_other_s_act(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = clone("one"), clone("other")
    git_branch.act_on(one, adding("before"))

    def forced(settings: Settings, folder: Path, paths: list[str]) -> bool:
        git.check(folder, "add", "--force", "--", *paths)
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        git.check(folder, *who, "commit", "--quiet", "--message", "ours")
        where = [git_branch.address(settings), f"+HEAD:refs/heads/{git_branch.BRANCH}"]
        git.check(folder, "push", "--quiet", *where)
        return True

    def slow(there: Settings) -> None:
        with monkeypatch.context() as patch:
            patch.undo()
            git_branch.act_on(other, adding("theirs"))
        monkeypatch.setattr(
            git_branch,
            "push",
            lambda settings, _, folder, paths, __: forced(settings, folder, paths),
        )
        adding("ours")(there)

    git_branch.act_on(one, slow)
    assert git_branch.act_on(one, experiments, writes=False) == ["before", "ours"]


def test_who_is_beaten_each_time_is_told_so(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    one = clone("one")
    git_branch.act_on(one, adding("before"))
    monkeypatch.setattr(git_branch, "push", lambda *_: False)
    with pytest.raises(WorldError, match="somebody was faster 5 times; try again later"):
        git_branch.act_on(one, adding("ours"))


@pytest.mark.parametrize("error", [WorldError("no"), MemoryError(), KeyboardInterrupt()])
def test_an_act_that_fails_pushes_nothing(clone: Clone, error: BaseException) -> None:
    one = clone("one")
    git_branch.act_on(one, adding("before"))

    def failing(there: Settings) -> None:
        adding("half")(there)
        raise error

    with pytest.raises(type(error)):
        git_branch.act_on(one, failing)
    assert commits(one) == 1
    assert git_branch.act_on(one, experiments, writes=False) == ["before"]


@pytest.mark.parametrize("writes", [True, False])
def test_an_act_that_changes_nothing_pushes_nothing(clone: Clone, writes: bool) -> None:
    one = clone("one")
    git_branch.act_on(one, adding("before"))
    git_branch.act_on(one, experiments, writes=writes)
    assert commits(one) == 1


def test_who_only_reads_never_pushes(clone: Clone) -> None:
    one = clone("one")
    assert git_branch.act_on(one, adding("tried"), writes=False) == ["tried"]
    assert commits(one) == 0


def test_a_file_alone_is_a_change(clone: Clone) -> None:
    one = clone("one")
    git_branch.act_on(one, adding("a"))

    def signing(there: Settings) -> None:
        (there.store_folder / embedded.ARTIFACTS / "a" / "signature.json").write_text("{}")

    git_branch.act_on(one, signing)
    assert commits(one) == 2


def test_what_is_too_large_is_refused(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    one = clone("one")
    monkeypatch.setattr(git_branch, "_MOST", 100_000)
    with pytest.raises(WorldError, match=r"would hold \d MB.* set MLFLOW_TRACKING_URI"):
        git_branch.act_on(one, adding("a"))
    assert commits(one) == 0


def test_what_is_pushed_names_no_path_of_this_machine(clone: Clone, tmp_path: Path) -> None:
    one = clone("one")
    git_branch.act_on(one, adding("a"))
    there = pushed(one, tmp_path / "pushed")
    with closing(sqlite3.connect(there / embedded.DATABASE)) as connection:
        told = "\n".join(connection.iterdump())
    assert "file:///registry/mlartifacts/a" in told
    for file in filter(Path.is_file, there.rglob("*")):
        if ".git" not in file.relative_to(there).parts:
            assert str(tmp_path).encode() not in file.read_bytes(), file


def test_a_store_as_it_lies_there_would_name_them(clone: Clone) -> None:
    def looking(there: Settings) -> bool:
        adding("a")(there)
        database = there.store_folder / embedded.DATABASE
        return str(there.store_folder).encode() in database.read_bytes()

    assert git_branch.act_on(clone("one"), looking)


def test_the_branch_holds_the_registry_and_says_what_it_is(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_AUTHOR_NAME", raising=False)  # else git believes it first
    one = clone("one")
    git_branch.act_on(one, adding("a"))
    there = pushed(one, tmp_path / "pushed")
    names = {path.name for path in there.iterdir()} - {".git"}
    assert names == {".gitattributes", "README.md", "mlartifacts", "mlflow.db"}
    assert (there / "mlartifacts" / "a" / "lines.txt").read_bytes() == b"a\nb\r\n"
    assert "nox -s history -- --registry branch" in (there / "README.md").read_text("utf-8")
    assert rows.git(there, "log", "-1", "--format=%an") == "one"


def test_the_copy_of_a_branch_is_taken_away(clone: Clone) -> None:
    one = clone("one")
    folders = [
        git_branch.act_on(one, lambda there: there.store_folder, writes=writes)
        for writes in (False, True)
    ]
    assert not [folder for folder in folders if folder.exists()]
    assert not list(one.scratch.glob("registry-*"))


def test_what_the_user_has_checked_out_stays_as_it_is(clone: Clone) -> None:
    one = clone("one")
    (one.root / "new.md").write_text("mine", "utf-8")
    before = rows.git(one.root, "status", "--porcelain"), rows.git(one.root, "rev-parse", "HEAD")
    git_branch.act_on(one, adding("a"))
    (one.root / ".dvc").rename(one.root.with_name("scratch"))
    after = rows.git(one.root, "status", "--porcelain"), rows.git(one.root, "rev-parse", "HEAD")
    assert after == before
