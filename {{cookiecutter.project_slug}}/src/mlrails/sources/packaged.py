"""Data files that a Python package brings along: where they lie, and that they are the very ones.

The package is not imported, so what it needs to run need not be there.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from ..core import hashing
from ..core.errors import UsageError, WorldError


def folder(package: str, release: str, digests: Mapping[str, str]) -> Path:
    """Return the folder `data` of a package, in which each named file has its sha256.

    Raises UsageError where the package is not installed, and WorldError naming the file where one
    is missing, or is not byte for byte that of the release.
    """
    found = _data(package)
    for name, sha256 in digests.items():
        if problem := _problem(found / name, sha256, f"{package} {release}"):
            raise WorldError(
                f"{found / name}: {problem}; remove the folder .nox and run `nox -s train` again"
            )
    return found


def _data(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise UsageError(
            f"the data package {package} is not installed; run `nox -s train`, which installs it"
        )
    return Path(found.origin).parent / "data"


def _problem(path: Path, sha256: str, release: str) -> str | None:
    if not path.is_file():
        return "the file is missing"
    if hashing.of_file(path) != sha256:
        return f"not the file of {release} (truncated, altered or another release)"
    return None
