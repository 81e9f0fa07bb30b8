"""What a model asks of its callers and of its environment: signature, example and exact pins."""

import platform
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .predictor import Predictor
from .schema import Column

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature


def example(predictor: Predictor, columns: Sequence[Column]) -> "pd.DataFrame":
    """Make up two rows: the middle of each range and a known category; never a row of the data."""
    import pandas as pd

    return pd.DataFrame(
        {
            column.name: [_made_up(predictor, column, place) for place in range(2)]
            for column in columns
        }
    )


def _made_up(predictor: Predictor, column: Column, place: int) -> object:
    import pandas as pd

    if column.kind == "time":
        return pd.Timestamp("2030-01-07 08:00:00") + pd.Timedelta(hours=9 * place)
    if column.kind == "category":
        known = predictor.encoder.vocabulary[column.name]
        return known[place % len(known)] if known else "A"
    if column.kind == "boolean":
        return place == 1
    low = column.minimum if column.minimum is not None else 0.0
    high = column.maximum if column.maximum is not None else low + 100.0
    return float(round(low + (high - low) * (0.5 + 0.1 * place)))


def signature(predictor: Predictor, rows: "pd.DataFrame") -> "ModelSignature":
    """Return the raw columns that go in and the columns that come out, each with its type."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {"M": "datetime", "f": "double", "b": "boolean"}
    inputs = [ColSpec(kinds.get(dtype.kind, "string"), name) for name, dtype in rows.dtypes.items()]
    outputs = [
        ColSpec(kinds[values.dtype.kind], name) for name, values in predictor.predict(rows).items()
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def rules(columns: Sequence[Column]) -> dict[str, Any]:
    """Return what the signature has no words for: which values may be missing, and the ranges."""
    told = ("nullable", "minimum", "maximum")
    return {"columns": {it.name: {name: getattr(it, name) for name in told} for it in columns}}


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
