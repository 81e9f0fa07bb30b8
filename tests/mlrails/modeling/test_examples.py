"""The rows that a model is tried with: plausible, and nobody's."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core.params import Task
from mlrails.data import validation
from mlrails.data.schema import Column
from mlrails.modeling import examples


def columns(task: Task) -> list[Column]:
    return [rows.BY_NAME[name] for name in rows.fitted(task).encoder.columns]


def among(example: pd.DataFrame, frame: pd.DataFrame) -> bool:
    """Tell whether a row of the example is a row of the frame."""
    return not example.merge(frame, on=list(example.columns)).empty


@pytest.fixture
def train() -> pd.DataFrame:
    return rows.parts()["train"]


def test_the_example_keeps_the_schema_and_is_no_row_of_the_data(
    task: Task, train: pd.DataFrame
) -> None:
    example = examples.example(train, columns(task))
    assert len(example) == 2
    assert validation.violations(example, columns(task)) == []
    assert not among(example, rows.flights())
    assert among(rows.flights().head(2)[list(example.columns)], rows.flights())


def test_the_example_is_made_of_what_is_common(task: Task, train: pd.DataFrame) -> None:
    example = examples.example(train, columns(task))
    for name in ("carrier", "origin", "dest"):
        assert example[name].tolist() == train[name].value_counts().index[:2].tolist()
    for name in ("distance", "temp", "wind_speed"):
        low, high = train[name].quantile(0.49), train[name].quantile(0.51)
        assert low <= example[name][0] <= high, name
        assert train[name].quantile(0.74) <= example[name][1] <= train[name].quantile(0.76)
    assert (example["scheduled_departure"] > train["scheduled_departure"].max()).all()
    assert example["scheduled_departure"].dt.hour[0] in range(10, 18)


def test_the_example_knows_only_categories_that_the_model_knows(
    task: Task, train: pd.DataFrame
) -> None:
    known = rows.fitted(task).encoder.vocabulary
    example = examples.example(train, columns(task))
    assert all(set(example[name]) <= set(values) for name, values in known.items())


def test_the_same_rows_in_another_order_make_the_same_example(train: pd.DataFrame) -> None:
    other = train.sample(frac=1, random_state=3)
    asked = columns(Task.REGRESSION)
    pd.testing.assert_frame_equal(examples.example(train, asked), examples.example(other, asked))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1900.0, 1973.0, 1974.0, 2010.0], [1974.0, 1983.0]),
        ([0.5, 1.0, 1.5, np.nan], [1.0, 1.2]),
        ([11.50779, 8.05546, 14.96014, 24.16638], [13.2, 17.3]),
        ([0.0, -0.0, 0.0, 0.0], [0.0, 0.0]),
        ([1 / 3, 2 / 3, 1 / 7, 0.5], [0.417, 0.542]),
        ([np.nan, np.nan], [np.nan, np.nan]),
    ],
)
def test_numbers_have_the_digits_of_their_column(values: Any, expected: Any) -> None:
    found = examples._numbers(pd.Series(values).dropna(), Column("x", "number", nullable=True))
    assert np.array_equal(found, expected, equal_nan=True)


def test_a_boolean_column_asks_for_booleans() -> None:
    frame = pd.DataFrame({"rain": [True, False, False], "x": [1.0, 2.0, 3.0]})
    example = examples.example(frame, [Column("rain", "boolean"), Column("x", "number")])
    assert example["rain"].tolist() == [False, True]


def test_what_is_typical_and_somebody_s_is_moved_a_step() -> None:
    column = Column("rooms", "number", minimum=3, maximum=4)
    frame = pd.DataFrame({"rooms": [3.0, 3.0, 3.0, 3.0]})
    assert examples.example(frame, [column])["rooms"].tolist() == [4.0, 4.0]
    kinds = [Column("a", "category"), Column("b", "category")]
    pairs = pd.DataFrame({"a": ["x", "x", "y"], "b": ["u", "u", "v"]})
    assert not among(examples.example(pairs, kinds), pairs)
    # Where the data has every pair, none of them is anybody's own.
    whole = pd.DataFrame({"a": ["x", "x", "y", "y"], "b": ["u", "v", "u", "v"]})
    assert examples.example(whole, kinds)["a"].tolist() == ["x", "y"]


def test_a_column_without_a_value_is_tried_without_one() -> None:
    frame = pd.DataFrame({"kind": pd.Series([None, None], dtype="str"), "x": [1.0, 2.0]})
    asked = [Column("kind", "category", nullable=True), Column("x", "number")]
    assert examples.example(frame, asked)["kind"].isna().all()
