"""The signature of a model directory, read without loading anything."""

import json
from pathlib import Path

from .sections import read_yaml


def has_signature(folder: Path) -> bool:
    """Tell whether a model directory says what goes in and what comes out."""
    return all(columns(folder))


def columns(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the type of each column that goes in, and of each that comes out, without MLflow."""
    described = read_yaml(folder / "MLmodel").get("signature") or {}
    ins, outs = (json.loads(described.get(side) or "[]") for side in ("inputs", "outputs"))
    return {it["name"]: it["type"] for it in ins}, {it["name"]: it["type"] for it in outs}


def breaks(folder: Path, before: Path) -> list[str]:
    """Return what a caller of the model `before` would have to change for this one, in words."""
    (ins, outs), (known_ins, known_outs) = columns(folder), columns(before)
    asked = [
        f"{name!r} is asked for as {kind}"
        for name, kind in ins.items()
        if known_ins.get(name) != kind
    ]
    given = [
        f"{name!r} no longer comes back as {kind}"
        for name, kind in known_outs.items()
        if outs.get(name) != kind
    ]
    return asked + given
