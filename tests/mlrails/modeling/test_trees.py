"""Trees are joined where there are some; another estimator stays as it is."""

from types import SimpleNamespace

import pytest

from mlrails.modeling import trees


@pytest.mark.parametrize("estimator", [object(), SimpleNamespace(_predictors=[]), None])
def test_what_is_no_trees_is_left_alone(estimator: object) -> None:
    assert not trees.join(estimator)
