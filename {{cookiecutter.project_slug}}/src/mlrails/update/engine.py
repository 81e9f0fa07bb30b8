"""The engine's manifest: a line of sha256sum's for each of its files, made by the bake.

`sha256sum --check MANIFEST`, in the engine's folder, says the same without us.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from ..core.errors import UsageError
from . import origin

ENGINE, MANIFEST = "src/mlrails", "MANIFEST"


def lines(folder: Path) -> dict[str, str]:
    """Return the digest of every file of the engine, by its path; byte code is none."""
    found = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in found}
    return {
        name: hashlib.sha256(named[name].read_bytes()).hexdigest()
        for name in sorted(named)
        if name != MANIFEST and "__pycache__" not in named[name].parts
    }


def manifest(folder: Path) -> str:
    """Return the text of the manifest of the engine as it lies in a folder."""
    return "".join(f"{digest}  {name}\n" for name, digest in lines(folder).items())


def edits(root: Path) -> list[str]:
    """Return the files of a project's engine that were edited, unless it is the user's own."""
    with suppress(UsageError):
        if origin.read(root).is_ejected:
            return []
    return edited(root / ENGINE) if (root / ENGINE).is_dir() else []


def edited(folder: Path) -> list[str]:
    """Return the files that are not as the manifest says: changed, added or deleted.

    Where the manifest itself is not there, that is what is named.
    """
    try:
        text = (folder / MANIFEST).read_text("utf-8")
    except FileNotFoundError:
        return [MANIFEST]
    pairs = (line.partition("  ") for line in text.splitlines())
    wanted, there = {name: digest for digest, _, name in pairs}, lines(folder)
    return sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
