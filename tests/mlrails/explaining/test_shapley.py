"""Shapley values against what is known of them, and against each other."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from mlrails.data.arrays import Matrix, Vector
from mlrails.explaining import shapley
from mlrails.explaining.shapley import MOST_SCORED, Shares

ROW = np.array([1.0, -2.0, 0.5, 3.0, 1.5])
TYPICAL = np.random.default_rng(1).normal(size=(8, 5))
OWN = np.arange(5)


def curved(rows: Matrix) -> Vector:
    """A score in which columns act together."""
    away = rows[:, 0] * rows[:, 1] + np.sin(rows[:, 2]) + rows[:, 3] * (rows[:, 4] > 0)
    found: Vector = 1 / (1 + np.exp(-away))
    return found


def by_definition(score: Callable[[Matrix], Vector], row: Vector, typical: Matrix) -> Vector:
    """Return the mean of what each column adds over all orders of the columns, one by one."""
    count = len(row)
    found = np.zeros(count)
    for order in itertools.permutations(range(count)):
        mixed = typical.copy()
        before = score(mixed).mean()
        for column in order:
            mixed[:, column] = row[column]
            after = score(mixed).mean()
            found[column] += after - before
            before = after
    return found / math.factorial(count)


def adds_up(found: Shares) -> bool:
    return math.isclose(found.base + found.values.sum(), found.prediction, abs_tol=1e-12)


def test_all_sets_give_the_mean_over_all_orders() -> None:
    found = shapley.enumerated(curved, ROW, TYPICAL, OWN)
    np.testing.assert_allclose(found.values, by_definition(curved, ROW, TYPICAL), atol=1e-12)
    assert adds_up(found) and found.drawn == 0 and not found.errors.any()
    assert found.base == pytest.approx(curved(TYPICAL).mean())


def test_drawn_orders_are_as_near_as_they_say_and_add_up_all_the_same() -> None:
    exact, off = shapley.enumerated(curved, ROW, TYPICAL, OWN), []
    for seed in range(40):
        found = shapley.sampled(curved, ROW, TYPICAL, OWN, seed, most=2_000)
        assert adds_up(found) and found.drawn > 0
        off.append((found.values - exact.values) / found.errors)
    assert 0.8 < np.sqrt(np.mean(np.square(off))) < 1.2


def test_one_order_for_each_typical_row_adds_up_too() -> None:
    found = shapley.sampled(curved, ROW, TYPICAL, OWN, 1, most=1)
    assert adds_up(found) and found.drawn == 2 * len(TYPICAL)
    assert (found.errors > 0).all()


def test_columns_that_only_add_get_their_own_part_whatever_is_drawn() -> None:
    weights = np.array([1.0, 2.0, -1.0, 0.0, 3.0])
    expected = weights * (ROW - TYPICAL.mean(axis=0))
    for found in (
        shapley.enumerated(lambda it: it @ weights, ROW, TYPICAL, OWN),
        shapley.sampled(lambda it: it @ weights, ROW, TYPICAL, OWN, 1, most=1_000),
    ):
        np.testing.assert_allclose(found.values, expected, atol=1e-12)


def test_features_of_one_raw_column_move_together() -> None:
    owners = np.array([0, 0, 1, 2, 2])
    found = shapley.enumerated(curved, ROW, TYPICAL, owners)
    drawn = shapley.sampled(curved, ROW, TYPICAL, owners, 1)
    assert len(found.values) == 3 and adds_up(found) and adds_up(drawn)
    np.testing.assert_allclose(drawn.values, found.values, atol=5 * drawn.errors.max())


def test_a_single_column_gets_all() -> None:
    owners = np.zeros(5, np.int64)
    for found in (
        shapley.enumerated(curved, ROW, TYPICAL, owners),
        shapley.sampled(curved, ROW, TYPICAL, owners, 1),
    ):
        assert found.values.tolist() == pytest.approx([found.prediction - found.base])


@pytest.mark.parametrize(("columns", "exact"), [(9, True), (10, False), (60, False)])
def test_no_more_rows_are_asked_for_than_is_said(columns: int, exact: bool) -> None:
    asked: list[int] = []

    def score(rows: Matrix) -> Vector:
        asked.append(len(rows))
        found: Vector = rows.sum(axis=1)
        return found

    typical = np.random.default_rng(2).normal(size=(32, columns))
    found = shapley.shares(score, np.ones(columns), typical, np.arange(columns), 0)
    assert (found.drawn == 0) is exact and adds_up(found)
    assert sum(asked) <= MOST_SCORED + 33


def test_rows_that_are_wide_are_given_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shapley.enumerated(curved, ROW, TYPICAL, OWN)
    largest: list[int] = []

    def score(rows: Matrix) -> Vector:
        largest.append(rows.size)
        return curved(rows)

    monkeypatch.setattr(shapley, "_CELLS", 35)
    found = shapley.enumerated(score, ROW, TYPICAL, OWN)
    assert max(largest) <= 35
    np.testing.assert_allclose(found.values, whole.values, atol=1e-12)


def test_the_same_seed_draws_the_same() -> None:
    first, again = (shapley.sampled(curved, ROW, TYPICAL, OWN, 3) for _ in range(2))
    assert first.values.tolist() == again.values.tolist()
