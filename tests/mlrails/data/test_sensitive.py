"""Columns that never reach the model: refused as features, and kept from what a fit reads."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core.config import validated
from mlrails.core.errors import UsageError
from mlrails.core.params import FILE, Params, Task
from mlrails.data import sensitive, splits, validation
from mlrails.data.schema import Column
from mlrails.data.splits import PARTS

OLD = Column("plane_seats", "number", nullable=True)
BEYOND = (*rows.BY_NAME.values(), Column("night", "boolean", nullable=True))


def with_sensitive(asked: Any, task: Task = Task.CLASSIFICATION, **sections: Any) -> Params:
    values = rows.values(task) | sections
    return validated(Params, values | {"data": values["data"] | {"sensitive": asked}}, FILE)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["carrier"], "'features.categorical' names 'carrier', which 'data.sensitive' keeps"),
        ({"temp": [30]}, "'features.numeric' names 'temp', which 'data.sensitive' keeps"),
        (["late"], "'data.target' names 'late', which 'data.sensitive' keeps"),
        (["scheduled_departure"], "'data.time' names 'scheduled_departure', which"),
        (["flights"], r"schema.py does not know \(did you mean 'flight'\?\)"),
        (
            ["plane_seats"],
            r"'plane_seats', a number, without the edges .* `plane_seats: \[25, 45\]`",
        ),
        ({"tailnum": [3]}, "has edges for 'tailnum', a category, each of whose values is a group"),
    ],
)
def test_a_sensitive_column_in_the_wrong_place_is_refused(asked: Any, words: str) -> None:
    with pytest.raises(UsageError, match=f"params.yaml: .*{words}"):
        validation.check_columns(with_sensitive(asked), BEYOND)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("sex", r"'data.sensitive' = 'sex': write a list of columns, or their edges as \{sex"),
        ([["sex"]], "write a list of columns"),
        ({"age": [45, 25]}, "the edges of 'age' do not ascend"),
        ({"age": ["x"]}, "'data.sensitive.age.0' = 'x': input should be a valid number"),
        ({"age": [25, "x"]}, "'data.sensitive.age.1' = 'x': input should be a valid number"),
        ({"age": 25}, r"write the edges of 'age' as a list, such as \[25, 45\]"),
    ],
)
def test_what_is_no_group_is_refused_in_one_sentence(asked: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        with_sensitive(asked)


def test_training_refuses_a_sensitive_feature_as_well() -> None:
    with pytest.raises(UsageError, match=r"'carrier', which 'data.sensitive' keeps"):
        validation.check_calendar(with_sensitive(["carrier"]), ["minute_of_day", "day_of_week"])


BOUNDS = {"wider": {"tpr": 0.05}}


def test_bounds_without_a_sensitive_column_are_refused() -> None:
    gate = rows.values()["gate"] | {"fairness": BOUNDS}
    with pytest.raises(UsageError, match=r"'data.sensitive' names no column"):
        sensitive.check_bounds(with_sensitive([], gate=gate))
    sensitive.check_bounds(with_sensitive(["tailnum"], gate=gate))


@pytest.mark.parametrize(
    ("task", "words"),
    [(Task.REGRESSION, "calls nobody; bound 'calib"), (Task.MULTICLASS, "none is the one that is")],
)
def test_rates_of_calls_are_refused_where_nobody_is_called(task: Task, words: str) -> None:
    gate = rows.values(task)["gate"]
    asked = with_sensitive(["tailnum"], task, gate=gate | {"fairness": BOUNDS})
    with pytest.raises(UsageError, match=words):
        sensitive.check_bounds(asked)
    calibrated = gate | {"fairness": {"most": {"calibration": 0.05}}}
    sensitive.check_bounds(with_sensitive(["tailnum"], task, gate=calibrated))


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.MULTICLASS])
@pytest.mark.parametrize("kind", ["wider", "most"])
def test_a_bound_that_no_gap_of_shares_can_be_beyond_is_refused(task: Task, kind: str) -> None:
    def check(bound: Any, task: Task = task) -> None:
        gate = rows.values(task)["gate"] | {"fairness": {kind: {"calibration": bound}}}
        sensitive.check_bounds(with_sensitive(["tailnum"], task, gate=gate))

    stops = "stops no model"
    for bound, words in ((5, stops), (1.0, stops), (True, "input should be a number")):
        with pytest.raises(UsageError, match=f"fairness.{kind}.calibration' = .*{words}"):
            check(bound)
    check(0.99)
    check(5, Task.REGRESSION)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"wider": {"trp": 0.1}}, r"unknown key 'gate.fairness.wider.trp' \(did you mean 'tpr'"),
        ({"widest": {}}, "unknown key 'gate.fairness.widest' .*; known here: wider or most"),
        ({"wider": 0.1}, "'gate.fairness.wider' = 0.1: write its keys below it"),
        ({"wider": None}, "'gate.fairness.wider' = None: write its keys below it"),
    ],
)
def test_bounds_of_another_name_or_kind_are_told_as_keys_are(asked: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        with_sensitive(["tailnum"], gate=rows.values()["gate"] | {"fairness": asked})


def test_a_column_of_a_value_for_each_row_is_no_column_of_groups() -> None:
    params, flights = with_sensitive(["tailnum"]), rows.flights(4000)
    parts = splits.divided(flights, params, validation.needed(params))
    validation.check_parts(parts, flights, params)
    numbered = [f"N{it}" for it in range(len(parts["test"]))]
    assert len(numbered) > sensitive.MOST
    parts["test"] = parts["test"].assign(tailnum=numbered)
    with pytest.raises(UsageError, match="'tailnum', which has more than 1,000 different values"):
        validation.check_parts(parts, flights, params)


def test_groups_of_large_numbers_are_named_apart() -> None:
    params = with_sensitive({"plane_seats": [19900101, 19900102, 19900103, 2.5e7]})
    frame = pd.DataFrame({"plane_seats": [19900101.0, 19900102.0, 19900103.0, 1e8]})
    (found,) = sensitive.groups(frame, params).values()
    assert [*found] == [
        *("19900101 to 19900102", "19900102 to 19900103", "19900103 to 25000000"),
        "25000000 and over",
    ]


def test_the_rows_of_a_fit_do_not_have_the_column_and_the_test_rows_do() -> None:
    params = with_sensitive({"tailnum": [], "plane_seats": [30, 60]})
    parts = splits.divided(rows.flights(), params, validation.needed(params))
    has = {part: {"tailnum", "plane_seats"} & {*parts[part].columns} for part in PARTS}
    assert has == {"train": set(), "validation": set(), "test": {"tailnum", "plane_seats"}}
    usual = rows.parameters()
    before = splits.divided(rows.flights(), usual, validation.needed(usual))
    for part in PARTS:
        pd.testing.assert_frame_equal(parts[part][list(before[part].columns)], before[part])


def test_without_the_key_no_digest_and_no_logged_param_is_another_one() -> None:
    usual = rows.parameters().model_dump(mode="json")
    assert "sensitive" not in usual["data"] and "fairness" not in usual["gate"]
    assert "final" not in usual["split"]
    asked = with_sensitive({"plane_seats": [30]}).model_dump(mode="json")
    assert asked["data"]["sensitive"] == {"plane_seats": [30.0]}


def test_groups_are_categories_yes_and_no_and_what_lies_between_edges() -> None:
    params = with_sensitive({"tailnum": [], "night": None, "plane_seats": [30, 60.5]})
    frame = pd.DataFrame(
        {
            "tailnum": pd.Series(["a", None, "b", "a"], dtype="str"),
            "night": [True, False, None, True],
            "plane_seats": [29.9, 30, np.nan, 60.5],
        }
    )
    found = {name: list(it) for name, it in sensitive.groups(frame, params).items()}
    assert found == {
        "tailnum": ["a", None, "b", "a"],
        "night": ["yes", "no", None, "yes"],
        "plane_seats": ["under 30", "30 to 60.5", None, "60.5 and over"],
    }


@pytest.mark.parametrize(("asked", "values"), [([], [1.0, 2.0]), ([3], ["a", "b"])])
def test_a_column_that_is_of_another_kind_by_now_is_refused(asked: Any, values: Any) -> None:
    """The bounds of a base may name a column that this change has made something else of."""
    params = with_sensitive({"plane_seats": asked})
    with pytest.raises(UsageError, match="'plane_seats', and it holds others"):
        sensitive.groups(pd.DataFrame({"plane_seats": values}), params)
