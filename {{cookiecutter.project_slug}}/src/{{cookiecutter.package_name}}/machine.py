"""What the machine is, as far as it shows in a model's bytes.

The stage that fits writes it down: the model may reach whoever asks by way of a cache, from another
machine.
"""

import json
import platform
import re
from functools import cache
from pathlib import Path

from . import files, layout
from .errors import WorldError


@cache
def cpu_class(estimator: str = "") -> str:
    """Return the machine's class: the same inputs give the same bytes within one class.

    It is of NumPy's linear algebra, and of what else the estimator says that a fit depends on.
    """
    import numpy as np

    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    parts = [platform.system(), platform.machine(), *found[-1:], *_kernels(Path(np.__file__))]
    words = " ".join([*parts, estimator]).strip()
    return re.sub(r"[^a-z0-9_]+", "-", words.lower())


def _kernels(numpy: Path) -> list[str]:
    """Return which CPU the linear algebra of NumPy is tuned for: one, in general.

    Other libraries bring their own, which a fit does not use, and whether they are loaded depends
    on who asks. Where NumPy brings none it shares that of the system.
    """
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool.get("architecture")]
    own = [it for it in pools if it["filepath"].startswith(str(numpy.resolve().parent))]
    return sorted({str(it["architecture"]) for it in own or pools})


def same_bytes(ours: str, theirs: str) -> bool:
    """Tell whether machines of two classes make the same bytes: where they are one, without a GPU.

    On a GPU sums are added up as its threads come to them, which no class can promise.
    """
    return ours == theirs and not re.search(r"\b(cuda|rocm)\b", ours)


def note(root: Path, estimator: str = "") -> str:
    """Write down that this machine fits the model of a project; return its class."""
    told = {"cpu_class": cpu_class(estimator), "python": platform.python_version()}
    files.write_text(json.dumps(told, indent=1) + "\n", root / layout.MACHINE)
    return told["cpu_class"]


def noted(root: Path) -> tuple[str, str]:
    """Return the class and the Python of the machine that has fitted the model of a project.

    Raises WorldError where the file that says so is missing or another one.
    """
    try:
        told = json.loads((root / layout.MACHINE).read_text("utf-8"))
        return str(told["cpu_class"]), str(told["python"])
    except (OSError, ValueError, LookupError, TypeError):
        words = "it does not say which machine has fitted the model"
        raise WorldError(f"{layout.MACHINE}: {words}; run `nox -s train`") from None
