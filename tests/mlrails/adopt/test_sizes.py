"""What so many rows ask for, and what a gate sees with them: formulas held against simulation."""

import numpy as np
import pytest
from scipy.stats import rankdata

from mlrails.adopt import sizes
from mlrails.core.params import Task

ROUNDS = 400


def auc(score: np.ndarray, event: np.ndarray) -> float:
    ranks, events = rankdata(score), int(event.sum())
    return float((ranks[event].sum() - events * (events + 1) / 2) / (events * (~event).sum()))


@pytest.mark.parametrize(("rows", "rate"), [(200, 0.3), (1000, 0.1)])
def test_the_error_of_an_area_is_what_simulated_rows_show(rows: int, rate: float) -> None:
    rng, event = np.random.default_rng(1), np.arange(rows) < rate * rows
    # Two normal scores one apart by .954 have an area of .75.
    found = [auc(rng.normal(size=rows) + 0.954 * event, event) for _ in range(ROUNDS)]
    # The formula is for exponential scores, and so a little more careful for these.
    assert 0.95 < sizes.auc_error(rate, rows) / np.std(found) < 1.25


def test_the_error_of_a_root_mean_square_is_what_simulated_rows_show() -> None:
    errors = np.random.default_rng(1).normal(scale=3, size=(ROUNDS, 500))
    found = np.sqrt((errors**2).mean(axis=1))
    assert sizes.rmse_error(3, 500) == pytest.approx(np.std(found), rel=0.15)


def test_the_smallest_visible_difference_is_seen_four_times_of_five() -> None:
    """Squared errors of two models agree by .9; the worse one is worse by what can be seen."""
    rng, rows = np.random.default_rng(1), 2000
    seen = sizes.sight(Task.REGRESSION, np.ones(1), 1.0, rows)
    shared = rng.normal(size=(ROUNDS, rows))
    agree = np.sqrt(sizes.AGREE)
    pair = [
        np.sqrt(agree) * shared + np.sqrt(1 - agree) * rng.normal(size=shared.shape)
        for _ in range(2)
    ]
    worse = pair[1] * (1 + seen.difference)
    gap = np.sqrt((worse**2).mean(axis=1)) - np.sqrt((pair[0] ** 2).mean(axis=1))
    power = float((gap > 2.3263 * seen.error).mean())
    assert power == pytest.approx(sizes.POWER, abs=0.1)


def test_rows_that_are_alike_count_for_fewer() -> None:
    rng, groups, size = np.random.default_rng(1), 2000, 10
    codes = np.repeat(np.arange(groups), size)
    values = rng.normal(size=groups)[codes] + rng.normal(size=groups * size)
    alike = sizes.alike(values, codes)
    assert alike == pytest.approx(0.5, abs=0.04)
    assert sizes.effective(groups * size, groups, alike) == pytest.approx(3636, rel=0.1)
    assert sizes.alike(rng.normal(size=groups * size), codes) < 0.05


@pytest.mark.parametrize(("rows", "leaf"), [(100, 3), (10_000, 33), (337_000, 194), (10**7, 200)])
def test_leaves_grow_with_the_rows(rows: int, leaf: int) -> None:
    assert sizes.estimator(rows)["min_samples_leaf"] == leaf


def test_a_small_table_gets_a_margin_that_can_be_kept_and_a_large_one_the_usual() -> None:
    shares = np.array([0.3, 0.7])

    def numbers(held: int) -> dict[str, float]:
        seen = sizes.sight(Task.CLASSIFICATION, shares, None, held)
        return dict(sizes.gate(seen, Task.CLASSIFICATION, held, held, 0.46))

    small, large = numbers(45), numbers(500_000)
    assert (small["margin"], large["margin"]) == (0.03, 0.01)
    assert (small["days"], large["days"]) == (35, 35)
    assert small["first_bias"] > large["first_bias"] == 0.1
    assert (small["slice_rows"], large["slice_rows"]) == (50, 500)
