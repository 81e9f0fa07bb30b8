"""A version made again: its commit in a clean folder, its lock, its data, its stages.

Nothing of the user's folder is touched, and no run of the registry is: the stages of the copy track
into a store of the copy's own.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..core import dvc_lock, files, git, hashing
from ..core.config import read_yaml
from ..core.console import say
from ..core.errors import WorldError
from ..core.layout import LOCK
from ..core.settings import PROJECT, TRIAL, Settings
from ..pipeline import dvc

_ENVIRONMENT = (LOCK, "python_env.yaml")
_FETCH = "fetch the commit with `git fetch --unshallow`, or from where it was pushed"
_NOT_ITS_OWN = ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", PROJECT, TRIAL)


@contextmanager
def at(settings: Settings, commit: str, diff: str) -> Iterator[Path]:
    """Yield the project's folder as it was at a commit, changed by a diff, elsewhere."""
    with files.scratch_folder(settings.scratch) as scratch:
        copy = scratch.resolve() / "copy"
        root = git.shared_clone(settings.root, copy)
        git.check(copy, "checkout", "--quiet", "--detach", commit, remedy=_FETCH)
        if diff:
            patch = scratch / "uncommitted.diff"
            patch.write_bytes(diff.encode())
            git.check(root, "apply", "--whitespace=nowarn", str(patch))
        dvc.lend(settings.root, root)
        yield root


def data(root: Path, lock: Path | None, paths: Sequence[str]) -> bool:
    """Bring outputs of a stage back by their digests, from the cache or from the remote.

    `lock` is the `dvc.lock` that names them. Returns False where neither has them, and raises
    WorldError where what they have under these names is something else.
    """
    if lock is None:
        return False
    shutil.copyfile(lock, root / "dvc.lock")
    for verb in ("checkout", "pull"):
        if not _quietly([sys.executable, "-m", "dvc", verb, "--quiet", *paths], root).returncode:
            dvc_lock.verify(root, paths, take_away=True)
            return all((root / path).exists() for path in paths)
    return False


def _quietly(command: Sequence[str], root: Path) -> subprocess.CompletedProcess[str]:
    environment = git.environment() | {"DVC_NO_ANALYTICS": "true"}
    return subprocess.run(
        command,
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def python(settings: Settings, root: Path) -> Path:
    """Return the Python of an environment of that commit's lock: this one, where it is the same."""
    same = [_digest(settings.root / name) == _digest(root / name) for name in _ENVIRONMENT]
    if all(same):
        return Path(sys.executable)
    say("reproduce: the lock was another one; making its environment")
    command = [sys.executable, "-m", "nox", "--install-only", "-s", "train"]
    made = subprocess.run(command, cwd=root, env=git.environment(), stdout=sys.stderr, check=False)
    if made.returncode:
        raise WorldError(f"the environment of that commit's {LOCK} cannot be made; see above")
    programs = root / ".nox" / "project" / ("Scripts" if sys.platform == "win32" else "bin")
    return programs / "python"


def _digest(path: Path) -> str:
    return hashing.of_file(path) if path.is_file() else ""


def stages(root: Path, interpreter: Path, left_out: set[str]) -> None:
    """Run the stages of the copy in their order; raises WorldError naming the one that fails."""
    path = os.pathsep.join([str(interpreter.parent), os.environ.get("PATH", "")])
    known = git.environment().items()
    environment = {name: it for name, it in known if name not in _NOT_ITS_OWN}
    environment |= {"PATH": path, "PYTHONPATH": str(root / "src")}
    for name, stage in read_yaml(root / "dvc.yaml")["stages"].items():
        if name in left_out:
            continue
        program, *words = shlex.split(stage["cmd"])
        command = [str(interpreter) if program == "python" else program, *words]
        if subprocess.run(command, cwd=root, env=environment, check=False).returncode:
            raise WorldError(f"the stage {name} of that commit failed; it said why above")
