"""What a model asks of its callers and of its environment: signature and exact pins."""

import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .columns import Column
from .protocols import Model

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature


def signature(model: Model, rows: "pd.DataFrame") -> "ModelSignature":
    """Return the raw columns that go in and the columns that come out, each with its type."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {"M": "datetime", "f": "double", "b": "boolean"}
    inputs = [ColSpec(kinds.get(dtype.kind, "string"), name) for name, dtype in rows.dtypes.items()]
    outputs = [
        ColSpec(kinds[values.dtype.kind], name) for name, values in model.predict(rows).items()
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def rules(columns: Sequence[Column], known: Mapping[str, Sequence[str]] = {}) -> dict[str, Any]:
    """Return what the signature has no words for: which values may be missing, ranges, units.

    And which categories are `known`: the model takes others as unknown.
    """
    told = ("nullable", "minimum", "maximum")
    rules = {it.name: {name: getattr(it, name) for name in told} for it in columns}
    for it in columns:
        rules[it.name] |= {"unit": it.unit} if it.unit else {}
        rules[it.name] |= {"known": [*known[it.name]]} if it.name in known else {}
    return {"columns": rules}


def environment(requirements: Path) -> dict[str, Any]:
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
