"""The schema: each column once, in words that `params.yaml` may use."""

from flight_delays.features import CALENDAR
from flight_delays.schema import COLUMNS
from mlrails.data import validation

import made_up


def test_every_column_is_named_once() -> None:
    names = [column.name for column in COLUMNS]
    assert sorted(names) == sorted(set(names))


def test_ranges_are_ranges_of_numbers() -> None:
    for column in COLUMNS:
        low, high = column.minimum, column.maximum
        assert column.kind == "number" or low is high is None, column.name
        assert low is None or high is None or low < high, column.name


def test_a_column_that_leaks_says_why() -> None:
    for column in COLUMNS:
        assert column.leaks is None or column.leaks.strip(), column.name


def test_the_params_name_columns_of_a_kind_that_they_can_take() -> None:
    validation.check_columns(made_up.params(), COLUMNS)
    validation.check_calendar(made_up.params(), CALENDAR)


def test_rows_that_keep_the_schema_can_be_made() -> None:
    assert validation.violations(made_up.rows(), COLUMNS) == []
    validation.check_parts(made_up.parts(), made_up.rows(), made_up.params())
