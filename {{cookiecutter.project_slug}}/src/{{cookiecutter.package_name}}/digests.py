"""Content addresses: the sha256 of a file, of a folder, of plain values."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from .errors import WorldError

NOT_CONTENT = {"__pycache__", "registered_model_meta"}
"""Python's cache, and the file that MLflow adds to what it downloads."""


def of_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path) -> str:
    """Return the sha256 over the sorted (relative path, sha256) pairs of a folder's files."""
    pairs = sorted((path.relative_to(folder).as_posix(), of_file(path)) for path in files(folder))
    return of_values(pairs)


def of_values(values: object) -> str:
    """Return the sha256 of values in canonical JSON."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def files(folder: Path) -> Iterator[Path]:
    """List the files of a folder that are its content."""
    for path in folder.rglob("*"):
        if path.is_file() and not NOT_CONTENT & set(path.relative_to(folder).parts):
            yield path


def verify(folder: Path, digest: str) -> None:
    """Raise WorldError unless the folder's bytes are the ones that the digest names."""
    found = of_folder(folder) if folder.is_dir() else "no files"
    if found != digest:
        raise WorldError(
            f"{folder}: the bytes are not those of the model {digest[:12]} (found {found[:12]}); "
            "restore the folder with `nox -s train`, or fetch the version again"
        )
