"""What `dvc.lock` says of the stages' outputs, held against the bytes that lie here.

DVC believes its cache, and by default its remote: what is called by a digest has that digest. So
whoever can write to one of them could put other rows, or a model with other code, under a name that
the commit knows. The lock is in git, so it is the lock that is believed.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from . import hashing, layout
from .config import read_yaml
from .errors import WorldError

FILE = "dvc.lock"
_OF_FOLDER = ".dir"
"""How DVC ends the digest of a folder: it is that of a list of its files."""


def verify(root: Path, paths: Collection[str] | None = None, take_away: bool = False) -> None:
    """Raise WorldError where an output, of these if given, has other bytes than the lock names.

    What is missing, or what the lock does not know, is left to who needs it. With `take_away` the
    false bytes are removed, here and from DVC's cache, so that the next command can do without.
    """
    false = [
        path
        for path, named in _outs(root).items()
        if (paths is None or path in paths)
        and (root / path).exists()
        and md5_of(root / path) != named
    ]
    if not false:
        return
    if take_away:
        _take_away(root, false)
    raise WorldError(
        f"{false[0]}: not the bytes that {FILE} names, so somebody has changed DVC's remote, its "
        f"cache or this folder; {'they were taken away here: ' if take_away else ''}run `nox -s "
        "train` to make them anew, or `nox -s pull` from a remote that holds the right ones"
    )


def verify_model(root: Path, evaluated: str) -> None:
    """Raise WorldError unless the model that was evaluated is the one that `train` has made.

    Its bytes are looked at by who loads them, on a copy.
    """
    verify(root, [str(path) for path in (layout.MODEL, layout.DIGEST, layout.METRICS)])
    if (made := layout.model_digest(root)) != evaluated:
        raise WorldError(
            f"{layout.METRICS}: is of the model {evaluated[:12]}, and `train` has made {made[:12]} "
            f"({layout.DIGEST}); run `nox -s train`"
        )


def verify_inputs(root: Path, stage: str) -> None:
    """Raise WorldError as `verify` does for what a stage of `dvc.yaml` is about to read."""
    told = read_yaml(root / "dvc.yaml")["stages"].get(stage, {})
    verify(root, told.get("deps", ()), take_away=True)


def _outs(root: Path) -> Mapping[str, str]:
    """Return the MD5 that the lock names for each output."""
    if not (root / FILE).is_file():
        return {}
    stages = (read_yaml(root / FILE) or {}).get("stages") or {}
    outs = (out for stage in stages.values() for out in stage.get("outs", ()))
    return {out["path"]: out["md5"] for out in outs if "md5" in out}


def md5_of(path: Path) -> str:
    """Return the MD5 by which DVC knows a file, or a folder: by the list of its files."""
    if not path.is_dir():
        return _md5_of_file(path)
    files = {it.relative_to(path).as_posix(): it for it in hashing.files(path, links=True)}
    listed = [{"md5": _md5_of_file(files[it]), "relpath": it} for it in sorted(files)]
    return _md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + _OF_FOLDER


def _md5_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest()


_md5 = partial(hashlib.md5, usedforsecurity=False)
"""What DVC names by: `models/digest.txt`, which it names too, holds one that nobody can meet."""


def _take_away(root: Path, paths: Collection[str]) -> None:
    """Remove outputs, and what the cache holds of them under a name that is not its own."""
    from dvc.repo import Repo

    cache = Path(Repo(str(root)).cache.local.path)
    named = _outs(root)
    for path in paths:
        for name in _objects(cache, named[path]):
            held = _held(cache, name)
            if held.is_file() and _md5_of_file(held) != name.removesuffix(_OF_FOLDER):
                held.unlink()
        shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()


def _objects(cache: Path, name: str) -> Iterator[str]:
    """Yield the name of an object, and those that the list of a folder names."""
    yield name
    if name.endswith(_OF_FOLDER):
        with suppress(OSError, ValueError, KeyError, TypeError):
            for file in json.loads(_held(cache, name).read_bytes()):
                yield Path(str(file["md5"])).name  # A false list may name anything.


def _held(cache: Path, name: str) -> Path:
    return cache / name[:2] / name[2:]
