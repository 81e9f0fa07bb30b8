"""The files of a log of requests: one for each process that writes, whole lines, bounded together.

Each process writes to a file of its own, whose name ends with `.open` and whose lock is gone when
the process is. A full or an old one is renamed, and the oldest are removed before the folder holds
more than it may. Nobody else can enter the folder, and git does not see it.
"""

import os
import secrets
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...core.errors import UsageError
from ...data.request_log import IGNORE, OPEN, PIECE

LARGEST_PIECE = 2**24
_PIECES_OF_A_WRITER = 4
"""What all may hold is shared so that each writer has whole files beside the one it writes to."""
_SECONDS_OF_A_PIECE = 3600.0
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True)
class Rules:
    """Where requests are kept, how many of them, and which columns."""

    folder: Path
    columns: frozenset[str]
    """Those that may be kept; others of the model's are left out."""
    share: float = 1.0
    most: int = 2**30
    """Bytes of the folder."""
    writers: int = 1


def prepare(folder: Path) -> None:
    """Make the folder; raises UsageError for one that is a link, or that others can enter."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.lstat()
    except FileExistsError:
        raise UsageError(f"{folder}: is no folder; name one for the requests") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"{folder}: cannot be made ({why}); name another folder") from None
    if stat.S_ISLNK(about.st_mode):
        raise UsageError(f"{folder}: is a link; name the folder itself, where requests are kept")
    if hasattr(os, "getuid"):  # Windows has no such owners.
        if about.st_uid != os.getuid():
            raise UsageError(
                f"{folder}: belongs to somebody else; name a folder in it, which is made then"
            )
        if stat.S_IMODE(about.st_mode) & 0o077:
            raise UsageError(
                f"{folder}: others can enter it, and requests are for nobody else; name another "
                "folder, which is made then, or `chmod 700` this one"
            )
    with suppress(FileExistsError), open(folder / IGNORE, "x", opener=_private) as file:
        file.write("*\n")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


class Pieces:
    """The file that one process writes to, and its share of what all may hold."""

    def __init__(self, folder: Path, most: int, writers: int = 1) -> None:
        """`most` bytes are what the folder holds, whoever writes."""
        self.folder, self._most = folder, most
        self.largest = min(LARGEST_PIECE, most // (_PIECES_OF_A_WRITER * writers))
        """Bytes of one file."""
        self._file: int | None = None
        self._path, self._head = folder, b""
        self._size, self._until = 0, 0.0

    def write(self, head: bytes, lines: Sequence[bytes]) -> None:
        """Write whole lines below a head; raises OSError or UsageError, and leaves none in part."""
        waiting: list[bytes] = []
        size = self._size
        for line in lines:
            if self._file is None or self._head != head or size + len(line) > self.largest:
                self._append(waiting)
                self._begin(head)
                waiting, size = [], self._size
            waiting.append(line)
            size += len(line)
        self._append(waiting)

    def _append(self, lines: Sequence[bytes]) -> None:
        if not lines or self._file is None:
            return
        left = memoryview(b"".join(lines))
        size = self._size + len(left)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            with suppress(OSError):  # A full disk lets files shrink.
                os.ftruncate(self._file, self._size)
            self.close()
            raise
        self._size = size

    def _begin(self, head: bytes) -> None:
        """Close the file, and begin another, when there is room for a whole one."""
        self.close()
        prepare(self.folder)
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        self._path = self.folder / f"requests-{now}-{secrets.token_hex(4)}.jsonl{OPEN}"
        self._file = os.open(self._path, _FLAGS, 0o600)
        _lock(self._file)
        self._size, self._head = 0, head
        self._until = time.monotonic() + _SECONDS_OF_A_PIECE
        self._make_room()
        self._append([head])

    def _make_room(self) -> None:
        """Close what killed processes have left, and remove the oldest files beyond the bound."""
        closed = []
        total = 0
        for path in sorted(it for it in self.folder.iterdir() if PIECE.fullmatch(it.name)):
            if path.name.endswith(OPEN):
                place = path if path == self._path else _adopted(path)
            else:
                place = path
            with suppress(FileNotFoundError):  # Another process does the same.
                size = place.lstat().st_size
                if place.name.endswith(OPEN):  # It may grow.
                    size = max(size, self.largest)
                else:
                    closed.append((place, size))
                total += size
        for path, size in closed:
            if total <= self._most:
                return
            path.unlink(missing_ok=True)
            total -= size
        if total > self._most:
            self.close()
            raise OSError(f"others write to {self.folder}, and it holds what it may")

    def end_old(self) -> None:
        """Close the file when it has been open for long."""
        if self._file is not None and time.monotonic() >= self._until:
            self.close()

    def close(self) -> None:
        """Close the file under its final name; one without lines is removed."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with suppress(OSError):
            os.fsync(file)
        os.close(file)
        _final(self._path, self._size <= len(self._head))


def _final(path: Path, empty: bool) -> Path:
    """Give a file the name of one that nobody writes to, or remove one that holds nothing."""
    final = path.with_name(path.name.removesuffix(OPEN))
    with suppress(OSError):  # Another process has done so, or the folder is gone.
        if empty:
            path.unlink()
        else:
            path.rename(final)
    return final


def _lock(file: int) -> bool:
    """Lock an open file for as long as this process has it open; tell whether nobody else has."""
    try:
        import fcntl
    except ImportError:  # Windows, where each server has its own folder.
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _adopted(path: Path) -> Path:
    """Return where a file is: closed by now, where its writer is gone."""
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        try:
            if _lock(file):
                return _final(path, os.fstat(file).st_size == 0)
        finally:
            os.close(file)
    return path
