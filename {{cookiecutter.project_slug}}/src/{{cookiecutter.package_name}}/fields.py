"""What a model asks of a row and gives back, read from its directory without loading anything."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import carried, signature
from .errors import WorldError
from .sections import read_yaml


@dataclass(frozen=True)
class Field:
    """One raw column that goes in; `type` is a word of MLflow's signatures."""

    name: str
    type: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    known: tuple[str, ...] = ()
    """The categories that the model was trained on; it takes others as unknown."""
    unit: str | None = None


@dataclass(frozen=True)
class Interface:
    """The columns that go in, those that come out with their types, and rows to try it with."""

    inputs: tuple[Field, ...]
    outputs: Mapping[str, str]
    example: tuple[Mapping[str, Any], ...]


def read(folder: Path) -> Interface:
    """Read the interface of a model directory.

    A directory that does not say so takes missing numbers, as MLflow does. Raises WorldError where
    it has no signature or no example.
    """
    ins, outs = signature.columns(folder)
    rules = (read_yaml(folder / "MLmodel").get("metadata") or {}).get("columns", {})
    known = _known_before(folder) if not any("known" in it for it in rules.values()) else {}
    inputs = []
    for name, kind in ins.items():
        told = {**(rules.get(name) or {"nullable": kind == "double"})}
        categories = tuple(told.pop("known", known.get(name, ())))
        inputs.append(Field(name, kind, **told, known=categories))
    return Interface(tuple(inputs), outs, _example(folder))


def _known_before(folder: Path) -> Mapping[str, Sequence[str]]:
    """Return the known categories of a model whose MLmodel does not tell them.

    It is an earlier one, or has none.
    """
    encoder = carried.about(folder).get("encoder", {})
    names, known = encoder.get("categorical", ()), encoder.get("vocabularies", ())
    return dict(zip(names, known, strict=True))


def python(folder: Path) -> str:
    """Return the minor version of Python that a model was made with."""
    flavor = read_yaml(folder / "MLmodel")["flavors"]["python_function"]
    return str(flavor["python_version"])


def _example(folder: Path) -> tuple[Mapping[str, Any], ...]:
    path = folder / "serving_input_example.json"
    try:
        split = json.loads(path.read_text("utf-8"))["dataframe_split"]
        return tuple(dict(zip(split["columns"], row, strict=True)) for row in split["data"])
    except (OSError, ValueError, KeyError, TypeError):
        raise WorldError(
            f"{path}: no input example, so nobody can try the model; run `nox -s train`"
        ) from None
