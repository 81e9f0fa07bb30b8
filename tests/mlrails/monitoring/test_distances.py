"""Counts by day, and how far days are from others, against what other libraries say of the rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlrails.monitoring import days, distances
from mlrails.monitoring.distances import Measure, Respect

RNG = np.random.default_rng(3)
DAY = np.repeat(np.arange(20), 30)
FIRST, LAST = np.array([[0, 12]]), np.array([[12, 20]])


def split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values[DAY < 12], values[DAY >= 12]


def far(column: days.Daily) -> dict[Respect, float]:
    found = distances.between([column], LAST, FIRST)[:, 0]
    named = (it.respect for it in distances.measures([column]))
    return dict(zip(named, found.tolist(), strict=True))


def test_of_a_number_it_is_kolmogorovs_and_smirnovs_distance() -> None:
    values = np.round(RNG.normal(size=600) + (DAY >= 12), 1)
    column = days.number("x", np.round(values), DAY, 20, 12)
    theirs = stats.ks_2samp(*split(np.round(values))).statistic
    assert far(column)[Respect.VALUES] == pytest.approx(theirs)
    fine = days.number("x", values, DAY, 20, 12)
    assert far(fine)[Respect.VALUES] == pytest.approx(
        stats.ks_2samp(*split(values)).statistic, abs=1 / 64
    )


def test_of_a_category_it_is_the_total_variation() -> None:
    values = pd.Series(np.where(RNG.random(600) < 0.2 + 0.3 * (DAY >= 12), "b", "a"))
    before, now = (np.mean(it == "b") for it in split(values.to_numpy()))
    assert far(days.category("x", values, DAY, 20))[Respect.VALUES] == pytest.approx(now - before)


def test_what_is_missing_and_what_repeats_have_distances_of_their_own() -> None:
    values = RNG.normal(size=600)
    values[DAY >= 12] = np.where(RNG.random(240) < 0.5, np.nan, 1.0)
    found = far(days.number("x", values, DAY, 20, 12))
    assert found[Respect.MISSING] == pytest.approx(np.mean(np.isnan(values[DAY >= 12])))
    assert found[Respect.REPEATED] == pytest.approx(1 - 1 / 30)


def test_a_number_below_all_that_was_seen_is_not_as_the_smallest() -> None:
    values = np.where(DAY < 12, 7.0, -1.0)
    assert far(days.number("x", values, DAY, 20, 12))[Respect.VALUES] == pytest.approx(1)


def test_a_run_is_told_from_what_is_left_of_a_longer_one() -> None:
    values = RNG.normal(size=600) + DAY
    column = days.number("x", values, DAY, 20, 12)
    left = distances.each_from_the_rest([column], LAST, FIRST, np.array([[0, 3]]))
    assert left[:, :1] == pytest.approx(distances.between([column], LAST, FIRST))
    later = days.number("x", np.roll(values, -90), DAY, 20, 12)  # Its first days are the last.
    last, rest = np.array([[17, 20]]), np.array([[0, 17]])
    assert left[0, 1] == pytest.approx(distances.between([later], last, rest)[0, 0], abs=0.05)


def test_rare_categories_share_a_bin() -> None:
    values = pd.Series([f"c{it}" for it in range(600)])
    column = days.category("x", values, DAY, 20)
    assert len(column.labels) == 201 and column.labels[-1] == days.OTHERS
    assert column.of(np.array([[0, 20]])).rows.tolist() == [600]


def test_days_without_rows_have_no_distance() -> None:
    column = days.number("x", np.ones(30), np.zeros(30, np.int64), 20, 12)
    assert np.isnan(distances.between([column], LAST, FIRST)).all()
    assert distances.measures([column])[0] == Measure("x", Respect.VALUES)
