"""Versions of the template: `VERSION` says the present one, `CHANGELOG.md` what is in each.

A change adds a fragment to `changes/`. A release moves the fragments to `changes/<version>/`, and
the changelog is written anew from those folders: so it can be repeated, and a test compares them.
"""

import re
import sys
from pathlib import Path

HEAD = """# Changes

What users notice, newest first: made of the fragments in `changes/` by `nox -s release -- VERSION`.
What is not released yet is there in [changes](changes).
"""
TO_DO = "What to do when you update"
_MARK = "When you update: "
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def release(root: Path, version: str) -> None:
    """Make a version of what is there; raises ValueError for what is none, or none that is new."""
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{version!r}: a version is three numbers, as 1.2.3")
    released = [path.name for path in _folders(root)]
    if released and _numbers(version) < _numbers(released[0]):
        raise ValueError(f"{version} is older than {released[0]}, which is released")
    (root / "changes" / version).mkdir(exist_ok=True)
    for path in fragments(root / "changes"):
        path.rename(root / "changes" / version / path.name)
    (root / "VERSION").write_text(f"{version}\n", "utf-8")
    (root / "CHANGELOG.md").write_text(changelog(root), "utf-8")


def fragments(folder: Path) -> list[Path]:
    """Return the fragments in a folder, `<issue>-<part>.md`; what is measured is none."""
    return sorted(path for path in folder.glob("[0-9]*-*.md") if path.is_file())


def changelog(root: Path) -> str:
    """Return the changelog of all that is released, newest first."""
    return "\n".join([HEAD, *(_section(folder) for folder in _folders(root))])


def _folders(root: Path) -> list[Path]:
    found = (path for path in (root / "changes").iterdir() if _VERSION.fullmatch(path.name))
    return sorted(found, key=lambda path: _numbers(path.name), reverse=True)


def _section(folder: Path) -> str:
    """Return a version's section: first what an update asks for, then the changes by their part."""
    to_do: list[str] = []
    parts: dict[str, list[str]] = {}
    for path in fragments(folder):
        part = path.stem.partition("-")[2].replace("-", " ").capitalize()
        for paragraph in path.read_text("utf-8").strip().split("\n\n"):
            told = to_do if paragraph.startswith(_MARK) else parts.setdefault(part, [])
            told.append(paragraph.removeprefix(_MARK))
    changes = [f"### {part}\n\n" + "\n\n".join(parts[part]) for part in sorted(parts)]
    first = f"### {TO_DO}\n\n" + ("\n\n".join(to_do) or "Nothing.")
    return "\n\n".join([f"## {folder.name}", first, *changes]) + "\n"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


if __name__ == "__main__":
    try:
        release(Path(__file__).parent, *sys.argv[1:])
    except (TypeError, ValueError) as problem:
        sys.exit(f"error: {problem}; `nox -s release -- 1.2.3`")
