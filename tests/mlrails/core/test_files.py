"""Files and folders are there whole or not at all, whatever ends who writes them"""

import errno
import io
import os
import py_compile
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import rows

from mlrails.core import files
from mlrails.core.processes import process_id

OLD, NEW = "old é\n", "new\n"


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def listed(folder: Path) -> list[str]:
    return sorted(it.name for it in folder.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "text.json"
    files.write_text(OLD, path)
    return path


def test_a_text_is_written_as_it_is_and_below_folders_that_are_made(path: Path) -> None:
    assert path.read_bytes() == OLD.encode()
    assert listed(path.parent) == ["text.json"]


@pytest.mark.parametrize("at", ["write_text", "replace"])
def test_a_full_disk_leaves_the_old_text_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, at, full_disk)
        with pytest.raises(OSError, match="No space left"):
            files.write_text(NEW, path)
    assert path.read_bytes() == OLD.encode()
    assert listed(path.parent) == ["text.json"]


KILLED = """
import os, pathlib, signal, sys
from mlrails.core import files

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(*{"fsync": (os, "fsync", die), "replace": (pathlib.Path, "replace", die)}[sys.argv[2]])
with files.replacing(pathlib.Path(sys.argv[1])) as scratch:
    scratch.write_text("new\\n")
"""


def killed(path: Path, at: str, code: str = KILLED) -> None:
    """Write a file in a process that is killed on the way."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), at],
        cwd=rows.ROOT / "src",
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_kill_leaves_the_old_file_and_the_next_one_clears_up(path: Path, at: str) -> None:
    killed(path, at)
    assert path.read_bytes() == OLD.encode()
    assert listed(path.parent) == [".text.json.partial", "text.json"]
    files.write_text(NEW, path)
    assert path.read_text() == NEW
    assert listed(path.parent) == ["text.json"]


def test_without_the_scratch_file_a_kill_would_leave_half(path: Path) -> None:
    unguarded = KILLED.replace(
        "with files.replacing(pathlib.Path(sys.argv[1])) as scratch:",
        "with open(sys.argv[1], 'w') as scratch:\n    scratch.write_text = scratch.write",
    )
    killed(path, "fsync", f"{unguarded}    scratch.flush()\n    os.fsync(scratch.fileno())\n")
    assert path.read_bytes() == NEW.encode() != OLD.encode()


def test_the_bytes_are_on_the_disk_before_the_name_is_theirs(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, int]] = []
    fsync, replace = os.fsync, Path.replace

    def synced(number: int) -> None:
        fsync(number)
        done.append(("fsync", os.fstat(number).st_ino))

    def replaced(source: Path, target: Path) -> Path:
        done.append(("replace", source.stat().st_ino))
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    files.write_text(NEW, path)
    assert done == [(act, path.stat().st_ino) for act in ("fsync", "replace")]


def test_it_grows_in_the_folder_of_its_place(path: Path) -> None:
    with files.replacing(path) as scratch:
        assert scratch.parent == path.parent  # so a rename stays on one disk
        scratch.write_text(NEW)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_permissions_of_the_file_before_are_kept(path: Path, mode: int) -> None:
    path.chmod(mode)
    files.write_text(NEW, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_folder_takes_the_place_of_another_whole(tmp_path: Path) -> None:
    made, target = tmp_path / ".made", tmp_path / "target"
    for folder, name in ((made, "new"), (target, "old")):
        folder.mkdir()
        (folder / name).touch()
    files.replace_folder(made, target)
    assert listed(tmp_path) == ["target"]
    assert listed(target) == ["new"]


def test_a_scratch_folder_is_its_users_alone_and_goes_after(tmp_path: Path) -> None:
    with files.scratch_folder(tmp_path) as folder:
        assert listed(folder) == []
        assert [stat.S_IMODE(it.stat().st_mode) for it in (folder, folder.parent)] == [0o700] * 2
    assert listed(tmp_path / "copies") == []


def test_a_scratch_folder_of_a_process_that_is_gone_is_removed(tmp_path: Path) -> None:
    mine = process_id().replace("/", "~")
    gone = tmp_path / "copies" / f"{mine.rpartition('~')[0]}~12345~abc"
    elsewhere = tmp_path / "copies" / "elsewhere~1~12345~abc"
    for folder in (gone, elsewhere):
        (folder / "deep").mkdir(parents=True)
    with files.scratch_folder(tmp_path) as first, files.scratch_folder(tmp_path) as second:
        assert listed(tmp_path / "copies") == sorted([elsewhere.name, first.name, second.name])


def test_byte_code_of_a_scratch_folder_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "byte-code"))
    with files.scratch_folder(tmp_path) as folder:
        (folder / "module.py").write_text("A = 1\n", "utf-8")
        kept = Path(py_compile.compile(str(folder / "module.py"), doraise=True))
        assert kept.is_relative_to(tmp_path / "byte-code")
    assert not kept.exists()


def test_neither_the_order_nor_the_time_of_day_leaves_a_mark_in_an_archive() -> None:
    contents = {"b/x.json": b"{}", "a.npy": b"\x00" * 100}
    archive = files.canonical_zip(contents)
    assert archive == files.canonical_zip(dict(reversed(contents.items())))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == contents
        assert {member.date_time[0] for member in opened.infolist()} == {1980}


def test_another_byte_is_another_archive() -> None:
    assert files.canonical_zip({"a": b"1"}) != files.canonical_zip({"a": b"2"})
