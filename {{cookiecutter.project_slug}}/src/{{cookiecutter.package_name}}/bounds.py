"""Which bounds the gate uses: those of the working tree, or those of a git revision.

A pull request must not weaken the gate that it has to pass, so a forge asks for its base branch's.
Not the section `gate` alone: which slices are looked at, which rows are test rows and which days
are drawn decide as much.
"""

from . import git_cli, params
from .errors import UsageError
from .params import FILE, Params
from .sections import parse_yaml, validated
from .settings import Settings


def of(settings: Settings, revision: str | None) -> tuple[Params, str]:
    """Return the params that the gate goes by, and where they are from.

    Raises UsageError for what is no commit.
    """
    if revision is None:
        return params.load(settings.root), "the working tree"
    commit = git_cli.run(
        settings.root,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        revision + "^{commit}",
    ).stdout.strip()
    # An empty name would be git's index, which a pull request can fill as it likes.
    found = git_cli.run(settings.root, "show", f"{commit}:./{FILE}")
    if not revision or not commit or found.returncode:
        raise UsageError(f"--bounds {revision!r}: git knows no {FILE} of that commit")
    where = f"{FILE} of {revision}"
    bounds = validated(Params, parse_yaml(found.stdout, where), where)
    return bounds, f"{revision} ({commit[:12]})"
