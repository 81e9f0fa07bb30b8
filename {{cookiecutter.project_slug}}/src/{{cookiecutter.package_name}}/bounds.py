"""Which bounds the gate uses: those of the working tree, or those of a git revision.

A pull request must not weaken the gate that it has to pass, so a forge asks for its base branch's.
"""

from . import git_cli, params
from .errors import UsageError
from .params import FILE, Gate, Params
from .sections import parse_yaml, validated
from .settings import Settings


def of(settings: Settings, revision: str | None) -> tuple[Gate, str]:
    """Return the bounds and where they are from; raises UsageError for what is no commit."""
    if revision is None:
        return params.load(settings.root).gate, "the working tree"
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
    bounds = validated(Params, parse_yaml(found.stdout, where), where).gate
    return bounds, f"{revision} ({commit[:12]})"
