"""Of before 1.0.0: let modules of the user's own import from the engine what lay beside them.

The files that the template brought get their new imports by the merge; here it is about those that
it does not know, and about lines that both would change. What has become another thing, or was cut
in two, is left alone: the import fails, and says which.
"""

import re
from pathlib import Path

MOVED = {
    "baselines": "evaluation.baselines",
    "cells": "data.cells",
    "comparison": "evaluation.comparison",
    "console": "core.console",
    "csv_blocks": "batch.csv",
    "data": "data.parquet",
    "datasets": "batch.datasets",
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
    "tables": "batch.tables",
    "trees": "modeling.trees",
    "validation": "data.validation",
    "values": "data.values",
}
"""Modules that have kept what they hold, by the names that they had."""
_NAMES = "|".join(MOVED)


def migrate(root: Path, package: str) -> None:
    """Rewrite the imports of a flat project; one that has an engine is none."""
    if (root / "src" / "mlrails").exists():
        return
    for path in (*root.glob(f"src/{package}/**/*.py"), *root.glob("tests/**/*.py")):
        text = path.read_text("utf-8")
        if (made := rewritten(text, package)) != text:
            path.write_bytes(made.encode("utf-8"))


def rewritten(text: str, package: str) -> str:
    """Return a module's text with the imports of today."""
    near = rf"^( *)from (\.\.?|{re.escape(package)}\.)({_NAMES}) import "
    text = re.sub(near, lambda it: f"{it[1]}from mlrails.{MOVED[it[3]]} import ", text, flags=re.M)
    whole = rf"^( *)from (\.\.?|{re.escape(package)}) import ([\w, ]+)$"
    return re.sub(whole, _split, text, flags=re.M)


def _split(line: re.Match[str]) -> str:
    """Return one line for the modules that stay, and one for each that has moved."""
    indent, where, told = line.groups()
    names = [name.strip() for name in told.split(",")]
    stay = [name for name in names if name.split(" ")[0] not in MOVED]
    lines = [f"{indent}from {where} import {', '.join(stay)}"] if stay else []
    for name in (name for name in names if name not in stay):
        old, _, alias = name.partition(" as ")
        folder, _, new = MOVED[old].rpartition(".")
        called = f" as {alias or old}" if (alias or old) != new else ""
        lines.append(f"{indent}from mlrails.{folder} import {new}{called}")
    return "\n".join(lines)
