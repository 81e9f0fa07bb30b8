"""Which bounds the gate uses: those of the working tree, or those of a git revision.

A pull request must not weaken the gate that it has to pass, so a forge asks for its base branch's.
"""

import subprocess

from . import params
from .errors import UsageError
from .params import FILE, Gate, Params
from .sections import parse_yaml, validated
from .settings import Settings


def of(settings: Settings, revision: str | None) -> tuple[Gate, str]:
    """Return the bounds and where they are from; raises UsageError for an unknown revision."""
    if revision is None:
        return params.load(settings.root).gate, "the working tree"
    command = ["git", "-C", str(settings.root), "show", f"{revision}:./{FILE}"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise UsageError(f"--bounds {revision!r}: git knows no {FILE} of that revision")
    where = f"{FILE} of {revision}"
    return validated(Params, parse_yaml(done.stdout, where), where).gate, revision
