"""Shapley values from leaves against those from every set of columns."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from mlrails.data.arrays import Matrix
from mlrails.explaining import boosted, shapley

OWNERS = np.array([0, 0, 1, 2, 3, 4])


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    rng = np.random.default_rng(1)
    found = rng.normal(size=(600, 6)).round(1)
    found[rng.random(found.shape) < 0.15] = np.nan
    return found


def fitted(matrix: Matrix, make: Any = HistGradientBoostingRegressor, **how: Any) -> Any:
    told = np.nan_to_num(matrix)
    target = told[:, 0] * told[:, 1] + np.isnan(matrix[:, 2]) + np.abs(told[:, 3]) * told[:, 4]
    if make is HistGradientBoostingClassifier:
        target = np.digitize(target, [0.0] if how.pop("two", True) else [-0.5, 0.5])
    return make(max_iter=20, max_leaf_nodes=8, random_state=0, **how).fit(matrix, target)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_leaves_give_what_every_set_of_columns_gives(matrix: Matrix, loss: str) -> None:
    estimator = fitted(matrix, loss=loss)
    leaves, typical = boosted.read(estimator), matrix[:12]
    assert leaves is not None
    for row in matrix[20:40]:
        scored = estimator.predict(np.concatenate([typical, row[None]]))
        found = boosted.shares(leaves, row, typical, OWNERS, scored)
        expected = shapley.enumerated(estimator.predict, row, typical, OWNERS)
        assert found is not None and found.drawn == 0
        np.testing.assert_allclose(found.values, expected.values, atol=1e-9)
        assert found.base + found.values.sum() == pytest.approx(found.prediction, abs=1e-9)


def test_leaves_that_say_something_else_than_the_model_are_not_believed(matrix: Matrix) -> None:
    estimator = fitted(matrix)
    leaves, typical, row = boosted.read(estimator), matrix[:8], matrix[50]
    assert leaves is not None
    scored = estimator.predict(np.concatenate([typical, row[None]]))
    assert boosted.shares(leaves, row, typical, OWNERS, np.exp(scored)) is None


def test_events_and_classes_have_no_shares_of_leaves(matrix: Matrix) -> None:
    for two in (True, False):
        estimator = fitted(matrix, HistGradientBoostingClassifier, two=two)
        assert boosted.read(estimator) is None
        assert boosted.asked(estimator) is not None


def test_other_links_splits_and_estimators_are_left_to_sampling(matrix: Matrix) -> None:
    counts = HistGradientBoostingRegressor(loss="poisson", max_iter=3)
    assert boosted.read(counts.fit(matrix, np.arange(600.0))) is None
    codes = np.abs(np.nan_to_num(matrix)).round()
    kinds = HistGradientBoostingRegressor(categorical_features=[0], max_iter=3)
    kinds.fit(codes, (codes[:, 0] % 2) + codes[:, 1])
    assert boosted.read(kinds) is None and boosted.asked(kinds) is None
    plain = LinearRegression().fit(codes, codes[:, 0])
    assert boosted.read(plain) is None and boosted.asked(plain) is None


def test_columns_that_no_tree_asks_for_are_known(matrix: Matrix) -> None:
    estimator = HistGradientBoostingRegressor(max_iter=5).fit(matrix, np.nan_to_num(matrix[:, 3]))
    asked = boosted.asked(estimator)
    assert asked is not None and 3 in asked
    flat = HistGradientBoostingRegressor(max_iter=5).fit(matrix, np.zeros(600))
    assert boosted.asked(flat).tolist() == []  # type: ignore[union-attr]
