"""Intervals: whole blocks are drawn, and what is drawn covers the truth as often as promised."""

from typing import Any

import numpy as np
import pytest

from mlrails.core.params import Unit
from mlrails.evaluation import bootstrap

DAYS, ROWS_OF_DAY, TRIALS = 60, 20, 100


def test_rows_of_one_day_share_a_number() -> None:
    times = np.array(["2013-03-01T23:59", "2013-01-05T00:00", "2013-01-05T12:00"], "datetime64[m]")
    (found,) = bootstrap.sample(3, times, 10, seed=1).kinds
    assert (found.unit, found.of_row.tolist()) == (Unit.DAY, [1, 0, 0])


def test_rows_alone_are_dealt_to_two_hundred_blocks_of_one_size_in_no_order() -> None:
    (found,) = bootstrap.sample(1000, None, 10, seed=1).kinds
    assert (found.unit, found.units, found.count) == (Unit.ROW, 1000, 200)
    assert set(np.bincount(found.of_row)) == {5}
    assert np.abs(np.corrcoef(found.of_row, np.arange(1000))[0, 1]) < 0.1
    (again,) = bootstrap.sample(1000, None, 10, seed=1).kinds
    np.testing.assert_array_equal(found.of_row, again.of_row)


@pytest.mark.parametrize(("groups", "blocks"), [(5, 5), (200, 200), (731, 200)])
def test_rows_of_one_group_are_in_one_block(groups: int, blocks: int) -> None:
    group = np.random.default_rng(1).integers(0, groups, 3000) * 7
    (found,) = bootstrap.sample(3000, None, 10, seed=1, groups=group).kinds
    there = len(set(group.tolist()))
    assert (found.unit, found.units, found.count) == (Unit.GROUP, there, min(there, blocks))
    pairs = set(zip(group.tolist(), found.of_row.tolist(), strict=True))
    assert len(pairs) == there and {block for _, block in pairs} == set(range(found.count))


def test_where_rows_have_a_day_and_a_group_the_wider_interval_counts() -> None:
    rng = np.random.default_rng(1)
    day, group = (rng.integers(0, 60, 2400) for _ in range(2))
    times = np.datetime64("2013-01-01") + day.astype("timedelta64[D]")
    on = bootstrap.sample(2400, times, 200, seed=1, groups=group)
    for unit, of in ((Unit.DAY, day), (Unit.GROUP, group)):
        shared = rng.normal(size=60)[of] + rng.normal(size=2400)

        def mean(block: np.ndarray, shared: np.ndarray = shared) -> Any:
            return lambda drawn: (drawn @ np.bincount(block, shared)) / (drawn @ np.bincount(block))

        values = on.values(mean)
        found, alone = on.paired(values, 0.95), on.alone(values, 0.95)
        assert found.blocks.unit is unit
        assert found.figure.width > 3 * 1.4 / 2400**0.5
        assert alone.width == pytest.approx(found.figure.width, rel=0.3)


def test_the_first_draw_is_the_sample_and_every_draw_has_as_many_days() -> None:
    drawn = bootstrap.draws(DAYS, 50, seed=1)
    assert drawn.shape == (51, DAYS)
    assert (drawn[0] == 1).all()
    assert (drawn.sum(axis=1) == DAYS).all()
    np.testing.assert_array_equal(drawn, bootstrap.draws(DAYS, 50, seed=1))
    assert (drawn[1:] != bootstrap.draws(DAYS, 50, seed=2)[1:]).any()


def test_an_interval_stands_around_the_value_of_the_sample() -> None:
    found = bootstrap.figure(np.array([5.0, 4.0, 6.0, 5.0]), 30, 0.9)
    assert found.value == 5.0
    assert found.low < 5.0 < found.high
    assert found.high - 5.0 == pytest.approx(5.0 - found.low)


def test_more_confidence_is_a_wider_interval() -> None:
    values = np.random.default_rng(1).normal(size=200)
    narrow, wide = (bootstrap.figure(values, 60, confidence) for confidence in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_an_interval_is_cut_to_what_is_possible() -> None:
    found = bootstrap.Figure(0.98, 0.95, 1.02).within(0, 1)
    assert found == bootstrap.Figure(0.98, 0.95, 1)


@pytest.mark.parametrize(
    ("values", "day_count"),
    [([5.0, 5.0, 5.0], 1), ([5.0], 60), ([np.nan, 4.0, 6.0], 60), ([5.0, np.nan, np.nan], 60)],
)
def test_where_nothing_can_be_said_there_is_no_interval(
    values: list[float], day_count: int
) -> None:
    found = bootstrap.figure(np.array(values), day_count, 0.95)
    assert np.isnan([found.low, found.high]).all()


def test_a_sample_begins_with_itself_then_each_day_left_out_then_the_draws() -> None:
    times = np.datetime64("2013-01-01") + np.arange(63)
    (found,) = bootstrap.sample(63, times, 50, seed=1, weekly=True).kinds
    assert found.weights.shape == (1 + 63 + 50 + 50, 63)
    assert (found.weights[0] == 1).all()
    np.testing.assert_array_equal(found.weights[1:64], 1 - np.eye(63))
    of_weeks = found.weights[114:].reshape(50, 9, 7)
    assert found.weeks == 9 and (of_weeks == of_weeks[:, :, :1]).all()
    (without,) = bootstrap.sample(63, None, 50, seed=1, weekly=True).kinds
    assert without.weights.shape == (51, 63)
    (few,) = bootstrap.sample(40, times[:40], 50, seed=1, weekly=True).kinds
    assert (few.weeks, len(few.weights)) == (0, 91)


def alike(days: int, by: float, seed: int) -> np.ndarray:
    """Return an AR(1) process of deviation 1."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=days)
    for day in range(1, days):
        values[day] = by * values[day - 1] + np.sqrt(1 - by**2) * values[day]
    return values


def mean_values(on: bootstrap.Sample, daily: np.ndarray) -> np.ndarray:
    """Return the mean of daily values, one row a day, at each of a sample's weights."""
    (days,) = on.kinds
    found: np.ndarray = days.weights @ daily / days.weights.sum(axis=1)
    return found


@pytest.mark.parametrize(("by", "expected"), [(0.0, 1.0), (0.5, np.sqrt(3)), (-0.5, 1.0)])
def test_days_that_are_alike_widen_an_interval_by_what_they_are_worth(
    by: float, expected: float
) -> None:
    found = np.mean([bootstrap.stretch(alike(400, by, seed)) for seed in range(40)])
    assert found == pytest.approx(expected, rel=0.06)


def test_days_that_are_all_the_same_widen_nothing() -> None:
    assert bootstrap.stretch(np.zeros(30)) == bootstrap.stretch(np.full(30, np.nan)) == 1


def coverage(by: float, kind: str) -> float:
    """Return how often an interval of the kind covers the true mean of days that are alike."""
    times, hits = np.datetime64("2013-01-01") + np.arange(DAYS), 0
    for seed in range(2 * TRIALS):
        on = bootstrap.sample(DAYS, times, 100, seed, weekly=True)
        values = mean_values(on, alike(DAYS, by, seed))
        found = on.alone(values, 0.95) if kind == "alone" else on.paired(values, 0.95).figure
        hits += found.low <= 0 <= found.high
    return hits / (2 * TRIALS)


@pytest.mark.parametrize("kind", ["paired", "alone"])
def test_days_that_are_alike_are_covered_nearly_as_often_as_promised(kind: str) -> None:
    assert coverage(0.5, kind) >= 0.88
    assert 0.92 <= coverage(0.0, kind) <= 0.99


def test_taken_for_independent_they_would_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "stretch", lambda added: 1.0)
    monkeypatch.setattr(bootstrap, "_LEAST_WEEKS", 99)
    assert max(coverage(0.5, kind) for kind in ("paired", "alone")) < 0.84


def test_one_figure_has_the_wider_of_the_intervals_of_days_and_of_weeks() -> None:
    times = np.datetime64("2013-01-01") + np.arange(63)
    on = bootstrap.sample(63, times, 200, seed=1, weekly=True)
    weekly = np.repeat(np.random.default_rng(1).normal(size=9), 7)
    balanced = np.tile([1.0, -1, 1, -1, 1, -1, 0], 9)
    for daily, wider in ((weekly, True), (balanced, False)):
        values = mean_values(on, daily)
        found = on.alone(values, 0.95)
        of_days = bootstrap.figure(np.append(values[0], values[64:264]), 63, 0.95)
        assert (found.high - found.low > of_days.high - of_days.low) is wider


def mean_interval(values: np.ndarray, block: np.ndarray, seed: int) -> bootstrap.Figure:
    """Return the interval of a mean when blocks of rows are drawn."""
    count = int(block.max()) + 1
    drawn = bootstrap.draws(count, 60, seed)
    means = (drawn @ np.bincount(block, values)) / (drawn @ np.bincount(block))
    return bootstrap.figure(means, count, 0.95)


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


def test_draws_are_made_once_and_nobody_writes_into_them() -> None:
    drawn = bootstrap.draws(DAYS, 50, seed=1)
    assert bootstrap.draws(DAYS, 50, seed=1) is drawn
    with pytest.raises(ValueError, match="read-only"):
        drawn[0, 0] = 2


def test_days_before_and_after_an_empty_one_have_numbers_without_a_gap() -> None:
    days = ["1969-12-30", "1970-01-08", "1969-12-31", "1970-01-08"]
    times = np.array(days, "datetime64[D]").astype("datetime64[ns]")
    (blocks,) = bootstrap.sample(4, times, 10, 1).kinds
    assert blocks.of_row.tolist() == [0, 2, 1, 2]
    assert blocks.weights.shape == (1 + 3 + 10, 3)
