"""The matrix: the same for a frame and a mapping, honest about what it does not know."""

import json

import numpy as np
import pytest

from flight_delays.features import Encoder
from flight_delays.schema import COLUMNS
from mlrails.core.imports import closure

import made_up

ENCODER = made_up.fitted().encoder
ROWS = made_up.parts()["test"][[*ENCODER.columns]]
MATRIX = ENCODER.encode(ROWS)


def test_the_matrix_has_a_row_for_each_and_a_number_for_each_name() -> None:
    assert MATRIX.shape == (len(ROWS), len(ENCODER.names))
    assert MATRIX.dtype == np.float64
    assert len(set(ENCODER.names)) == len(ENCODER.names)


def test_nothing_that_leaks_reaches_a_feature() -> None:
    leaks = {column.name: column.leaks for column in COLUMNS if column.leaks}
    named = made_up.params().features
    for name in (*named.numeric, *named.categorical, *ENCODER.columns):
        assert name not in leaks, f"{name} is among the features, but {leaks[name]}"
        assert name != made_up.params().data.target, f"{name} is the answer itself"


def test_a_column_of_the_matrix_knows_its_raw_column() -> None:
    assert {ENCODER.source(name) for name in ENCODER.names} <= {*ENCODER.columns}


def test_a_frame_and_a_mapping_give_the_same_matrix() -> None:
    columns = {str(name): column.tolist() for name, column in ROWS.items()}
    np.testing.assert_array_equal(ENCODER.encode(columns), MATRIX)


def test_neither_order_nor_number_of_columns_matters() -> None:
    turned = ROWS[sorted(ROWS.columns, reverse=True)].assign(**{"one more": 1})
    np.testing.assert_array_equal(ENCODER.encode(turned), MATRIX)


@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_are_encoded(count: int) -> None:
    np.testing.assert_array_equal(ENCODER.encode(ROWS.head(count)), MATRIX[:count])


def test_codes_are_places_in_the_vocabulary() -> None:
    for name, size in zip(ENCODER.names, ENCODER.sizes, strict=True):
        known = MATRIX[:, ENCODER.names.index(name)]
        known = known[~np.isnan(known)]
        assert not size or ((known >= 0) & (known < size) & (known % 1 == 0)).all(), name


def test_an_unknown_category_is_no_number() -> None:
    for name in ENCODER.vocabulary:
        found = ENCODER.encode({**ROWS.head(3), name: ["never seen before"] * 3})
        assert np.isnan(found[:, ENCODER.names.index(name)]).all(), name


def test_what_is_missing_is_no_number() -> None:
    gaps = ROWS.head(3).where(np.zeros((3, len(ROWS.columns)), bool))
    for name, column in zip(ENCODER.names, ENCODER.encode(gaps).T, strict=True):
        assert np.isnan(column).all(), name


def test_json_keeps_the_meaning() -> None:
    again = Encoder.from_json(json.loads(json.dumps(ENCODER.to_json(), sort_keys=True)))
    assert again == ENCODER
    np.testing.assert_array_equal(again.encode(ROWS), MATRIX)


def test_the_engine_is_not_imported() -> None:
    needed = closure(f"{made_up.PACKAGE}.features", at_once=True)
    assert [file for file in needed if file.startswith("mlrails")] == []
