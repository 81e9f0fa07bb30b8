"""Where the data of a project lie: at their place below the project, or copied to where they may.

A model is to be made again from its commit, so its rows have to be where the commit can name them.
A file from outside is copied to `data/source/`, and DVC keeps it: rows belong to no public history
by accident, and large files to no git. What git keeps already stays git's.
"""

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...core import git, hashing
from ...core.errors import UsageError
from ...core.settings import Settings
from ...sources import addresses, datasets, declared
from . import apply, documents, files

FOLDER = "data/source"
_MADE = ("data/raw", "data/prepared", "models", "reports", "build", ".dvc", ".nox", ".git", "src")
"""Folders that stages or tools write to: nobody's file is safe there."""


@dataclass(frozen=True)
class Place:
    """Where rows are read now, and from then on."""

    path: Path | None
    """The file, where it is one."""
    name: str
    """Below the project, or an address, as `source.py` says it."""
    copies: Mapping[str, Path] = field(default_factory=dict)
    tracked: tuple[str, ...] = ()

    def beside(self) -> Iterator[str]:
        """Yield the files that come to be with it: its copy, and what DVC writes next to it."""
        yield from self.copies
        for name in self.tracked:
            yield f"{name}.dvc"
            yield (Path(name).parent / ".gitignore").as_posix()


def of(root: Path, source: str, start: Path) -> Place:
    """Return the place of a source; `start` is the folder in which its name begins.

    Raises UsageError where another file of that name stands in the way.
    """
    if addresses.scheme(source) is not None:
        return Place(None, source)
    path = (start / source).absolute()
    if not path.is_file():
        return _of_several(root, path, source)
    inside = _inside(root, path)
    if inside is not None:
        return Place(path, inside, {}, () if _stays(root, inside) else (inside,))
    name = f"{FOLDER}/{_plain(path.name)}"
    target = root / name
    if target.is_file() and hashing.of_file(target) == hashing.of_file(path):
        return Place(path, name, {}, () if apply.is_kept(root, name) else (name,))
    if target.exists() and not (root / f"{name}.dvc").is_file():
        raise UsageError(
            f"{name}: another file stands there, and DVC does not keep it; move it away, or adopt "
            "a file of another name"
        )
    return Place(path, name, {name: path}, (name,))


def _of_several(root: Path, path: Path, source: str) -> Place:
    """Return the place of a folder or a glob, which has to be below the project: it stays there."""
    name = posixpath.normpath(os.path.relpath(path, root.absolute()).replace(os.sep, "/"))
    if not path.exists() and not datasets.is_glob(source):
        return Place(None, name)  # Whoever opens it says what is wrong.
    folder = next(iter(documents.deps(name)), ".")
    if folder == "." or folder.startswith("..") or _is_made(folder):
        raise UsageError(
            f"{source}: several files are read where they lie, and these would be no part of the "
            f"project; put them into a folder below it, as {FOLDER}/{_plain(path.parent.name)}"
        )
    return Place(None, name, {}, () if _stays(root, folder) else (folder,))


def _is_made(name: str) -> bool:
    return any(name == it or name.startswith(f"{it}/") for it in _MADE)


def _inside(root: Path, path: Path) -> str | None:
    """Return a file's name below the project; None where it is elsewhere, or may not stay."""
    real, top = path.resolve(), root.resolve()
    if not real.is_relative_to(top):
        return None
    name = real.relative_to(top).as_posix()
    return None if _is_made(name) else name


def _stays(root: Path, name: str) -> bool:
    """Tell whether nobody has to begin to keep a file: git or DVC does, or git is told not to."""
    if (root / f"{name}.dvc").is_file():
        return False  # DVC looks whether it has changed.
    ignored = git.run(root, "check-ignore", "--quiet", "--", f"{name}.dvc").returncode == 0
    return ignored or apply.is_kept(root, name)


def _plain(name: str) -> str:
    """Return a name that every system, DVC and shell take as it is."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.")
    return plain or "rows"


def event(settings: Settings, target: str) -> str | None:
    """Return the word of the target's event as `source.py` says it, where it does."""
    said = declared.reading(settings.root / "src" / settings.package / "source.py")
    return said.positive.get(target) if said else None


def texts(root: Path, package: str) -> dict[str, str]:
    """Return the texts of a project that may change; raises UsageError where one is not UTF-8."""
    records = [path.relative_to(root).as_posix() for path in root.glob("docs/decisions/*.md")]
    found = {}
    for name in (*files.paths(package), *sorted(records)):
        try:
            found[name] = (root / name).read_text("utf-8")
        except FileNotFoundError:
            if name in files.NEEDED or name.startswith(f"src/{package}/"):
                raise UsageError(f"{name}: is not there; restore it from git") from None
        except UnicodeDecodeError:
            raise UsageError(f"{name}: not UTF-8; restore it from git") from None
    return found
