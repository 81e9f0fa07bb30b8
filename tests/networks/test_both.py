"""What the networks of both frameworks promise beside the contract of every estimator."""

import numpy as np
import pytest
from fits import fit, taught

from flight_delays import estimator as seam
from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.modeling.dataset import Labelled
from mlrails.modeling.epochs import Watch


def embeddings(network: seam.Network) -> np.ndarray:
    """Return what stands for the categories of a network that has one column of them."""
    if hasattr(network, "embeddings"):
        return next(network.embeddings.parameters()).detach().numpy()
    return network.model.get_layer("column_0").embeddings.numpy()


def test_an_unknown_category_is_scored_like_one_of_the_known() -> None:
    chance = np.random.default_rng(1)
    codes = np.repeat(np.arange(4.0), 250)
    train = Labelled(codes[:, None], 100 + codes + chance.normal(0, 0.1, 1000))
    network = taught(train, [4], learning_rate=0.01)
    *known, unknown, missing = seam.scores(network, np.array([[0.0, 1, 2, 3, 4, np.nan]]).T)
    assert known == pytest.approx([100, 101, 102, 103], abs=0.5)
    assert [unknown, missing] == pytest.approx([101.5, 101.5], abs=0.5)
    table = embeddings(network)
    np.testing.assert_allclose(table[0], table[1:].mean(axis=0), rtol=1e-4, atol=1e-6)


def test_a_missing_category_keeps_what_it_learnt_over_all_epochs() -> None:
    """It is drawn to the known ones for its scores, by a third, and not again in each epoch."""
    codes = np.append(np.repeat(np.arange(4.0), 450), np.full(200, np.nan))
    target = np.where(np.isnan(codes), 3.0, 0) + np.random.default_rng(1).normal(0, 0.1, 2000)
    strides = {"epochs": 20, "batch_size": 1024, "learning_rate": 0.01}
    network = taught(Labelled(codes[:, None], target), [4], **strides)
    (missing,) = seam.scores(network, np.array([[np.nan]]))
    assert 1.8 < missing < 2.6


def test_a_row_counts_by_its_weight(task: Task) -> None:
    """Of rows that look alike every other one is 1, and by weight one in ten."""
    target = np.tile([0.0, 1.0], 500)
    train = Labelled(np.zeros((1000, 1)), target, np.where(target > 0, 0.2, 1.8))
    strides = {"learning_rate": 0.01, "epochs": 60, "patience": 20}
    network = taught(train, [0], task, dropout=0, **strides)
    found = seam.scores(network, train.matrix[:1]).ravel()[-1]
    assert found == pytest.approx(0.1, abs=0.05)


def test_numbers_far_from_zero_keep_their_differences() -> None:
    """In 32 bits a count of seconds since 1970 knows three times in five minutes."""
    seconds = np.linspace(0, 300, 1000)
    train = Labelled(1.7e9 + seconds[:, None], 1e9 + seconds)
    found = seam.scores(taught(train, [0], learning_rate=0.01, dropout=0), train.matrix)
    assert len(np.unique(found)) > 900
    assert np.abs(found - train.target).mean() < 10


@pytest.mark.filterwarnings("error:Mean of empty slice")
@pytest.mark.filterwarnings("error:Degrees of freedom")
def test_a_column_without_any_number_is_no_reason_to_warn() -> None:
    matrix = np.column_stack([np.full(50, np.nan), np.arange(50.0)])
    network = taught(Labelled(matrix, np.arange(50.0)), [0, 0], epochs=1)
    assert np.isfinite(seam.scores(network, matrix)).all()


def test_a_loss_that_is_no_number_is_said_with_its_place() -> None:
    knobs = "lower 'estimator.learning_rate', or"
    with pytest.raises(UsageError, match=rf"the loss is (nan|inf) on .* epoch \d.*{knobs}"):
        fit(Task.REGRESSION, Watch(), learning_rate=1.0, weight_decay=1e9)
