"""The matrix: the same for a frame and a mapping, and honest about what it does not know."""

import json
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import rows

from flight_delays import features

ENCODER = features.Encoder(
    time="when",
    calendar=("minute_of_day", "day_of_week"),
    categorical=("carrier",),
    vocabularies=(("UA", "AA"),),
    numeric=("distance",),
)
ROWS: dict[str, list[Any]] = {
    "when": ["2013-01-07T00:00", "2013-01-13T23:59", None],
    "carrier": ["AA", "ZZ", None],
    "distance": [100, None, 2.5],
}
MATRIX = [[0, 0, 1, 100], [1439, 6, np.nan, np.nan], [np.nan, np.nan, np.nan, 2.5]]


def frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS | {"when": pd.to_datetime(ROWS["when"])})


def test_columns_are_made_as_counted_by_hand() -> None:
    assert ENCODER.names == ("minute_of_day", "day_of_week", "carrier", "distance")
    np.testing.assert_array_equal(ENCODER.encode(ROWS), MATRIX)


def test_a_frame_and_a_mapping_give_the_same_matrix() -> None:
    np.testing.assert_array_equal(ENCODER.encode(frame()), ENCODER.encode(ROWS))
    encoder = rows.fitted(rows.parameters().task).encoder
    flights = rows.flights()
    columns = {name: flights[name].tolist() for name in encoder.columns}
    np.testing.assert_array_equal(encoder.encode(flights), encoder.encode(columns))


def test_neither_order_nor_number_of_columns_matters() -> None:
    shuffled = frame()[["distance", "when", "carrier"]].assign(more=1, age=2)
    np.testing.assert_array_equal(ENCODER.encode(shuffled), MATRIX)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match="carrier"):
        ENCODER.encode(frame().drop(columns="carrier"))


@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_are_encoded(count: int) -> None:
    expected = np.array(MATRIX, float)[:count]
    np.testing.assert_array_equal(ENCODER.encode(frame().head(count)), expected)
    few = {name: values[:count] for name, values in ROWS.items()}
    np.testing.assert_array_equal(ENCODER.encode(few), expected)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_of_time_means_nothing(unit: Literal["s", "ms", "us", "ns"]) -> None:
    coarse = frame().assign(when=frame()["when"].dt.as_unit(unit))
    np.testing.assert_array_equal(ENCODER.encode(coarse), MATRIX)


def test_whole_numbers_are_as_good_as_fractions() -> None:
    ints = {"when": ROWS["when"][:1], "carrier": ["AA"], "distance": np.array([100], np.int32)}
    np.testing.assert_array_equal(ENCODER.encode(ints), MATRIX[:1])


def test_every_weekday_has_its_number() -> None:
    days = pd.date_range("2013-01-01", periods=14, freq="D")
    found = ENCODER.encode({"when": days, "carrier": ["AA"] * 14, "distance": [1] * 14})
    assert found[:, 1].tolist() == days.day_of_week.tolist()


def test_json_keeps_the_meaning_whatever_the_order_of_the_vocabulary() -> None:
    again = features.Encoder.from_json(json.loads(json.dumps(ENCODER.to_json(), sort_keys=True)))
    assert again == ENCODER
    assert again.vocabulary == {"carrier": ("UA", "AA")}
    np.testing.assert_array_equal(again.encode(ROWS), MATRIX)


def test_categories_are_learnt_in_alphabetical_order_without_the_missing() -> None:
    seen = {"carrier": ["UA", None, "AA", "UA", np.nan], "distance": [1.0] * 5}
    encoder = features.fit_encoder(seen, ["distance"], ["carrier"], None, [])
    assert encoder.vocabulary == {"carrier": ("AA", "UA")}
    assert encoder.columns == ("carrier", "distance")


def test_time_is_read_only_where_the_calendar_is_a_feature() -> None:
    encoder = features.fit_encoder(ROWS, ["distance"], ["carrier"], "when", [])
    assert encoder.columns == ("carrier", "distance")
    assert ENCODER.columns == ("when", "carrier", "distance")


def test_a_column_of_the_matrix_knows_its_raw_column() -> None:
    sources = [ENCODER.source(name) for name in ENCODER.names]
    assert sources == ["when", "when", "carrier", "distance"]
