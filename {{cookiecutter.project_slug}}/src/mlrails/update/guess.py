"""The answers that a project was made with, read back out of its files."""

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_LICENSES = {"MIT License": "MIT", "Apache License": "Apache-2.0", "BSD 3-Clause": "BSD-3-Clause"}
_FRAMEWORKS = {"torch": "pytorch", "tensorflow": "tensorflow"}


def answers_of(root: Path) -> dict[str, str]:
    """Return the answers to the questions of before version 1.0.0, for the user to look over."""
    about = _about(root)
    project = about.get("project", {})
    authors = project.get("authors") or [{}]
    slug = str(project.get("name", root.name))
    return {
        "project_name": _found(root / "README.md", r"(?m)^# (.+)$") or slug,
        "project_slug": slug,
        "package_name": package_of(root) or slug.replace("-", "_"),
        "description": str(project.get("description", "")),
        "author_name": str(authors[0].get("name", "")),
        "task": _found(root / "params.yaml", r"(?m)^task: *(\w+)") or "classification",
        "framework": _framework(about),
        "forge": "github" if (root / ".github" / "workflows").is_dir() else "none",
        "python_version": _found(root / "python_env.yaml", r'python: "?([\d.]+)'),
        "dvc_remote": _found(root / ".dvc" / "config", r"url = (.+)"),
        "license": _license(root / "LICENSE"),
    }


def package_of(root: Path) -> str:
    """Return the name of the user's package; empty where that is not one alone."""
    found = [it.parent.name for it in root.glob("src/*/__main__.py")]
    own = [name for name in found if name != "mlrails"]
    return own[0] if len(own) == 1 else ""


def _about(root: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return {}


def _framework(about: dict[str, Any]) -> str:
    told = json.dumps(about.get("dependency-groups", {}).get("framework", []))
    return next((it for name, it in _FRAMEWORKS.items() if name in told), "scikit-learn")


def _license(path: Path) -> str:
    start = "".join(_lines(path))[:400]
    return next((it for words, it in _LICENSES.items() if words in start), "Proprietary")


def _found(path: Path, pattern: str) -> str:
    found = re.search(pattern, "".join(_lines(path)))
    return found[1].strip() if found else ""


def _lines(path: Path) -> Iterator[str]:
    with suppress(OSError, UnicodeDecodeError):
        yield path.read_text("utf-8")
