"""Which migrations a newer version brings, and their run by that version's own engine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..core.console import say
from ..core.errors import UsageError, WorldError
from .repository import Repository

GOING_BACK = "go back with `git revert -m 1` of the update's merge commit"
_FOLDER, _RUNNER = "src/mlrails/update/migrations/", "mlrails.update.migrations"


def pending(repository: Repository, old: str, new: str) -> list[str]:
    """Return the migrations that one tree brings and another has not, in their order.

    Raises UsageError where it is the other way round.
    """
    before, after = (_named(repository, tree) for tree in (old, new))
    if behind := sorted(before - after):
        raise UsageError(
            f"that version is older than yours: it does not know {', '.join(behind)}; {GOING_BACK}"
        )
    return sorted(after - before)


def _named(repository: Repository, tree: str) -> set[str]:
    paths = (PurePosixPath(name) for name in repository.names(tree, _FOLDER))
    return {path.stem for path in paths if path.match("m[0-9]*_*.py")}


def run(baked: Path, names: Sequence[str], folders: Sequence[Path], package: str) -> None:
    """Run migrations of a bare bake's engine on folders, one after the other.

    Raises WorldError where one of them fails.
    """
    for name in names:
        say(f"migration {name}")
    words = (package, ",".join(names), *map(str, folders))
    env = {**os.environ, "PYTHONPATH": str(baked / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", _RUNNER, *words]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=env, cwd=baked)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise WorldError(f"a migration ({', '.join(names)}) failed: {last[0]}")
