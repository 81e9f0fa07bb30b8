"""The best values into `params.yaml`: line by line, so that its comments stay."""

from difflib import unified_diff
from pathlib import Path

from ..adopt.writing import params_yaml
from ..core import files
from ..core.config import read_yaml
from ..core.params import FILE
from .space import Values

_AROUND = 1
"""Lines of the file that are shown around each change."""


def write(root: Path, values: Values) -> str:
    """Set values in the section `estimator`; return the difference, nothing where there is none.

    The file is read anew: whatever else somebody has changed in it meanwhile stays.
    """
    before = (root / FILE).read_text("utf-8")
    after, there = before, read_yaml(root / FILE)["estimator"]
    for name, value in values.items():
        if name not in there or there[name] != value:  # 1.0 stays 1.0, which is not spelled 1.
            after = params_yaml.put(after, "estimator", name, value)
    if after == before:
        return ""
    files.write_text(after, root / FILE)
    old, new = before.splitlines(), after.splitlines()
    return "\n".join(unified_diff(old, new, FILE, FILE, n=_AROUND, lineterm=""))
