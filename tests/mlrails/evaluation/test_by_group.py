"""Rates of the groups of sensitive columns, held against all other rows."""

from typing import Any

import numpy as np
import pytest
import rows

from mlrails.core.config import validated
from mlrails.core.params import FILE, Params, Task
from mlrails.evaluation import by_group, figures
from mlrails.evaluation.bootstrap import sample
from mlrails.evaluation.by_group import MEASURES, Rates, groups_of
from mlrails.evaluation.scored import Scored

TARGET = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0], float)
CALL = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 1], float)
SCORE = np.array([0.9, 0.8, 0.3, 0.7, 0.1, 0.2, 0.1, 0.1, 0.3, 0.6])
HERE = np.arange(10) < 5


def scored(weight: np.ndarray | None = None) -> Scored:
    return Scored(TARGET, None, {"model": SCORE}, weight=weight, calls={"model": CALL})


def rate(name: str, keep: np.ndarray, of: Scored, gap: bool = False) -> float:
    (measure,) = (it for it in MEASURES[Task.CLASSIFICATION] if it.name == name)
    rates, on = Rates.of(measure, of, "model"), sample(10, None, 100, 1)
    return float((rates.gap if gap else rates.values)(keep, on)[0])


@pytest.mark.parametrize(
    ("name", "here", "others"),
    [
        ("selection_rate", 3 / 5, 1 / 5),
        ("tpr", 2 / 3, 0.0),
        ("fpr", 1 / 2, 1 / 4),
        ("calibration", (2.8 - 3) / 5, (1.3 - 1) / 5),
    ],
)
def test_each_measure_is_what_its_name_says(name: str, here: float, others: float) -> None:
    assert rate(name, HERE, scored()) == pytest.approx(here)
    assert rate(name, ~HERE, scored()) == pytest.approx(others)
    assert rate(name, HERE, scored(), gap=True) == pytest.approx(here - others)


@pytest.mark.parametrize("name", [it.name for it in MEASURES[Task.CLASSIFICATION]])
def test_a_row_of_weight_2_counts_as_the_row_twice(name: str) -> None:
    weight = np.where(np.arange(10) == 2, 2.0, 1.0)
    twice = np.append(np.arange(10), 2)
    doubled = Scored(TARGET[twice], None, {"model": SCORE[twice]}, calls={"model": CALL[twice]})
    (measure,) = (it for it in MEASURES[Task.CLASSIFICATION] if it.name == name)
    there = Rates.of(measure, doubled, "model").values(HERE[twice], sample(11, None, 100, 1))[0]
    assert rate(name, HERE, scored(weight)) == pytest.approx(there)


def test_groups_come_the_largest_first_and_rows_without_a_value_are_one() -> None:
    labels = np.array(["b", "a", "a", None, None, None], dtype=object)
    found = [(it.title, int(it.keep.sum())) for it in groups_of({"x": labels})]
    assert found == [("x = missing", 3), ("x = a", 2), ("x = b", 1)]


def test_the_interval_of_a_gap_holds_the_true_one_as_often_as_it_says() -> None:
    """Days differ, and groups share them: 90 % intervals of a gap of .1 over 30 days."""
    held, trials = 0, 150
    (tpr,) = (it for it in MEASURES[Task.CLASSIFICATION] if it.name == "tpr")
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        day = np.repeat(np.arange(30), 60)
        women, bad = rng.random(1800) < 0.3, rng.normal(0, 0.1, 30)[day]
        target = np.ones(1800)
        call = (rng.random(1800) < 0.6 + bad - 0.1 * women).astype(float)
        times = np.datetime64("2013-01-01") + day.astype("timedelta64[D]")
        one = Scored(target, times, {"model": call}, calls={"model": call})
        on = sample(1800, times, 200, seed)
        gap = on.paired(Rates.of(tpr, one, "model").gap(women, on), 0.9).figure
        held += gap.low <= -0.1 <= gap.high
    assert 0.84 * trials <= held <= 0.97 * trials


def of_flights(task: Task, asked: Any) -> Any:
    values = rows.values(task)
    params = validated(Params, values | {"data": values["data"] | {"sensitive": asked}}, FILE)
    return figures.of_model(params, rows.fitted(task), rows.parts())


@pytest.mark.parametrize("task", Task)
def test_groups_of_sensitive_columns_are_told_where_they_are_asked_for(task: Task) -> None:
    found = of_flights(task, {"tailnum": [], "plane_seats": [50]})
    without = figures.of_model(rows.parameters(task), rows.fitted(task), rows.parts())
    told = found.pop("fairness")
    assert found == without
    assert {it["name"] for it in told["plane_seats"]} == {"under 50", "50 and over", "missing"}
    names = {it.name for it in MEASURES[task]}
    assert all(names == {*it} - {"name", "rows", "target", "score"} for it in told["tailnum"])
    largest, *_ = told["tailnum"]
    gap, figure = largest["calibration"]["gap"], largest["calibration"]["figure"]
    assert gap["low"] < gap["value"] < gap["high"] and figure["low"] < figure["high"]


def test_too_few_rows_have_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_group, "LEAST", 10_000)
    first, *_ = of_flights(Task.CLASSIFICATION, ["tailnum"])["fairness"]["tailnum"]
    assert first["tpr"] == {"figure": None, "gap": None}
