"""python -m mlrails.upkeep.lock PYTHON [--upgrade ...]

Write both locks anew from pyproject.toml, for a minor version of Python; `nox -s lock` calls it.
Nothing but the standard library: an environment is made of a lock.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

from ..core.errors import Exit, UsageError, reported
from ..core.layout import LOCK, SERVING_LOCK

_GROUPS = ("train", "signing", "ship", "dev", "framework")
# A lock names no machine and no host.
_HOW = ("--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate")


def commands(uv: str, python: str, words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield what is to be run, in order; the words are for `uv pip compile`."""
    compiled = (uv, "pip", "compile", *_HOW, "--python-version", python, "pyproject.toml")
    yield (*compiled, *(f"--group={group}" for group in _GROUPS), "-o", LOCK, *words)
    # Serving takes the releases that training had.
    yield (*compiled, "--group=framework", "-c", LOCK, "-o", SERVING_LOCK)


def lock(python: str, *words: str) -> Exit:
    """Write the locks; WORLD where uv cannot. Raises UsageError without uv."""
    uv = shutil.which("uv")
    if uv is None:
        raise UsageError("lock needs uv: install it with `pip install uv`")
    for command in commands(uv, python, words):
        # What it prints is all of the lock, and of no use but where it fails.
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.stdout.write(done.stdout)
            return Exit.WORLD
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(reported(lambda: lock(*sys.argv[1:])))
