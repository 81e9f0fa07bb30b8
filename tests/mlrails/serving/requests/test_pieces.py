"""The files of a log: whole lines, bounded, one for each writer, and for nobody else's eyes."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sample

from mlrails.core.errors import UsageError
from mlrails.data.request_log import OPEN, PIECE
from mlrails.serving.requests import pieces
from mlrails.serving.requests.pieces import Pieces, prepare

HEAD = b'{"head": 1}\n'
MOST = 2**20


def line(size: int = 100, word: str = "a") -> bytes:
    return json.dumps(word * (size - 3)).encode() + b"\n"


def names(folder: Path) -> list[str]:
    return sorted(it.name for it in folder.iterdir() if PIECE.fullmatch(it.name))


def test_a_file_is_open_while_one_writes_and_has_its_name_when_it_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    found = Pieces(folder, MOST)
    found.write(HEAD, [line(), line(word="b")])
    (name,) = names(folder)
    assert name.endswith(OPEN)
    assert (folder / name).read_bytes() == HEAD + line() + line(word="b")  # Before it is closed.
    found.close()
    assert names(folder) == [name.removesuffix(OPEN)]


def test_nobody_else_can_read_what_is_kept_and_git_does_not_see_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "a" / "log"
        found = Pieces(folder, MOST)
        found.write(HEAD, [line()])
        found.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(it.stat().st_mode) for it in folder.iterdir()} == {0o600}
    assert (folder / ".gitignore").read_text() == "*\n"


def linked(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to("elsewhere")


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "link": (linked, "is a link"),
    "open": (lambda it: (it.mkdir(), it.chmod(0o755)), "others can enter it"),
    "file": (lambda it: it.write_text(""), "is no folder"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_folder_that_is_none_or_not_ours_alone_is_refused(tmp_path: Path, kind: str) -> None:
    make, words = REFUSED[kind]
    folder = tmp_path / "log"
    make(folder)
    with pytest.raises(UsageError, match=words):
        prepare(folder)


def test_a_folder_that_becomes_a_link_is_not_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    found = Pieces(folder, MOST)
    found.write(HEAD, [line()])
    found.close()
    folder.rename(tmp_path / "before")
    linked(folder)
    with pytest.raises(UsageError, match="is a link"):
        found.write(HEAD, [line()])
    assert not names(tmp_path / "elsewhere")


def test_files_end_when_they_are_full_old_or_of_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Pieces(tmp_path / "log", MOST)
    assert found.largest == MOST // 4
    found.write(HEAD, [line(1000)] * 600)
    assert len(names(found.folder)) == 3
    found.write(b'{"head": 2}\n', [line()])
    assert len(names(found.folder)) == 4
    monkeypatch.setattr(pieces, "_SECONDS_OF_A_PIECE", 0.0)
    found.write(HEAD, [line()])
    found.end_old()
    assert not any(it.endswith(OPEN) for it in names(found.folder))
    for path in map(found.folder.joinpath, names(found.folder)):
        assert path.stat().st_size <= found.largest
        assert path.read_bytes().startswith(b'{"head": ')


def test_the_oldest_files_make_room_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Pieces(tmp_path / "log", MOST)
    prepare(found.folder)
    (found.folder / "mine.txt").write_text("x" * MOST)
    sizes = []
    for number in range(30):
        found.write(HEAD, [line(1000, chr(97 + number % 26))] * 250)
        sizes.append(sum((found.folder / it).stat().st_size for it in names(found.folder)))
    assert max(sizes) <= MOST < 30 * 250_000
    assert (found.folder / "mine.txt").is_file()
    last = (found.folder / names(found.folder)[-1]).read_bytes()
    assert last.endswith(line(1000, chr(97 + 29 % 26)))
    monkeypatch.setattr(Pieces, "_make_room", lambda _: None)  # Without the guard it grows.
    for _ in range(30):
        found.write(HEAD, [line(1000)] * 250)
    kept = sum((found.folder / it).stat().st_size for it in names(found.folder))
    assert kept > MOST


def test_a_full_disk_leaves_whole_lines_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Pieces(tmp_path / "log", MOST)
    found.write(HEAD, [line()])
    write, cut = os.write, []

    def full(file: int, data: bytes) -> int:
        if cut:
            raise OSError(errno.ENOSPC, "No space left on device")
        cut.append(write(file, bytes(data)[:30]))
        return cut[0]

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            found.write(HEAD, [line()])
    (name,) = names(found.folder)
    assert (found.folder / name).read_bytes() == HEAD + line()
    found.write(HEAD, [line(word="b")])  # There is room again.
    assert len(names(found.folder)) == 2
    cut.clear()
    with monkeypatch.context() as patch:  # Without the guard half a line stays.
        patch.setattr(os, "write", full)
        patch.setattr(os, "ftruncate", lambda *_: None)
        with pytest.raises(OSError, match="No space"):
            found.write(HEAD, [line()])
    assert (found.folder / names(found.folder)[1]).read_bytes() == HEAD + line(word="b") + line()[
        :30
    ]


WRITER = """
import sys
from pathlib import Path
from mlrails.serving.requests.pieces import Pieces
found = Pieces(Path(sys.argv[1]), 2**20, 2)
for number in range(int(sys.argv[2])):
    found.write(b'{"head": 1}\\n', [b'"%d of %s"\\n' % (number, sys.argv[1].encode())])
print("written", flush=True)
sys.stdin.read()
found.close()
"""


def writer(folder: Path, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(sample.SHIPPED / "src")},
    )


def test_what_a_killed_process_has_written_is_there_and_gets_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    killed, living = writer(folder, 50), writer(folder, 20)
    for it in (killed, living):
        assert it.stdout and it.stdout.readline() == "written\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    lines = sorted((folder / it).read_bytes().count(b"\n") for it in names(folder))
    assert lines == [21, 51]  # Each in a file of its own, nothing mixed, nothing lost.
    found = Pieces(folder, MOST)
    found.write(HEAD, [line()])
    kinds = sorted(
        (it.endswith(OPEN), (folder / it).read_bytes().count(b"\n")) for it in names(folder)
    )
    assert kinds == [(False, 51), (True, 2), (True, 21)]  # Who lives writes on.
    living.communicate("")
    found.close()
    assert not any(it.endswith(OPEN) for it in names(folder))


def test_a_folder_full_of_others_files_is_left_alone(tmp_path: Path) -> None:
    many = [Pieces(tmp_path / "log", MOST) for _ in range(4)]
    for it in many:
        it.write(HEAD, [line()])
    with pytest.raises(OSError, match="others write to"):
        Pieces(tmp_path / "log", MOST).write(HEAD, [line()])
    assert len(names(tmp_path / "log")) == 4
    many[0].write(HEAD, [line()])
