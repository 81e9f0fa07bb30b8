"""`prepare` stops what is shown to leak, says the way out, and lets go on who has answered."""

from dataclasses import replace
from typing import Any

import leaky
import numpy as np
import pandas as pd
import pytest
import rows as made
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from mlrails.audit import guard
from mlrails.core.errors import UsageError
from mlrails.core.params import Params, Task
from mlrails.data import splits
from mlrails.data.schema import Column

ALL = "rows of one group may be in training and test"
FOUR = ("encoded", "absent", "copies", "patients")


def table(name: str) -> pd.DataFrame:
    return leaky.CASES[name].make(np.random.default_rng(3))


def params(frame: pd.DataFrame, **split: Any) -> Params:
    """Return params for such a table, split by time where it has one."""
    time = "t" if "t" in frame else None
    shares = {"by": "random", "validation": 0.2, "test": 0.2}
    lengths = {"by": "time", "validation": "2 months", "test": "4 months"}
    numeric = [it for it in frame if frame[it].dtype.kind == "f" and it != "y"]
    return made.parameters(
        data={"target": "y", "time": time},
        features={"numeric": numeric},
        split={**(lengths if time else shares), **split},
        evaluation={"confidence": 0.9, "resamples": 100},
    )


def schema(frame: pd.DataFrame, **known: str) -> list[Column]:
    kinds = {"b": "boolean", "f": "number", "M": "time"}
    columns = [Column(it, kinds[frame[it].dtype.kind]) for it in frame]  # type: ignore[arg-type]
    return [replace(it, known=known.get(it.name)) for it in columns]


def checked(frame: pd.DataFrame, given: Params, **known: str) -> None:
    parts = splits.divided(frame, given, list(frame.columns))
    guard.check(parts, given, schema(frame, **known))


@pytest.mark.parametrize("name", [*FOUR, "paid", "gaps of two"])
def test_prepare_stops_a_leak_and_says_the_way_out(name: str) -> None:
    frame = table(name)
    with pytest.raises(UsageError, match=r"AUC .*(known=|split.acknowledge)"):
        checked(frame, params(frame))


@pytest.mark.parametrize(
    ("name", "column"), [("encoded", "shop_rate"), ("absent", "days_to_callback")]
)
def test_a_column_that_somebody_has_answered_for_is_let_in(name: str, column: str) -> None:
    frame = table(name)
    checked(frame, params(frame), **{column: "it comes from last year's books"})


def test_two_columns_are_let_in_where_both_are_answered_for() -> None:
    frame = table("paid")
    checked(frame, params(frame), one="it is billed before", other="it is paid before")
    with pytest.raises(UsageError, match="say why at both in schema"):
        checked(frame, params(frame), one="it is billed before")


@pytest.mark.parametrize("name", ["copies", "patients"])
def test_rows_on_both_sides_are_let_in_where_that_is_said(name: str) -> None:
    frame = table(name)
    checked(frame, params(frame, acknowledge=ALL))


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_flights_are_let_in(task: Task) -> None:
    given = made.parameters(task)
    guard.check(made.parts(), given, made.COLUMNS)


@pytest.mark.parametrize("name", FOUR)
def test_without_the_guard_a_model_of_nothing_looks_good(name: str) -> None:
    frame = table(name)
    given = params(frame)
    parts = splits.divided(frame, given, list(frame.columns))
    names = list(given.features.numeric)
    model = HistGradientBoostingClassifier(max_iter=200, min_samples_leaf=5, random_state=0)
    model.fit(parts["train"][names], parts["train"]["y"])
    shown = roc_auc_score(parts["test"]["y"], model.predict_proba(parts["test"][names])[:, 1])
    assert shown > 0.7


@pytest.mark.parametrize("name", FOUR)
def test_without_the_leak_nothing_can_be_told(name: str) -> None:
    frame = table(name).drop(columns=["shop_rate", "days_to_callback"], errors="ignore")
    names = [it for it in frame if it not in "ty"]
    if name in ("copies", "patients"):  # One row of each: no other row knows it.
        frame = frame.iloc[~frame[names].round(0).duplicated().to_numpy()]
    half = len(frame) // 2
    model = HistGradientBoostingClassifier(max_iter=50, random_state=0)
    model.fit(frame[names][:half], frame["y"][:half])
    honest = roc_auc_score(frame["y"][half:], model.predict_proba(frame[names][half:])[:, 1])
    assert abs(honest - 0.5) < 0.1
