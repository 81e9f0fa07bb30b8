"""The bytes of a model where nobody else can write, checked there: what is loaded is that copy.

How to change this: whoever loads a model has a `Copy`, of `copy`, `lay` or `again`, and nobody else
makes one. A look at the original proves nothing of what is read a moment later, and Python would
take byte code, a linked package or a native module that lies beside a source whose digest is right.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NewType

from ..core import hashing
from ..core.errors import WorldError

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder that only its maker may enter is made in it
"""Where a container with a read-only root can write all the same."""


Copy = NewType("Copy", Path)
"""A model directory in a folder of our own, where its bytes were checked: it may be loaded."""


class Model(NamedTuple):
    """A model directory, and the digest of the bytes that it must hold."""

    folder: Path
    digest: str


@contextmanager
def copy(folder: Path, digest: str) -> Iterator[Copy]:
    """Yield a copy of a model directory that holds what its digest names; it is removed after.

    Raises WorldError where the bytes are others, or where something is no plain file or folder.
    """
    made = tempfile.TemporaryDirectory(prefix="model-", dir=place(), ignore_cleanup_errors=True)
    with made as scratch:
        yield lay(folder, Path(scratch) / "model", digest)


def lay(folder: Path, target: Path, digest: str) -> Copy:
    """Copy a model directory to a folder that nobody else can write to, and check the copy.

    Links, byte code and empty folders stay behind.
    """
    found = copied(folder, target)
    if found != digest:
        raise hashing.mismatch(folder, digest, found)
    return Copy(target)


def again(folder: Path, digest: str) -> Copy:
    """Return a copy that another process of ours has made in a folder of our own.

    Raises WorldError where its bytes are no longer those that the digest names.
    """
    hashing.verify(folder, digest)
    return Copy(folder)


def copied(folder: Path, target: Path) -> str:
    """Copy the files of a model directory; return the digest of the copy."""
    if not os.path.lexists(folder):
        return "no files"
    files = list(hashing.files(folder))
    target.mkdir(parents=True)
    needed, free = sum(it.lstat().st_size for it in files), shutil.disk_usage(target).free
    if needed > free:
        raise WorldError(
            f"{folder}: has {needed / 1e6:,.0f} MB, and its copy has room for {free / 1e6:,.0f}; "
            "make some, or name another folder in TMPDIR"
        )
    for path in files:
        copied = target / path.relative_to(folder)
        copied.parent.mkdir(parents=True, exist_ok=True)
        _copy(path, copied)
    return hashing.of_folder(target)


def _copy(path: Path, target: Path) -> None:
    """Copy one plain file, no more of it than it has now, without waiting for a pipe."""
    with open(path, "rb", opener=_open) as source, target.open("wb") as file:
        about = os.fstat(source.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise hashing.refused(path)
        left = about.st_size
        while left and (piece := source.read(min(left, 1 << 20))):
            left -= file.write(piece)
        if left or source.read(1):
            raise WorldError(f"{path}: changes while it is read; find out who writes to it")


def _open(path: str, flags: int) -> int:
    for name in ("O_NOFOLLOW", "O_NONBLOCK"):  # Windows has neither.
        flags |= getattr(os, name, 0)
    return os.open(path, flags)


def place() -> str:
    """Return where a folder for a while is made; raises WorldError where there is none."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        if os.access(_MEMORY, os.W_OK):
            return str(_MEMORY)
        raise WorldError(
            "there is no folder to write to, where a model is copied to before it is loaded; give "
            "the container one (`--tmpfs /tmp`)"
        ) from None
