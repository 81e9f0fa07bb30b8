"""Rows made up of your own `schema.py`, and your own `params.yaml` with less to do.

Nothing here knows what your columns mean. The target is made of the features, to be learnt. What
`source.py` or `features.py` ask for beyond `schema.py`, as names of a category, goes to `values`.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flight_delays import estimator, features
from flight_delays.model import Predictor
from flight_delays.schema import COLUMNS
from flight_delays.steps import train
from mlrails.core.config import Period, read_yaml, validated
from mlrails.core.layout import Part
from mlrails.core.params import FILE, Params, of_estimator
from mlrails.data import splits, validation
from mlrails.data.schema import DTYPES, Column
from mlrails.modeling.epochs import Watch

ROOT = Path(__file__).parents[1]
"""The project's folder."""
PACKAGE = features.__name__.partition(".")[0]
"""The name of your package."""
COUNT = 2000
QUICK = {"max_iter": 20, "n_estimators": 20, "epochs": 4, "batch_size": 32, "min_samples_leaf": 20}
"""What makes a fit short, for each of these that your `estimator.Hyperparameters` knows."""
_CATEGORIES = ("a", "b", "c", "d")
_GROUPS = tuple(f"group {number}" for number in range(200))
_MISSING = 0.03
_DAYS = {"day": 1, "week": 7, "month": 31}


def values() -> dict[str, Any]:
    """Return what your `params.yaml` says, with less to do."""
    said = read_yaml(ROOT / FILE)
    quick = {name: QUICK[name] for name in QUICK.keys() & said["estimator"].keys()}
    said["estimator"] = {**said["estimator"], **quick}
    said["evaluation"] = {**said["evaluation"], "resamples": 100}
    return dict(said)


@cache
def params() -> Params:
    """Return your params, with less to do."""
    return validated(Params, values(), FILE)


@cache
def rows() -> pd.DataFrame:
    """Return rows that keep your schema, in order of time; shared, so never change them."""
    chance, names = np.random.default_rng(1), {column.name: column for column in COLUMNS}
    made = pd.DataFrame({name: _values(column, chance) for name, column in names.items()})
    made[params().data.target] = _target(made, names[params().data.target], chance)
    return made


def _values(column: Column, chance: np.random.Generator) -> Any:
    if column.kind == "time":
        return _times(chance)
    if column.kind == "boolean":
        return chance.random(COUNT) < 0.5
    gaps = column.nullable & (chance.random(COUNT) < _MISSING)
    if column.kind == "category":
        labels = _GROUPS if column.name == params().data.group else _CATEGORIES
        return pd.Series(chance.choice(labels, COUNT), dtype=DTYPES["category"]).mask(gaps)
    low, high = limits(column)
    return np.where(gaps, np.nan, chance.uniform(low, high, COUNT))


def limits(column: Column) -> tuple[float, float]:
    """Return between what the numbers of a column are."""
    low, high = column.minimum, column.maximum
    if low is None:
        low = 0.0 if high is None else high - 100
    return low, low + 100 if high is None else high


def _times(chance: np.random.Generator) -> Any:
    """Return times up to the last day that counts, three times as long as what is held out."""
    held = (params().split.validation, params().split.test)
    days = 3 * sum(it.count * _DAYS[it.unit] if isinstance(it, Period) else 30 for it in held)
    end = np.datetime64(params().data.until or date(2020, 12, 31), "m") + np.timedelta64(1440, "m")
    minutes = np.sort(chance.integers(1, days * 1440, COUNT))[::-1]
    return (end - minutes.astype("timedelta64[m]")).astype(DTYPES["time"])


def _target(made: pd.DataFrame, column: Column, chance: np.random.Generator) -> Any:
    named, time = params().features, params().data.time
    seen: list[Any] = [made[it] for it in (*named.numeric, *named.categorical)]
    seen += [features.CALENDAR[it](made[time].to_numpy("M8[m]")) for it in named.calendar]
    signal = chance.normal(0, 0.1, COUNT)
    for place, each in enumerate(seen):
        share = pd.Series(each).rank(method="dense", pct=True)  # A gap tells nothing.
        signal += 0.5**place * share.fillna(share.mean()).fillna(0).to_numpy(np.float64)
    places = pd.Series(signal).rank(pct=True).to_numpy()
    if column.kind == "category":
        return pd.cut(places, 3, labels=_CATEGORIES[:3]).astype(DTYPES["category"])
    low, high = limits(column)
    return places > 0.6 if column.kind == "boolean" else low + (high - low) * places


@cache
def parts() -> Mapping[Part, pd.DataFrame]:
    """Return the rows of each part, as `prepare` divides them."""
    return splits.divided(rows(), params(), validation.needed(params()))


@cache
def fitted() -> Predictor:
    """Return your model, fitted as the stage does; shared, so never change it."""
    given = params()
    section = validated(estimator.Hyperparameters, of_estimator(given), FILE, "estimator")
    return train.fit(given, section, parts(), Watch())
