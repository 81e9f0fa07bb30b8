"""Files that are whole or not there, folders for a while, and archives that are always the same.

What is killed leaves the old bytes or the new ones, never half of them: all grows beside its place,
on the same disk, and takes it by one rename. A file is on the disk before that. An archive holds
neither the time of day nor what else varies without meaning, so equal content is equal bytes.
"""

import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from .processes import is_gone, process_id

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_ALWAYS = "1980-01-01@00:00:00"
"""The time of day in every archive."""
_JOINT = "~"
"""In the place of a slash, which no name of a folder takes."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield where a file grows, which takes the place of `path` after, unless something fails.

    One name for all who write it, one after the other: what a kill leaves is overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.partial")
    try:
        yield scratch
        replace_file(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def replace_file(source: Path, target: Path) -> None:
    """Move a finished file into place on the same disk, with the permissions of the one there."""
    with source.open("r+b") as file:
        os.fsync(file.fileno())  # Or a power cut could leave the name without the bytes.
    if target.exists():
        shutil.copymode(target, source)
    source.replace(target)


def write_text(text: str, path: Path) -> None:
    """Write a UTF-8 text file whole or not at all."""
    with replacing(path) as scratch:
        scratch.write_text(text, "utf-8", newline="\n")


def replace_folder(source: Path, target: Path) -> None:
    """Move a finished folder into place; at no moment does `target` hold half of one."""
    aside = source.with_name(f"{source.name}.old")
    if target.exists():
        target.rename(aside)
    source.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """Yield an empty folder, which is removed after; or later, where this process is killed.

    `home` is where neither git nor DVC looks, on the disk of the project.
    """
    copies = home / "copies"
    copies.mkdir(mode=0o700, exist_ok=True)
    copies.chmod(0o700)  # Nobody else may put a folder of theirs in the place of ours.
    for left in copies.iterdir():
        if is_gone(left.name.rpartition(_JOINT)[0].replace(_JOINT, "/")):
            _remove(left)
    mine = process_id().replace("/", _JOINT)
    made = Path(tempfile.mkdtemp(prefix=f"{mine}{_JOINT}", dir=copies))
    try:
        yield made
    finally:
        _remove(made)


def _remove(folder: Path) -> None:
    """Remove a folder, with the byte code of it that Python keeps in a place for all of them."""
    for it in (folder, Path(cache_from_source(str(folder / "any.py"))).parent):
        shutil.rmtree(it, ignore_errors=True)


def canonical_zip(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of the files, in order of their names and without the time of day."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name in sorted(files):
            out.writestr(zipfile.ZipInfo(name, _LONG_AGO), files[name], zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _files(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return {name: source.read(name) for name in source.namelist()}


def canonical_pt2(archive: bytes) -> bytes:
    """Take where and when it was made out of PyTorch's archive, and the rows, its one pickle."""
    return canonical_zip({name: _plain(name, content) for name, content in _files(archive).items()})


def _plain(name: str, content: bytes) -> bytes:
    if "/sample_inputs/" in name or name.endswith("/serialization_id"):
        return b""
    if not name.endswith("/models/model.json"):
        return content
    program = json.loads(content)
    for node in program["graph_module"]["graph"]["nodes"]:
        node["metadata"].pop("stack_trace", None)
    return json.dumps(program, sort_keys=True).encode()


def canonical_keras(archive: bytes) -> bytes:
    """Take the time of day and the addresses of objects out of an archive of Keras."""
    files = _files(archive)
    about = json.loads(files["metadata.json"]) | {"date_saved": _ALWAYS}
    config = json.loads(files["config.json"], object_hook=_without_address)
    files["metadata.json"] = json.dumps(about, sort_keys=True).encode()
    files["config.json"] = json.dumps(config, sort_keys=True).encode()
    return canonical_zip(files)


def _without_address(values: dict[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in values.items() if name != "shared_object_id"}
