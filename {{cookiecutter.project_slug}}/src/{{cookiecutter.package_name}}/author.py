"""Who acts, and on what state of the code."""

import getpass
import subprocess
from pathlib import Path

from .provenance import git
from .settings import Settings


def name(settings: Settings) -> str:
    """Return who acts: as the forge says, else as git knows them, else as they logged in."""
    known = settings.actor or _git(settings.root, "var", "GIT_AUTHOR_IDENT").partition(" <")[0]
    try:
        return known or getpass.getuser()
    except (OSError, KeyError):  # A user without a name, as in some containers.
        return "unknown"


def branch(root: Path) -> str:
    """Return the branch that is checked out, empty on none."""
    return _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")


def is_unclean(root: Path) -> bool:
    """Tell whether there are changes that are not committed."""
    return git(root).dirty


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
