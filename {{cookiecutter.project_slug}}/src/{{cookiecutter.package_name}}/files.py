"""Files and folders that are there whole or not at all, and folders that are needed for a while.

What is killed leaves the old bytes or the new ones, never half of them: all grows beside its place,
on the same disk, and takes it by one rename. A file is on the disk before that.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .processes import is_gone, process_id

_JOINT = "~"
"""In the place of a slash, which no name of a folder takes."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield where a file grows, which takes the place of `path` after, unless something fails.

    One name for all who write it, one after the other: what a kill leaves is overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.partial")
    try:
        yield scratch
        replace_file(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def replace_file(source: Path, target: Path) -> None:
    """Move a finished file into place on the same disk, with the permissions of the one there."""
    with source.open("r+b") as file:
        os.fsync(file.fileno())  # Or a power cut could leave the name without the bytes.
    if target.exists():
        shutil.copymode(target, source)
    source.replace(target)


def write_text(text: str, path: Path) -> None:
    """Write a UTF-8 text file whole or not at all."""
    with replacing(path) as scratch:
        scratch.write_text(text, "utf-8", newline="\n")


def replace_folder(source: Path, target: Path) -> None:
    """Move a finished folder into place; at no moment does `target` hold half of one."""
    aside = source.with_name(f"{source.name}.old")
    if target.exists():
        target.rename(aside)
    source.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """Yield an empty folder, which is removed after; or later, where this process is killed.

    `home` is where neither git nor DVC looks, on the disk of the project.
    """
    copies = home / "copies"
    copies.mkdir(mode=0o700, exist_ok=True)
    copies.chmod(0o700)  # Nobody else may put a folder of theirs in the place of ours.
    for left in copies.iterdir():
        if is_gone(left.name.rpartition(_JOINT)[0].replace(_JOINT, "/")):
            shutil.rmtree(left, ignore_errors=True)
    mine = process_id().replace("/", _JOINT)
    made = Path(tempfile.mkdtemp(prefix=f"{mine}{_JOINT}", dir=copies))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
