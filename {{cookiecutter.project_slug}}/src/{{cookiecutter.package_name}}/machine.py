"""What the machine is, as far as it shows in a model's bytes.

The stage that fits writes it down: the model may reach whoever asks by way of a cache, from another
machine.
"""

import json
import platform
import re
from functools import cache
from pathlib import Path

from . import data
from .errors import WorldError


@cache
def cpu_class() -> str:
    """Return the machine's class: the same inputs give the same bytes within one class.

    It is of the CPU's linear algebra, and of what else the estimator's library would fit with.
    """
    import numpy as np
    from threadpoolctl import threadpool_info

    from . import estimator

    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    blas = {pool.get("architecture") for pool in threadpool_info()} - {None}
    parts = [platform.system(), platform.machine(), *found[-1:], *sorted(map(str, blas))]
    words = " ".join([*parts, estimator.platform()]).strip()
    return re.sub(r"[^a-z0-9_]+", "-", words.lower())


def note(root: Path) -> None:
    """Write down that this machine fits the model of a project."""
    told = {"cpu_class": cpu_class(), "python": platform.python_version()}
    data.write_text(json.dumps(told, indent=1) + "\n", root / data.MACHINE)


def noted(root: Path) -> tuple[str, str]:
    """Return the class and the Python of the machine that has fitted the model of a project.

    Raises WorldError where the file that says so is missing or another one.
    """
    try:
        told = json.loads((root / data.MACHINE).read_text("utf-8"))
        return str(told["cpu_class"]), str(told["python"])
    except (OSError, ValueError, LookupError, TypeError):
        words = "it does not say which machine has fitted the model"
        raise WorldError(f"{data.MACHINE}: {words}; run `nox -s train`") from None
