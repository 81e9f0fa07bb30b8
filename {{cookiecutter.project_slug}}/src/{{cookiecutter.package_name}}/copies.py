"""Folders for what a process needs for a while; those that a killed one has left are removed.

They are where neither git nor DVC looks, on the disk of the project.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .holders import is_gone, this_process
from .settings import Settings

_JOINT = "~"
"""In the place of a slash, which no name of a folder takes."""


@contextmanager
def folder(settings: Settings) -> Iterator[Path]:
    """Yield an empty folder, which is removed after; or later, where this process is killed."""
    home = settings.scratch / "copies"
    home.mkdir(mode=0o700, exist_ok=True)
    home.chmod(0o700)  # Nobody else may put a folder of theirs in the place of ours.
    for left in home.iterdir():
        if is_gone(left.name.rpartition(_JOINT)[0].replace(_JOINT, "/")):
            shutil.rmtree(left, ignore_errors=True)
    mine = this_process().replace("/", _JOINT)
    made = Path(tempfile.mkdtemp(prefix=f"{mine}{_JOINT}", dir=home))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
