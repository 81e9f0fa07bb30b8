"""Intervals: whole days are drawn, and what is drawn covers the truth as often as promised."""

import numpy as np
import pytest

from flight_delays import intervals

DAYS, ROWS_OF_DAY, TRIALS = 60, 20, 100


def test_rows_of_one_day_share_a_number() -> None:
    times = np.array(["2013-03-01T23:59", "2013-01-05T00:00", "2013-01-05T12:00"], "datetime64[m]")
    assert intervals.days(3, times).tolist() == [1, 0, 0]


def test_without_time_there_are_two_hundred_groups() -> None:
    assert len(set(intervals.days(1000, None).tolist())) == 200


def test_the_first_draw_is_the_sample_and_every_draw_has_as_many_days() -> None:
    drawn = intervals.draws(DAYS, 50, seed=1)
    assert drawn.shape == (51, DAYS)
    assert (drawn[0] == 1).all()
    assert (drawn.sum(axis=1) == DAYS).all()
    np.testing.assert_array_equal(drawn, intervals.draws(DAYS, 50, seed=1))
    assert (drawn[1:] != intervals.draws(DAYS, 50, seed=2)[1:]).any()


def test_an_interval_stands_around_the_value_of_the_sample() -> None:
    found = intervals.figure(np.array([5.0, 4.0, 6.0, 5.0]), 30, 0.9)
    assert found.value == 5.0
    assert found.low < 5.0 < found.high
    assert found.high - 5.0 == pytest.approx(5.0 - found.low)


def test_more_confidence_is_a_wider_interval() -> None:
    values = np.random.default_rng(1).normal(size=200)
    narrow, wide = (intervals.figure(values, 60, confidence) for confidence in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_an_interval_is_cut_to_what_is_possible() -> None:
    found = intervals.Figure(0.98, 0.95, 1.02).within(0, 1)
    assert found == intervals.Figure(0.98, 0.95, 1)


@pytest.mark.parametrize(
    ("values", "day_count"),
    [([5.0, 5.0, 5.0], 1), ([5.0], 60), ([np.nan, 4.0, 6.0], 60), ([5.0, np.nan, np.nan], 60)],
)
def test_where_nothing_can_be_said_there_is_no_interval(
    values: list[float], day_count: int
) -> None:
    found = intervals.figure(np.array(values), day_count, 0.95)
    assert np.isnan([found.low, found.high]).all()


def mean_interval(values: np.ndarray, block: np.ndarray, seed: int) -> intervals.Figure:
    """Return the interval of a mean when blocks of rows are drawn."""
    count = int(block.max()) + 1
    drawn = intervals.draws(count, 60, seed)
    means = (drawn @ np.bincount(block, values)) / (drawn @ np.bincount(block))
    return intervals.figure(means, count, 0.95)


def covered(block: np.ndarray) -> float:
    """Return how often the true mean, 0, is covered when rows of one day share their luck."""
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(DAYS), ROWS_OF_DAY)
    hits = 0
    for seed in range(TRIALS):
        values = rng.normal(size=DAYS)[day] + rng.normal(size=len(day))
        found = mean_interval(values, block, seed)
        hits += found.low <= 0 <= found.high
    return hits / TRIALS


def test_drawn_days_cover_the_truth_as_often_as_promised() -> None:
    assert 0.9 <= covered(np.repeat(np.arange(DAYS), ROWS_OF_DAY)) <= 0.99


def test_drawn_rows_would_be_far_too_sure() -> None:
    assert covered(np.arange(DAYS * ROWS_OF_DAY)) < 0.6
