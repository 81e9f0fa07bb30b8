"""The whole model as one value: raw rows in, predictions out.

MLflow calls `_load_pyfunc`. The model directory carries this file, `features.py`, `estimator.py`
and nothing else, so it loads where the project is not installed: what these three need of the
engine they import for types alone, or inside of what only training calls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import estimator as seam
from .features import Encoder

if TYPE_CHECKING:
    import pandas as pd

    from mlrails.data.arrays import Matrix, Rows, Vector

_FILE, _OPTIONAL = "predictor.json", ("classes", "level", "interval")


@dataclass(frozen=True)
class Predictor:
    """An encoder and a fitted estimator, with the threshold of an event, or several classes."""

    task: str
    encoder: Encoder
    estimator: Any
    threshold: float | None = None
    classes: tuple[str, ...] = ()
    level: tuple[float, ...] = ()  # What a number is off by, or a factor for the odds of each.
    interval: tuple[float, ...] = ()  # From where to where what comes lies, beside a number.

    @property
    def categories(self) -> str | None:
        """How the estimator sees a category, in words."""
        return getattr(seam, "CATEGORIES", None)  # One of your own need not say it.

    def scores(self, rows: Rows) -> Vector:
        """Return (rows,) probabilities, or numbers; of several classes (rows, classes) ones."""
        return self.scores_of(self.encoder.encode(rows))

    def scores_of(self, matrix: Matrix) -> Vector:
        """Return the same of rows that are encoded already, (rows, features)."""
        found = seam.scores(self.estimator, matrix)
        if self.classes and found.ndim == 1:
            found = np.column_stack([1 - found, found])
        if not self.level or self.task == "regression":
            return found + self.level[0] if self.level else found
        odds: Vector = found * np.array(self.level)
        total: Vector = odds + 1 - found if found.ndim == 1 else odds.sum(axis=1, keepdims=True)
        return odds / total

    def predict(self, rows: Rows) -> Mapping[str, np.ndarray]:
        """Return `prediction`, the `probability` of an event or class, an interval of a number."""
        scores = self.scores(rows)
        if self.classes:
            likeliest = np.array(self.classes, dtype=object)[scores.argmax(axis=1)]
            names = (f"probability_{name}" for name in self.classes)
            return {"prediction": likeliest, **dict(zip(names, scores.T, strict=True))}
        if self.threshold is None:
            ends = zip(("lower", "upper"), self.interval, strict=False)
            return {"prediction": scores} | {name: scores + end for name, end in ends}
        return {"prediction": scores >= self.threshold, "probability": scores}

    def save(self, folder: Path) -> None:
        """Write the predictor's files into an existing folder."""
        about: dict[str, Any] = {"task": str(self.task), "threshold": self.threshold}
        about |= {name: it for name in _OPTIONAL if (it := getattr(self, name))}
        about["encoder"] = self.encoder.to_json()
        (folder / _FILE).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", "utf-8")
        seam.save(self.estimator, folder)

    def flavor(self, folder: str) -> dict[str, dict[str, Any]]:
        """Return MLflow's native flavor of what `save` wrote into a folder."""
        return seam.flavor(folder)


def load(folder: Path) -> Predictor:
    """Read what `Predictor.save` wrote."""
    about = json.loads((folder / _FILE).read_text("utf-8"))
    encoder, fitted = Encoder.from_json(about["encoder"]), seam.load(folder)
    optional = (tuple(about.get(name, ())) for name in _OPTIONAL)
    return Predictor(about["task"], encoder, fitted, about["threshold"], *optional)


class _PyFunc(NamedTuple):
    """What MLflow's `python_function` flavor expects of a loaded model."""

    predictor: Predictor

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self.predictor.predict(model_input), index=model_input.index)


def _load_pyfunc(path: str) -> _PyFunc:
    return _PyFunc(load(Path(path)))
