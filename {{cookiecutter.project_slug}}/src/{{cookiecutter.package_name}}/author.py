"""Who acts, and on what state of the code."""

import getpass
from pathlib import Path

from . import git_cli
from .provenance import git
from .settings import Settings

VOUCHED_BY, SELF_DECLARED = "vouched_by", "self-declared"
"""The ledger's tag that says where the actor's name comes from: the page of a job, or nobody."""


def name(settings: Settings) -> str:
    """Return who acts: as the forge says, else as git knows them, else as they logged in."""
    known = (
        settings.actor
        or git_cli.run(settings.root, "var", "GIT_AUTHOR_IDENT").stdout.partition(" <")[0]
    )
    try:
        return known or getpass.getuser()
    except (OSError, KeyError):  # A user without a name, as in some containers.
        return "unknown"


def told(settings: Settings) -> dict[str, str]:
    """Return what the ledger is told of who acts, and of who vouches for that."""
    return {"actor": name(settings), VOUCHED_BY: settings.job or SELF_DECLARED}


def branch(root: Path) -> str:
    """Return the branch that is checked out, empty on none."""
    return git_cli.run(root, "symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip()


def is_unclean(root: Path) -> bool:
    """Tell whether what a model is made of has changes that are not committed."""
    return git(root).dirty
