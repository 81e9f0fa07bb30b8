"""Differences of models: which is better, how sure that is, and how many days would tell."""

import math

import numpy as np
import pytest
from scipy import stats

from mlrails.core.params import Task, Unit
from mlrails.evaluation import comparison
from mlrails.evaluation.comparison import Comparison
from mlrails.evaluation.metrics import METRICS

RMSE = METRICS[Task.REGRESSION][0]
ROWS_OF_DAY = 20


def on(days: int, draw: int = 1) -> comparison.Rows:
    """Return rows whose target is noise; `draw` is the seed that days are drawn with."""
    target = np.random.default_rng(1).normal(size=days * ROWS_OF_DAY)
    times = np.datetime64("2013-09-01") + np.repeat(np.arange(days), ROWS_OF_DAY)
    return comparison.rows(target, times, 200, draw)


def shared(days: int, deviation: float, seed: int = 2) -> np.ndarray:
    """Return what all rows of a day are off by."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(0, deviation, days), ROWS_OF_DAY)


def seen(value: float, reach: float, days: int = 60) -> Comparison:
    """Return what was seen, with an interval of two standard errors."""
    return Comparison(value, value - reach, value + reach, days, 100 * days, reach / 2)


def test_a_gain_is_above_zero_where_the_first_is_better(task: Task) -> None:
    rng = np.random.default_rng(1)
    target = (rng.random(800) < 0.5).astype(float)
    good, bad = target + rng.normal(0, 0.5, 800), target + rng.normal(0, 2, 800)
    if task is Task.MULTICLASS:  # Which takes probabilities.
        good, bad = (np.column_stack([it < 0.5, it >= 0.5]) * 0.8 + 0.1 for it in (good, bad))
    where = comparison.rows(target, None, 100, 1)
    found = comparison.gain(METRICS[task][0], good, bad, where, 0.95)
    back = comparison.gain(METRICS[task][0], bad, good, where, 0.95)
    assert 0 < found.low < found.value < found.high
    assert (back.value, back.low, back.high) == (-found.value, -found.high, -found.low)


def test_what_is_hard_for_both_falls_out() -> None:
    where = on(60)
    hard, noise = shared(60, 3), shared(60, 0.1, seed=3)
    paired = comparison.gain(RMSE, hard + noise, hard, where, 0.95)
    alone = comparison.gain(RMSE, hard + noise, where.target, where, 0.95)
    assert paired.high - paired.low < (alone.high - alone.low) / 5


def test_the_same_seed_draws_the_same_days() -> None:
    scores = shared(60, 1)
    one, again, other = (
        comparison.gain(RMSE, scores, np.zeros(len(scores)), on(60, draw=draw), 0.95)
        for draw in (1, 1, 2)
    )
    assert one == again != other
    assert one.value == other.value


def test_days_and_rows_are_counted() -> None:
    found = comparison.gain(RMSE, shared(30, 1), shared(30, 1), on(30), 0.95)
    assert (found.size, found.unit) == (30, Unit.DAY)
    assert (found.rows, found.value) == (30 * ROWS_OF_DAY, 0)


@pytest.mark.parametrize("unit", Unit)
def test_without_rows_nothing_was_seen(unit: Unit) -> None:
    times = np.empty(0, "datetime64[s]") if unit is Unit.DAY else None
    groups = np.empty(0, np.int64) if unit is Unit.GROUP else None
    found = comparison.rows(np.empty(0), times, 100, 1, groups).nothing()
    assert (found.size, found.rows, found.unit) == (0, 0, unit)


@pytest.mark.parametrize("unit", Unit)
def test_a_comparison_is_the_same_once_it_was_told_as_plain_values(unit: Unit) -> None:
    found = Comparison(0.1, 0.0, 0.2, 900 if unit is Unit.ROW else 30, 900, 0.04, unit)
    told = found.to_json()
    assert Comparison.from_json(told) == found
    assert told["days"] == (30 if unit is Unit.DAY else None)
    assert told.get("groups") == (30 if unit is Unit.GROUP else None)


def test_where_rows_carry_no_time_nothing_is_counted_in_days() -> None:
    target = np.random.default_rng(1).normal(size=900)
    where = comparison.rows(target, None, 200, 1)
    found = comparison.gain(RMSE, target + 1, target * 0, where, 0.95)
    assert (found.unit, found.rows, found.size) == (Unit.ROW, 900, 900)


def test_where_rows_carry_a_group_groups_are_counted() -> None:
    target = np.random.default_rng(1).normal(size=900)
    where = comparison.rows(target, None, 200, 1, np.arange(900) % 45)
    found = comparison.gain(RMSE, target + 1, target * 0, where, 0.95)
    assert (found.unit, found.rows, found.size) == (Unit.GROUP, 900, 45)


@pytest.mark.parametrize("side", [-1, 1])
def test_more_biased_is_further_off_on_either_side(side: int) -> None:
    where = on(60)
    found = comparison.more_biased(where.target + side, where.target - side / 2, where, 0.95)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("value", "reach", "margin", "days"),
    [
        # Twice too wide is four times the days; so that four in five decide, twice again.
        (0.0, 0.2, 0.1, 485),
        (0.0, 0.4, 0.1, 1938),
        (-0.2, 0.2, 0.1, 485),  # as far on the other side
        (0.0, 0.1, 0.1, 122),
        (-0.1, 0.2, 0.1, math.inf),
        (math.nan, math.nan, 0.1, math.inf),
        (0.0, math.nan, 0.1, math.inf),
    ],
)
def test_the_days_to_decide_grow_with_the_square(
    value: float, reach: float, margin: float, days: float
) -> None:
    assert seen(value, reach).to_decide(margin) == days


def test_so_many_days_do_decide_in_four_of_five_cases() -> None:
    """The days that are asked for put the interval on one side as often as is said."""
    rng = np.random.default_rng(1)
    margin, spread, few, holdouts = 0.1, 0.5, 30, 400

    def interval(days: int) -> Comparison:
        daily = rng.normal(0, spread, days)
        error = float(daily.std(ddof=1)) / days**0.5
        reach = float(stats.t.ppf(0.985, days - 1)) * error
        value = float(daily.mean())
        return Comparison(value, value - reach, value + reach, days, days, error)

    error = spread / few**0.5
    reach = float(stats.t.ppf(0.985, few - 1)) * error
    days = int(Comparison(0, -reach, reach, few, few, error).to_decide(margin))
    decided = sum(interval(days).low > -margin for _ in range(holdouts))
    low, high = stats.binom.ppf([0.001, 0.999], holdouts, comparison.POWER)
    assert low <= decided <= high
