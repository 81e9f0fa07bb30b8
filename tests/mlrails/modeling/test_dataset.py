"""What is seen of the training rows beforehand: their units, and what is not among them."""

import numpy as np
import pytest

from mlrails.modeling.dataset import Labelled, units, unknown

NAN = np.nan


def test_units_are_means_and_deviations_of_what_is_there() -> None:
    values = np.array([[1.0, 10.0], [3.0, NAN], [NAN, 30.0], [8.0, 20.0]])
    center, spread = units(values)
    np.testing.assert_allclose(center, [4, 20])
    np.testing.assert_allclose(spread, np.nanstd(values, axis=0))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [NAN, 0.0, 0.1, 1.7e9, -1e-9])
def test_a_column_that_says_nothing_is_left_as_it_is(value: float) -> None:
    center, spread = units(np.full((7, 1), value))
    np.testing.assert_allclose(center, np.nan_to_num(value))
    assert spread == 1


def test_a_column_that_never_changes_is_left_as_it_is_however_many_rows_lie_side_by_side() -> None:
    values = np.full((1_000_000, 2), 0.1)
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(units(values).spread, 1)


def test_seconds_since_1970_keep_their_differences() -> None:
    (center,), (spread,) = units(1.7e9 + np.arange(300.0)[:, None])
    assert center == 1.7e9 + 149.5
    assert spread == pytest.approx(np.arange(300).std())


def test_an_unknown_category_is_the_known_ones_as_often_as_they_are_there() -> None:
    np.testing.assert_allclose(unknown(np.array([0.0, 2, 2, 0, 2]), 3), [0, 0.4, 0, 0.6])
    np.testing.assert_allclose(unknown(np.array([0.0, -1, 2]), 2), [2 / 102, 100 / 102, 0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("missing", "own"), [(1, 0.01), (100, 0.5), (10_000, 0.99)])
def test_it_is_its_own_the_more_rows_it_learns_from(missing: int, own: float) -> None:
    shares = unknown(np.append(np.full(missing, NAN), [0.0, 1]), 2)
    assert shares[0] == pytest.approx(own, rel=0.03)
    assert shares[1] == shares[2]
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("weight", [None, np.array([0.5, 1.5])])
def test_a_network_learns_from_units_that_are_rounded_last(weight: np.ndarray | None) -> None:
    """Seconds since 1970 in 32 bits are two minutes apart; their distance from the mean is not."""
    rows = Labelled(np.array([[1e9], [NAN]]), np.array([1.7e9, 1.7e9 + 1]), weight)
    matrix, target, *weights = rows.in_units(np.array([1.7e9]), np.array([2.0]))
    assert matrix is rows.matrix
    np.testing.assert_array_equal(target, np.array([0, 0.5], np.float32))
    assert [it.tolist() for it in weights] == ([] if weight is None else [[0.5, 1.5]])
    assert {it.dtype for it in (target, *weights)} == {np.dtype("f4")}
