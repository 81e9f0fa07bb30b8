"""What a model asks of a row and gives back: written with it, and read without loading anything."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.config import read_yaml
from ..core.errors import WorldError
from ..data.schema import Column
from . import isolation
from .protocols import Model

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature


_LEVEL = "interval"
"""Where `MLmodel` says how much of what comes is to lie within the interval."""


def has_signature(folder: Path) -> bool:
    """Tell whether a model directory says what goes in and what comes out."""
    return all(columns(folder))


def columns(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the type of each column that goes in, and of each that comes out, without MLflow."""
    described = read_yaml(folder / "MLmodel").get("signature") or {}
    ins, outs = (json.loads(described.get(side) or "[]") for side in ("inputs", "outputs"))
    return {it["name"]: it["type"] for it in ins}, {it["name"]: it["type"] for it in outs}


def breaking_changes(folder: Path, before: Path) -> list[str]:
    """Return what a caller of the model `before` would have to change for this one, in words."""
    return breaking(*columns(folder), *columns(before))


def breaking(
    ins: Mapping[str, str],
    outs: Mapping[str, str],
    known_ins: Mapping[str, str],
    known_outs: Mapping[str, str],
) -> list[str]:
    """Return what a caller would have to change where these columns went in and came out before."""
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
    level: float | None = None
    """How much of what comes is to lie between the ends beside a number, where it is told."""


def read_interface(folder: Path) -> Interface:
    """Read the interface of a model directory.

    A directory that does not say so takes missing numbers, as MLflow does. Raises WorldError where
    it has no signature or no example.
    """
    ins, outs = columns(folder)
    told = read_yaml(folder / "MLmodel").get("metadata") or {}
    rules = told.get("columns", {})
    known = _known_before(folder) if not any("known" in it for it in rules.values()) else {}
    inputs = []
    for name, kind in ins.items():
        about = {**(rules.get(name) or {"nullable": kind == "double"})}
        categories = tuple(about.pop("known", known.get(name, ())))
        inputs.append(Field(name, kind, **about, known=categories))
    level = told.get(_LEVEL)
    sure = level if isinstance(level, float) else None
    return Interface(tuple(inputs), outs, _example(folder), sure)


ENDS = ("lower", "upper")
"""The ends of the interval beside a number, among what a model answers."""


def promise(level: float) -> str:
    """Say what an interval of a level is to hold."""
    return f"{100 * level:.6g}% of what comes is to lie between lower and upper"


def _known_before(folder: Path) -> Mapping[str, Sequence[str]]:
    """Return the known categories of a model whose MLmodel does not tell them.

    It is an earlier one, or has none.
    """
    encoder = isolation.about(folder).get("encoder", {})
    names, known = encoder.get("categorical", ()), encoder.get("vocabularies", ())
    return dict(zip(names, known, strict=True))


def python_version(folder: Path) -> str:
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


def model_signature(model: Model, rows: "pd.DataFrame") -> "ModelSignature":
    """Return the raw columns that go in and the columns that come out, each with its type."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {"M": "datetime", "f": "double", "b": "boolean"}
    inputs = [ColSpec(kinds.get(dtype.kind, "string"), name) for name, dtype in rows.dtypes.items()]
    outputs = [
        ColSpec(kinds.get(values.dtype.kind, "string"), name)
        for name, values in model.predict(rows).items()
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def column_rules(
    columns: Sequence[Column],
    known: Mapping[str, Sequence[str]] = {},
    level: float | None = None,
) -> dict[str, Any]:
    """Return what the signature has no words for: which values may be missing, ranges, units.

    And which categories are `known`: the model takes others as unknown. `level` is that of the
    interval that a model of numbers answers.
    """
    told = ("nullable", "minimum", "maximum")
    rules = {it.name: {name: getattr(it, name) for name in told} for it in columns}
    for it in columns:
        rules[it.name] |= {"unit": it.unit} if it.unit else {}
        rules[it.name] |= {"known": [*known[it.name]]} if it.name in known else {}
    return {"columns": rules, **({_LEVEL: level} if level else {})}


def conda_environment(requirements: Path) -> dict[str, Any]:
    """Return the conda environment: Python's minor version and the lock's exact pins.

    MLflow itself is added, since its own server needs it to serve the model.
    """
    lock = requirements.read_text("utf-8")
    pins = re.findall(r"^[A-Za-z0-9][^\s=]*==[^\\\n]*[^\s\\]", lock, re.MULTILINE)
    pins.append(f"mlflow=={metadata.version('mlflow')}")
    return {
        "name": "model",
        "channels": ["conda-forge"],
        "dependencies": [f"python={minor_version()}", "pip", {"pip": sorted(set(pins))}],
    }


def minor_version() -> str:
    """Return Python's version without the patch, which means nothing to a model."""
    return ".".join(platform.python_version_tuple()[:2])
