"""Rows that obey `schema.py`, made up from a seed: small, so that a test takes no time."""

import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sample

from flight_delays import estimator, features
from flight_delays.model import Predictor
from flight_delays.schema import COLUMNS
from flight_delays.steps import train
from mlrails.core import files, hashing, layout, settings
from mlrails.core.config import read_yaml, validated
from mlrails.core.layout import PARTS, SERVING_LOCK, Part
from mlrails.core.params import FILE, OfHeldOut, Params, Task, of_estimator
from mlrails.core.settings import Settings
from mlrails.data.schema import Column
from mlrails.data.splits import label
from mlrails.evaluation import figures as evaluation_figures
from mlrails.modeling import directory
from mlrails.modeling.epochs import Watch

ROOT = sample.ROOT
"""The project's folder."""
PACKAGE = features.__name__.partition(".")[0]
"""The name of the package under test."""
NAME = Settings(ROOT).name
"""The name of the tests' projects."""

PUNCTUALITY = Column("punctuality", "category", leaks="it is the answer itself")
"""The target of several classes, which `flights` has beside the columns of the shipped schema."""
BY_NAME = {column.name: column for column in COLUMNS}

GATE = {
    "margin": 0.05,
    "slice_margin": 0.2,
    "slice_rows": 100,
    "days": 20,
    "bias": 0.1,
    "megabytes": 10,
    "confidence": 0.95,
    "resamples": 200,
}
"""Bounds that a model of these few rows can meet."""

_SMALL = {"batch_size": 32, "max_iter": 30}
"""These few rows make few batches, and need few trees: each would be written and read again."""
FIRST, LAST = "2013-07-01", "2013-09-30"
_NAMES = {
    "carrier": ["AA", "B6", "DL", "EV", "UA"],
    "origin": ["EWR", "JFK", "LGA"],
    "dest": ["ATL", "BOS", "LAX", "MIA", "ORD", "SFO"],
    "tailnum": ["N101", "N102", "N103"],
}
_MISSING = 0.03
REPORT = {
    "digest": "abc",
    "confidence": 0.9,
    "parts": {"test": {"rows": 997, "from": "2013-09-01", "to": "2013-09-30"}},
    **{
        part: {
            "brier": {
                "models": {
                    "model": {"value": 0.1, "low": 0.08, "high": None},
                    "constant rate": {"value": 0.2, "low": 0.18, "high": 0.22},
                },
                "gains": {"constant rate": {"value": 0.1, "low": 0.09, "high": 0.11}},
            }
        }
        for part in ("validation", "test")
    },
}
"""What `reports/metrics.json` holds at the least."""
_TARGETS = {
    Task.CLASSIFICATION: "late",
    Task.REGRESSION: "arr_delay",
    Task.MULTICLASS: "punctuality",
}


@cache
def flights(count: int = 3000, seed: int = 1) -> pd.DataFrame:
    """Return rows of 92 days in order of time; the same frame each time, so never change it.

    A flight is later in the evening, with carrier EV, in wind, and on days that are bad for all.
    """
    rng = np.random.default_rng(seed)
    when = np.sort(rng.integers(0, 92, count) * 1440 + rng.integers(5 * 60, 23 * 60, count))
    day, minute = np.divmod(when, 1440)
    columns = {column.name: _values(column, count, rng) for column in COLUMNS}
    bad_day = rng.normal(0, 4, 92)[day]
    carrier = np.where(columns["carrier"] == "EV", 20.0, 0.0)
    wind = np.nan_to_num(columns["wind_speed"], nan=100.0) / 10
    delay = (minute - 840) / 20 + carrier + wind + bad_day + rng.gumbel(-12, 10, count)
    columns["scheduled_departure"] = np.datetime64(FIRST, "us") + when.astype("timedelta64[m]")
    columns["arr_delay"] = np.round(delay)
    columns["dep_delay"] = np.round(delay + rng.normal(0, 3, count))
    columns["late"] = columns["arr_delay"] > 15
    return pd.DataFrame(columns | {"punctuality": punctuality(columns["arr_delay"])})


def punctuality(delay: np.ndarray) -> np.ndarray:
    """Return the class of each flight by its delay in minutes."""
    return np.select([delay < -5, delay > 15], ["early", "late"], "on time").astype(object)


def _values(column: Column, count: int, rng: np.random.Generator) -> np.ndarray:
    if column.kind != "number":
        return rng.choice(_NAMES.get(column.name, ["A"]), count)
    low = 0.0 if column.minimum is None else column.minimum
    high = low + 100 if column.maximum is None else column.maximum
    values = rng.uniform(low, high, count)
    return np.where(rng.random(count) < _MISSING, np.nan, values) if column.nullable else values


def parameters(task: Task = Task.CLASSIFICATION, **sections: Any) -> Params:
    """Return params for these rows; whole sections can be put in the place of others."""
    return validated(Params, values(task) | sections, FILE)


def values(task: Task = Task.CLASSIFICATION) -> dict[str, Any]:
    """Return what stands in `params.yaml` for these rows.

    The hyperparameters are the project's own, since only its estimator knows their names.
    """
    return {
        "task": task.value,
        "seed": 7,
        "data": {"target": _TARGETS[task], "time": "scheduled_departure", "until": LAST},
        "features": {
            "calendar": ["minute_of_day", "day_of_week"],
            "categorical": ["carrier", "origin", "dest"],
            "numeric": ["distance", "wind_speed", "temp"],
        },
        "split": {"by": "time", "validation": "2 weeks", "test": "1 month"},
        "estimator": {
            name: _SMALL.get(name, value)
            for name, value in read_yaml(ROOT / FILE)["estimator"].items()
            if name not in OfHeldOut.model_fields  # Another task may not have them.
        },
        "evaluation": {"confidence": 0.9, "resamples": 100, "slices": ["carrier", "origin"]},
        "gate": GATE | ({} if task is Task.REGRESSION else {"calibration": 0.01}),
    }


@cache
def parts(count: int = 3000) -> dict[Part, pd.DataFrame]:
    """Return the rows of each part."""
    frame = flights(count)
    labels = label(frame, parameters())
    return {part: frame[labels == part] for part in PARTS}


def fit(params: Params) -> Predictor:
    """Fit as the stage does."""
    return fit_on(params, parts()["train"], parts()["validation"])


def fit_on(params: Params, seen: pd.DataFrame, held_out: pd.DataFrame) -> Predictor:
    """Fit on rows of one's own."""
    hyperparameters = validated(estimator.Hyperparameters, of_estimator(params), FILE, "estimator")
    found: dict[Part, pd.DataFrame] = {"train": seen, "validation": held_out}
    return train.fit(params, hyperparameters, found, Watch())


@cache
def fitted(task: Task) -> Predictor:
    """Return a predictor that was fitted on these rows, once in a session."""
    return fit(parameters(task))


def write_model(
    task: Task, target: Path, identity: str = "rows", background: int | None = None
) -> str:
    """Write a model directory as the stage does; return its digest."""
    of = fitted(task), COLUMNS, parts()["train"], identity, ROOT / SERVING_LOCK
    return directory.write(*of, target, (background, 7))


def tell_figures(root: Path) -> str:
    """Write the figures of the model that lies in a project; return its digest."""
    digest = hashing.of_folder(root / layout.MODEL)
    files.write_text(f"{digest}\n", root / layout.DIGEST)
    files.write_text(
        json.dumps(figures() | {"digest": digest}, default=float), root / layout.METRICS
    )
    return digest


@cache
def figures() -> dict[str, object]:
    """Return the figures of the model, which are the same whatever it is called."""
    return evaluation_figures.of_model(parameters(), fitted(Task.CLASSIFICATION), parts())


def write_pyproject(root: Path) -> None:
    """Write this project's `pyproject.toml` under the name of the tests' projects."""
    text = (ROOT / settings.FILE).read_text("utf-8")
    ours = f'name = "{settings.read_identity(ROOT).name}"'
    (root / settings.FILE).write_text(text.replace(ours, f'name = "{NAME}"', 1), "utf-8")


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody; return what it says."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def digest_of(predictor: Predictor) -> str:
    """Return the digest of what a predictor saves."""
    with tempfile.TemporaryDirectory() as folder:
        predictor.save(Path(folder))
        return hashing.of_folder(Path(folder))
