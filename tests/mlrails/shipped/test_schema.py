"""The schema: what is known in time, and what is not."""

from flight_delays import schema


def test_every_column_is_named_once() -> None:
    assert len({column.name for column in schema.COLUMNS}) == len(schema.COLUMNS)


def test_what_is_known_only_after_the_flight_has_left_is_marked() -> None:
    leaking = {column.name for column in schema.COLUMNS if column.leaks}
    assert {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "late"} <= leaking


def test_ranges_are_ranges() -> None:
    for column in schema.COLUMNS:
        if column.minimum is not None and column.maximum is not None:
            assert column.minimum < column.maximum
