"""The rules that rows must keep, and the columns that no feature may be made of."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows
from sklearn.metrics import roc_auc_score

from flight_delays.schema import COLUMNS
from mlrails.core.errors import UsageError
from mlrails.core.layout import PARTS, Part
from mlrails.core.params import Params, Task
from mlrails.data import validation
from mlrails.data.validation import Violation

LEAKING = [column.name for column in COLUMNS if column.leaks and column.kind == "number"]


def broken() -> pd.DataFrame:
    """Return rows that break one rule of each kind."""
    frame = rows.flights().drop(columns="dest")
    frame.loc[3, "carrier"] = None
    frame.loc[[4, 5, 6, 7], "distance"] = 0.0
    frame.loc[9, "humid"] = 300.0
    frame.loc[10, "dep_delay"] = np.inf
    frame.loc[11, "arr_delay"] = np.nan
    return frame.assign(origin=1, temp="warm", flight=frame["flight"].astype(int))


def test_good_rows_have_no_violation() -> None:
    validation.check(rows.flights(), COLUMNS, "the rows", with_rows=True)
    assert validation.violations(rows.flights().head(0), COLUMNS) == []


def test_every_violation_is_listed_at_once() -> None:
    assert validation.violations(broken(), COLUMNS) == [
        Violation(
            "arr_delay", "a value is missing", 1, ((11, pytest.approx(np.nan, nan_ok=True)),)
        ),
        Violation("carrier", "a value is missing", 1, ((3, pytest.approx(np.nan, nan_ok=True)),)),
        Violation("dep_delay", "infinite", 1, ((10, np.inf),)),
        Violation("dest", "the column is missing", 0),
        Violation("distance", "less than 1", 4, ((4, 0.0), (5, 0.0), (6, 0.0))),
        Violation("flight", "the type is int64, not float64", 0),
        Violation("humid", "more than 100", 1, ((9, 300.0),)),
        Violation("origin", "the type is int64, not str", 0),
        Violation("temp", "the type is str, not float64", 0),
    ]


def test_three_rows_are_shown_on_a_laptop_and_none_in_ci() -> None:
    with pytest.raises(UsageError) as shown:
        validation.check(broken(), COLUMNS, "data/raw", with_rows=True)
    with pytest.raises(UsageError) as hidden:
        validation.check(broken(), COLUMNS, "data/raw", with_rows=False)
    line = "  column 'distance': less than 1 in 4 rows"
    assert f"{line} (row 4: 0.0, row 5: 0.0, row 6: 0.0)" in str(shown.value).splitlines()
    assert "(row 9: 300.0)" in str(shown.value)
    assert line in str(hidden.value).splitlines()
    assert not [value for value in ("row 4", "300", "inf ", "warm") if value in str(hidden.value)]


@pytest.mark.parametrize("task", Task)
def test_the_params_of_the_small_rows_hold(task: Task) -> None:
    validation.check_columns(rows.parameters(task), [*COLUMNS, rows.PUNCTUALITY])


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        ("data", {"target": "lat", "time": None}, "'data.target' names 'lat', which schema.py"),
        ("data", {"target": "lat", "time": None}, "(did you mean 'late'?)"),
        ("data", {"target": "temp", "time": None}, "'temp', a number; it takes a boolean"),
        ("data", {"target": "late", "time": "temp"}, "'temp', a number; it takes a time"),
        ("data", {"target": "late", "time": None}, "'features.calendar' needs a column in 'data."),
        ("features", {"numeric": ["tempp"]}, "'features.numeric' names 'tempp', which schema.py"),
        ("features", {"numeric": ["carrier"]}, "'carrier', a category; it takes a number or bool"),
        ("features", {"categorical": ["temp"]}, "'temp', a number; it takes a category"),
        ("features", {"categorical": ["tailnum"]}, "'tailnum', but the aircraft is swapped late"),
    ],
)
def test_a_column_in_the_wrong_place_is_refused(
    section: str, values: dict[str, Any], words: str
) -> None:
    sections: dict[str, Any] = {section: values}
    with pytest.raises(UsageError) as caught:
        validation.check_columns(rows.parameters(**sections), COLUMNS)
    assert str(caught.value).startswith("params.yaml: ")
    assert words in str(caught.value)


def with_numeric(*names: str, task: Task = Task.CLASSIFICATION) -> Params:
    return rows.parameters(task, features={"numeric": ["distance", *names]})


@pytest.mark.parametrize("name", LEAKING)
def test_a_leaking_column_is_refused_as_a_feature(name: str) -> None:
    with pytest.raises(UsageError, match=f"'features.numeric' names '{name}', but .*; take it out"):
        validation.check_columns(with_numeric(name), COLUMNS)


def test_a_target_is_refused_as_a_feature_even_without_a_mark() -> None:
    params = rows.parameters(Task.REGRESSION, data={"target": "distance", "time": None})
    params = params.model_copy(update={"features": with_numeric().features})
    with pytest.raises(UsageError, match=r"names 'distance', the target itself; take it out"):
        validation.check_columns(params, COLUMNS)


def test_without_the_mark_a_leak_would_give_an_absurdly_good_model() -> None:
    params = with_numeric("dep_delay")
    validation.check_columns(params, [replace(column, leaks=None) for column in COLUMNS])
    test = rows.parts()["test"]
    models = rows.fit(params), rows.fitted(Task.CLASSIFICATION)
    leaking, honest = (roc_auc_score(test["late"], model.scores(test)) for model in models)
    assert leaking > 0.97 > honest + 0.05


def test_a_target_of_many_classes_is_told_what_to_do() -> None:
    data = {"target": "carrier", "time": None}
    with pytest.raises(UsageError) as caught:
        validation.check_columns(
            rows.parameters(data=data, features={"numeric": ["distance"]}), COLUMNS
        )
    assert "a category, and `task: classification` tells two classes apart" in str(caught.value)
    assert "write `task: multiclass` for several, or" in str(caught.value)
    assert "as rows['is_a'] = rows['carrier'] == 'a'" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("late", "a boolean; it takes a category; two classes are `task: classification`"),
        ("arr_delay", "a number; it takes a category; a number is `task: regression`, and one"),
        ("scheduled_departure", "a time; it takes a category$"),
    ],
)
def test_a_target_of_another_kind_than_classes_is_told_its_task(name: str, words: str) -> None:
    data = {"target": name, "time": None}
    found = rows.parameters(Task.MULTICLASS, data=data, features={"numeric": ["distance"]})
    with pytest.raises(UsageError, match=words):
        validation.check_columns(found, COLUMNS)


def of_classes(**labels: list[str]) -> dict[Part, pd.DataFrame]:
    """Return parts of so many rows with these classes."""
    return {
        part: rows.parts()[part].head(len(labels[part])).assign(punctuality=labels[part])
        for part in PARTS
    }


@pytest.mark.parametrize(
    ("validation_rows", "train_rows", "words"),
    [
        (["c", "d"], ["a", "b"], "no validation row has a class of 'punctuality' that a train row"),
        (
            ["c", "d"],
            [f"{it}" for it in range(1001)],
            "has 1,001 classes, and 1,000 are told apart",
        ),
    ],
)
def test_classes_from_which_nothing_can_be_learnt_are_refused(
    validation_rows: list[str], train_rows: list[str], words: str
) -> None:
    parts = of_classes(train=train_rows, validation=validation_rows, test=["a", "b"])
    with pytest.raises(UsageError, match=words):
        validation.check_parts(parts, rows.flights(), rows.parameters(Task.MULTICLASS))


def test_classes_of_one_row_and_unknown_ones_are_no_fault() -> None:
    parts = of_classes(train=["a", "a", "b"], validation=["a", "c"], test=["d", "e"])
    for part in parts.values():
        part["wind_speed"] = 1.0
    validation.check_parts(parts, rows.flights(), rows.parameters(Task.MULTICLASS))


def test_a_time_that_may_be_missing_is_refused() -> None:
    gaps = [replace(it, nullable=it.kind == "time") for it in COLUMNS]
    with pytest.raises(UsageError, match=r"'data.time' names 'scheduled_departure', whose values"):
        validation.check_columns(rows.parameters(), gaps)


def test_a_target_that_may_be_missing_is_refused() -> None:
    data = rows.values(Task.REGRESSION)["data"] | {"target": "dewp"}
    with pytest.raises(
        UsageError, match=r"'data.target' names 'dewp', whose values may be missing"
    ):
        validation.check_columns(rows.parameters(Task.REGRESSION, data=data), COLUMNS)


def test_a_part_of_the_calendar_that_nobody_makes_is_refused_with_the_nearest() -> None:
    features = rows.values()["features"] | {"calendar": ["minute_of_dya"]}
    params, known = rows.parameters(features=features), ("minute_of_day", "day_of_week")
    with pytest.raises(UsageError, match=r"'minute_of_dya', .*did you mean 'minute_of_day'"):
        validation.check_calendar(params, known)
    validation.check_calendar(rows.parameters(), known)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"group": "tailnum"}, "'data.group' names 'tailnum', whose values may be missing"),
        ({"group": "scheduled_departur"}, "did you mean 'scheduled_departure'"),
        ({"weight": "carrier"}, "'data.weight' names 'carrier', a category; it takes a number"),
        ({"weight": "humid"}, "'data.weight' names 'humid', whose values may be missing"),
        ({"weight": "distance"}, "'features.numeric' names 'distance', the weight of rows"),
    ],
)
def test_a_group_or_a_weight_that_cannot_be_one_is_refused(
    data: dict[str, str], words: str
) -> None:
    given = rows.parameters(data=rows.values()["data"] | data)
    with pytest.raises(UsageError, match=words):
        validation.check_columns(given, COLUMNS)


def test_a_column_has_one_role() -> None:
    with pytest.raises(UsageError, match="'late' is named as target and as group"):
        rows.parameters(data=rows.values()["data"] | {"group": "late"})
