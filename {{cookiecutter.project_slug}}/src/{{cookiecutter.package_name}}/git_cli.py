"""Git, started in one way: its words as they are, and no variable of a hook that calls us."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import WorldError

_OF_ANOTHER_FOLDER = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
}
"""Git sets them for its hooks; a command for another folder would work on the hook's."""

_TRUSTED = "safe.directory"
"""The setting that git names, in every language, where a repository is another user's."""


def environment() -> dict[str, str]:
    """Return the environment without them."""
    return {name: it for name, it in os.environ.items() if name not in _OF_ANOTHER_FOLDER}


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder.

    Raises WorldError where there is no git, or where it leaves the folder alone because that
    belongs to another user.
    """
    done = _run(folder, arguments, variables)
    # Not as text: a line that ends in two characters has to keep both.
    out, err = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def paths(folder: Path, *arguments: str) -> list[str]:
    """Return the names of files that a git command lists with -z, whatever their encoding.

    Raises WorldError where git fails.
    """
    done = _run(folder, arguments, {})
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip()
        raise WorldError(f"git {arguments[0]} failed in {folder}: {why:.200}")
    # As the system names files: what is not UTF-8, or not here, would be another name.
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def _run(
    folder: Path, arguments: Sequence[str], variables: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, env={**environment(), **variables}
        )
    except FileNotFoundError:
        raise WorldError("git is not installed; install it (https://git-scm.com)") from None
    if done.returncode and _TRUSTED in (said := done.stderr.decode("utf-8", "replace")):
        raise WorldError(_of_another_user(said))
    return done


def _of_another_user(said: str) -> str:
    """Return git's reason and its remedy, of which it says nothing more where it is used."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reason = lines[0].partition(": ")[2] or lines[0]
    remedy = next(line for line in lines if _TRUSTED in line)
    return (
        f"git: {reason}, which belongs to another user; if you trust what is in it, run "
        f"`{remedy}`, then the same command again"
    )
