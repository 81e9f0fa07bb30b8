"""All or nothing: a kill at any step leaves the old files or, after the next command, the new."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import filelock  # noqa: F401 - or each child would import it
import pytest

from mlrails.adopt.writing import apply
from mlrails.cli import app
from mlrails.core.errors import UsageError, WorldError
from mlrails.pipeline import dvc

OLD = {"a.txt": "old a", "deep/b.txt": "old b", "gone.txt": "goes"}
NEW: Mapping[str, str | None] = {
    "a.txt": "new a",
    "deep/b.txt": "new b",
    "gone.txt": None,
    "made/here/c.txt": "new c",
}
COPY = "data/source/rows.csv"
STEPS = {"os.rename", "os.remove", "os.mkdir", "open", "shutil.copyfile", "shutil.rmtree"}
MOST_STEPS = 400


def texts(root: Path) -> dict[str, str]:
    """Return all files of a project but what neither git nor DVC looks at."""
    found = (path for path in root.rglob("*") if path.is_file() and ".dvc" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in found}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, text in OLD.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (tmp_path / "rows.csv").write_text("x\n1\n", "utf-8")
    return folder


def written(root: Path) -> dict[str, str]:
    new = {name: text for name, text in NEW.items() if text is not None}
    return {**new, COPY: (root.parent / "rows.csv").read_text("utf-8")}


def act(root: Path) -> None:
    apply.apply(root, NEW, {COPY: root.parent / "rows.csv"}, ())


def killed_at(root: Path, step: int) -> bool:
    """Apply in a process that is killed at a step; tell whether it had so many."""
    if not (child := os.fork()):
        count = 0

        def count_on(event: str, _: object) -> None:
            nonlocal count
            if event in STEPS:
                count += 1
                if count > step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count_on)
        try:
            act(root)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_all_of_it_is_written(root: Path) -> None:
    act(root)
    assert texts(root) == written(root)
    assert not apply.finish(root)
    assert not (root / ".dvc" / "tmp" / "adopt").exists()


def test_a_kill_at_any_step_leaves_the_old_or_the_new(root: Path, tmp_path: Path) -> None:
    seen = set()
    for step in range(MOST_STEPS):
        project = tmp_path / f"killed-{step}"
        shutil.copytree(root, project)
        is_killed = killed_at(project, step)
        carried_on = apply.finish(project)
        assert texts(project) in (OLD, written(root)), step
        assert not carried_on or texts(project) == written(root)
        seen.add((is_killed, carried_on, texts(project) == OLD))
        if not is_killed:
            break
    # Killed before it counts, after, when all is done but the tidying up, and not at all.
    assert seen >= {(True, False, True), (True, True, False), (False, False, False)}


def test_without_laying_it_out_first_a_kill_would_leave_half(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = []
    for step in range(8, 40):
        project = tmp_path / f"killed-{step}"
        shutil.copytree(root, project)
        monkeypatch.setattr(apply, "_stage", lambda _, name, there=project: placed(there / name))
        if not killed_at(project, step):
            break
        apply.finish(project)
        halves.append(texts(project) not in (OLD, written(root)))
    assert any(halves)


def placed(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_new_adoption_after_a_kill_begins_anew(root: Path) -> None:
    assert killed_at(root, 12)
    act(root)
    assert texts(root) == written(root)


def test_a_file_that_was_changed_after_the_kill_is_not_written_over(root: Path) -> None:
    step = next(it for it in range(MOST_STEPS) if killed_at(root, it) and _has_begun(root))
    assert step
    (root / "a.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"a\.txt: was changed after an adoption"):
        apply.finish(root)
    assert (root / "a.txt").read_text("utf-8") == "mine"
    (root / "a.txt").write_text(OLD["a.txt"], "utf-8")
    assert apply.finish(root)
    assert texts(root) == written(root)


def _has_begun(root: Path) -> bool:
    return (root / ".dvc" / "tmp" / "adopt" / "journal.json").is_file()


def test_what_fails_before_it_counts_has_changed_nothing(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        apply.apply(root, NEW, {COPY: root.parent / "nowhere.csv"}, ())
    assert texts(root) == OLD
    assert not (root / ".dvc" / "tmp" / "adopt").exists()


def test_two_at_once_are_one(root: Path) -> None:
    with apply._alone(root), pytest.raises(WorldError, match="an adoption works here"):
        act(root)
    assert texts(root) == OLD


def git(root: Path, *words: str) -> None:
    person = ("-c", "user.name=A user", "-c", "user.email=user@example.org")
    subprocess.run(["git", "-C", str(root), *person, *words], check=True, capture_output=True)


def test_a_project_that_git_could_not_bring_back_is_refused(root: Path) -> None:
    with pytest.raises(UsageError, match="nothing is committed here"):
        apply.must_be_clean(root)
    git(root, "init")
    git(root, "add", "--all")
    with pytest.raises(UsageError, match="nothing is committed here"):
        apply.must_be_clean(root)
    git(root, "commit", "--message", "It")
    (root / "mine.csv").write_text("x\n", "utf-8")
    apply.must_be_clean(root)
    (root / "a.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"a\.txt: not committed; .*--dirty"):
        apply.must_be_clean(root)


def test_data_that_git_or_dvc_keeps_is_known(root: Path) -> None:
    git(root, "init")
    (root / "rows[1].csv").write_text("x\n", "utf-8")
    assert not apply.is_kept(root, "rows[1].csv")
    git(root, "add", "--all")
    assert apply.is_kept(root, "rows[1].csv")
    (root / "big.csv.dvc").write_text("outs: []\n", "utf-8")
    assert apply.is_kept(root, "big.csv")


def test_the_next_command_carries_on_and_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dvc.yaml", "params.yaml"):
        (root / name).write_text("", "utf-8")
    next(it for it in range(MOST_STEPS) if killed_at(root, it) and _has_begun(root))
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["package", "history"])
    # The code that runs may be of before, so nothing else is done by it.
    with pytest.raises(WorldError, match=r"it is done now .*run the same command again"):
        app.main("package", ())
    assert written(root).items() <= texts(root).items()
    assert not apply.finish(root)


def test_a_file_that_cannot_be_replaced_is_replaced_by_the_next_command(root: Path) -> None:
    (root / "a.txt").unlink()
    (root / "a.txt").mkdir()
    with pytest.raises(OSError, match=r"a\.txt"):
        act(root)
    (root / "a.txt").rmdir()
    assert apply.finish(root)
    assert texts(root) == written(root)


def test_data_that_dvc_does_not_take_are_asked_for_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [255, 0]
    monkeypatch.setattr(dvc, "run", lambda *_: codes.pop(0))
    with pytest.raises(WorldError, match=r"rows\.csv: DVC does not take it"):
        apply.apply(root, NEW, {COPY: root.parent / "rows.csv"}, [COPY])
    assert texts(root) == written(root)
    assert apply.finish(root) and codes == []
