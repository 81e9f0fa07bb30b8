"""Content addresses: the sha256 of a file, of a folder, of plain values."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import WorldError

BYTE_CODE = "__pycache__"
"""A folder that Python leaves beside code. No digest vouches for it, so nobody loads it."""
_NOTE = "registered_model_meta"
"""The file that MLflow adds at the top of what it downloads."""


def of_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path, links: bool = False) -> str:
    """Return the sha256 over the sorted (relative path, sha256) pairs of a folder's files.

    Raises WorldError as `files` does.
    """
    found = files(folder, links)
    return of_values(sorted((path.relative_to(folder).as_posix(), of_file(path)) for path in found))


def of_values(values: object) -> str:
    """Return the sha256 of values in canonical JSON."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def files(folder: Path, links: bool = False) -> Iterator[Path]:
    """List every file of a folder but Python's byte code and MLflow's note.

    Raises WorldError for a link, and for what is neither a folder nor a plain file: its bytes may
    be others each time that one looks. With `links`, which is for data, a link counts as what it
    leads to, and a folder that is missing holds nothing.
    """
    if links and not folder.is_dir():
        return
    if not links and (_is_link(folder) or not folder.is_dir()):
        raise refused(folder)
    yield from (it for it in _below(folder, links) if it != folder / _NOTE)


def _below(folder: Path, links: bool) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not links and _is_link(path):
            raise refused(path)
        if path.is_dir():
            if path.name != BYTE_CODE:
                yield from _below(path, links)
        elif path.is_file():
            yield path
        elif not links:
            raise refused(path)


def _is_link(path: Path) -> bool:
    is_junction = getattr(os.path, "isjunction", None)  # Windows links folders in a way of its own.
    return path.is_symlink() or bool(is_junction and is_junction(path))


def refused(path: Path) -> WorldError:
    """Return what to say of a path of a model that is no plain file or folder."""
    return WorldError(
        f"{path}: a link, or no plain file or folder, and a model holds nothing else; run "
        "`nox -s train`, and let DVC copy (`dvc config cache.type copy`)"
    )


def verify(folder: Path, digest: str) -> None:
    """Raise WorldError unless the folder's bytes are the ones that the digest names."""
    found = of_folder(folder) if os.path.lexists(folder) else "no files"
    if found != digest:
        raise mismatch(folder, digest, found)


def mismatch(folder: Path, digest: str, found: str) -> WorldError:
    """Return what to say of a folder that should have a digest, and has another one."""
    return WorldError(
        f"{folder}: the bytes are not those of the model {digest[:12]} (found {found[:12]}); "
        "restore the folder with `nox -s train`, or fetch the version again"
    )
