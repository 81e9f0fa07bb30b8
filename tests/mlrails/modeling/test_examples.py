"""The rows that a model is tried with: plausible, and nobody's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core.errors import WorldError
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


TYPICAL = 32


def made(task: Task, frame: pd.DataFrame, count: int = TYPICAL) -> examples.Typical:
    return examples.typical(frame, columns(task), count, 7, rows.fitted(task).scores)


def as_frame(found: examples.Typical) -> pd.DataFrame:
    frame = pd.DataFrame({name: [*values] for name, values in found.columns.items()})
    frame["scheduled_departure"] = pd.to_datetime(frame["scheduled_departure"])
    return frame


def test_typical_rows_are_spread_as_the_training_rows_and_none_of_them(
    task: Task, train: pd.DataFrame
) -> None:
    frame = as_frame(made(task, train))
    assert len(frame) == TYPICAL and not among(frame, rows.flights())
    for name in ("distance", "wind_speed", "temp"):
        for share in (0.25, 0.5, 0.75):
            near = train[name].quantile(share - 0.05), train[name].quantile(share + 0.05)
            assert near[0] <= frame[name].quantile(share) <= near[1], name
    for name in ("carrier", "origin", "dest"):
        off = frame[name].value_counts(normalize=True) - train[name].value_counts(normalize=True)
        assert off.abs().max() < 1.5 / TYPICAL, name
    days, hours = frame["scheduled_departure"].dt.date, frame["scheduled_departure"].dt.hour
    assert days.nunique() > TYPICAL / 2 and hours.nunique() > 10
    assert days.min() >= train["scheduled_departure"].dt.date.min()


def test_typical_rows_say_on_the_mean_what_training_rows_do(
    task: Task, train: pd.DataFrame
) -> None:
    model = rows.fitted(task)
    mean = model.scores(train).mean(axis=0)
    found = model.scores(as_frame(made(task, train))).mean(axis=0)
    assert np.abs(found - mean).max() < 0.1 * model.scores(train).std(axis=0).max()


def test_the_same_rows_and_seed_make_the_same_typical_rows(train: pd.DataFrame) -> None:
    first, again = (made(Task.REGRESSION, train).to_json() for _ in range(2))
    assert first == again


def test_a_shuffle_without_rows_of_the_data_is_taken() -> None:
    column = [Column("kind", "category"), Column("on", "boolean")]
    frame = pd.DataFrame({"kind": ["a", "b"] * 20, "on": [True, False] * 20})

    def flat(it: pd.DataFrame) -> np.ndarray:
        return np.zeros(len(it))

    found = examples.typical(frame, column, 8, 1, flat)
    pairs = {*zip(found.columns["kind"], found.columns["on"], strict=True)}
    assert len(pairs & {("a", True), ("b", False)}) < 2 or len(pairs) > 2
    one = examples.typical(frame[:1], column[:1], 8, 1, flat)
    assert one.columns["kind"] == ["a"] * 8  # Where there is no other, it is nobody's secret.


def test_missing_values_are_as_common_as_they_were() -> None:
    column = [Column(name, kind, nullable=True) for name, kind in KINDS]
    frame = pd.DataFrame(
        {
            "a": [1.25, np.nan] * 20,
            "b": ["x", None, None, None] * 10,
            "c": [None] * 40,
            "d": [pd.Timestamp("2020-02-02 10:10"), pd.NaT] * 20,
        }
    )
    found = examples.typical(frame, column, 8, 1, lambda it: np.zeros(len(it)))
    missing = {name: values.count(None) for name, values in found.columns.items()}
    assert missing == {"a": 4, "b": 6, "c": 8, "d": 4}
    assert {name: it["missing"] for name, it in found.seen.items()} == {
        "a": 0.5,
        "b": 0.75,
        "c": 1.0,
        "d": 0.5,
    }
    assert "2020-02-02T10:00:00" in found.columns["d"]
    assert found.seen["a"] == {"missing": 0.5, "low": 1.25, "high": 1.25}


KINDS: tuple[tuple[str, Any], ...] = (
    ("a", "number"),
    ("b", "category"),
    ("c", "boolean"),
    ("d", "time"),
)


def test_the_reach_of_a_column_leaves_out_its_last_thousandths(train: pd.DataFrame) -> None:
    frame = pd.DataFrame({"x": [*np.arange(10_000.0), 1e9]})
    found = examples.typical(frame, [Column("x", "number")], 8, 1, lambda it: np.zeros(len(it)))
    assert found.seen["x"] == {"missing": 0.0, "low": 10.0, "high": 9990.0}


def test_a_file_that_holds_no_typical_rows_is_named(tmp_path: Path) -> None:
    assert examples.read_typical(tmp_path) is None
    for text in ("[]", "{", '{"columns": {}}'):
        (tmp_path / examples.TYPICAL).write_text(text)
        with pytest.raises(WorldError, match=r"typical\.json: holds no typical rows"):
            examples.read_typical(tmp_path)
