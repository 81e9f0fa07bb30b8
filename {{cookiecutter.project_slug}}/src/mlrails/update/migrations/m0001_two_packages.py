"""Of before 1.0.0: let modules of the user's own import from the engine what lay beside them.

The files that the template brought get their new imports by the merge; here it is about those that
it does not know, and about lines that both would change. What has become another thing, or was cut
in two, is left alone: the import fails, and says which.
"""

import re
from collections.abc import Collection
from pathlib import Path

MOVED = {
    "baselines": "evaluation.baselines",
    "cells": "data.cells",
    "comparison": "evaluation.comparison",
    "console": "core.console",
    "csv_blocks": "sources.csv",
    "data": "data.parquet",
    "datasets": "sources.datasets",
    "dialect": "data.dialect",
    "digests": "core.hashing",
    "errors": "core.errors",
    "formats": "core.formats",
    "frames": "data.frames",
    "intervals": "evaluation.bootstrap",
    "labelled": "modeling.dataset",
    "ledger": "registry.ledger",
    "metrics": "evaluation.metrics",
    "params": "core.params",
    "processes": "core.processes",
    "sections": "core.config",
    "settings": "core.settings",
    "sieve": "batch.rules",
    "signing": "registry.signing",
    "splits": "data.splits",
    "store": "tracking.store",
    "tables": "sources.tables",
    "trees": "modeling.trees",
    "validation": "data.validation",
    "values": "data.values",
}
"""Modules that have kept what they hold, by the names that they had."""


def migrate(root: Path, package: str) -> None:
    """Rewrite the imports of a flat project; one that has an engine is none."""
    if (root / "src" / "mlrails").exists():
        return
    home = root / "src" / package
    moved = {name for name in MOVED if (home / f"{name}.py").is_file()}
    for path in (*home.glob("**/*.py"), *root.glob("tests/**/*.py")):
        depth = len(path.relative_to(home).parts) if path.is_relative_to(home) else 0
        text = _text(path, root)
        if (made := rewritten(text, package, depth, moved)) != text:
            path.write_bytes(made.encode("utf-8"))


def _text(path: Path, root: Path) -> str:
    """Return a module's text; nothing for what a link leads to, or what is not UTF-8."""
    if not path.is_file() or path.resolve() != root.resolve() / path.relative_to(root):
        return ""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return ""


def rewritten(text: str, package: str, depth: int, moved: Collection[str] = MOVED) -> str:
    """Return a module's text with the imports of today.

    `depth` is how many dots lead from the module to the package; none do from outside of it.
    """
    if not moved:
        return text
    dots, name = "[.]" * depth, re.escape(package)
    near = rf"(?m)^( *)from (?:{dots + '|' if dots else ''}{name}\.)({'|'.join(moved)}) import "
    text = re.sub(near, lambda it: f"{it[1]}from mlrails.{MOVED[it[2]]} import ", text)
    whole = rf"(?m)^( *)from ({dots + '|' if dots else ''}{name}) import ([\w, ]+?)(?=\r?$)"
    return re.sub(whole, lambda it: _split(it, moved), text)


def _split(line: re.Match[str], moved: Collection[str]) -> str:
    """Return one line for the modules that stay, and one for each that has moved."""
    indent, where, told = line.groups()
    names = [name.strip() for name in told.split(",")]
    stay = [name for name in names if name.split(" ")[0] not in moved]
    lines = [f"{indent}from {where} import {', '.join(stay)}"] if stay else []
    for name in (name for name in names if name not in stay):
        old, _, alias = name.partition(" as ")
        folder, _, new = MOVED[old].rpartition(".")
        called = f" as {alias or old}" if (alias or old) != new else ""
        lines.append(f"{indent}from mlrails.{folder} import {new}{called}")
    return "\n".join(lines)
