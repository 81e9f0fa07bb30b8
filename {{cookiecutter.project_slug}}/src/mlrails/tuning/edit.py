"""The best values into `params.yaml`: line by line, so that its comments stay."""

from difflib import unified_diff
from pathlib import Path

from ..adopt.writing import params_file
from ..core.config import read_yaml
from ..core.params import FILE
from .space import Values

_AROUND = 1
"""Lines of the file that are shown around each change."""


def write(root: Path, values: Values) -> str:
    """Set values in the section `estimator`; return the difference, nothing where there is none.

    The file is read anew: whatever else somebody has changed in it meanwhile stays. Raises
    UsageError where it is written so that it cannot be changed line by line.
    """
    there = read_yaml(root / FILE).get("estimator") or {}
    others = [it for it in values if it not in there or there[it] != values[it]]  # 1.0 stays 1.0.
    if not others:
        return ""
    before, after = params_file.change(root, [("estimator", it, values[it]) for it in others])
    old, new = before.splitlines(), after.splitlines()
    return "\n".join(unified_diff(old, new, FILE, FILE, n=_AROUND, lineterm=""))
