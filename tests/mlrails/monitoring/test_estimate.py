"""Estimates without outcomes: right where their assumption holds, and held to what came."""

import numpy as np
import pytest

from mlrails.core.params import Task
from mlrails.evaluation.metrics import METRICS
from mlrails.monitoring import estimate

RNG = np.random.default_rng(2)
EVENTS, NUMBERS, CLASSES = (METRICS[it][0] for it in Task)


@pytest.mark.parametrize("metric", METRICS[Task.CLASSIFICATION], ids=lambda it: it.name)
def test_of_probabilities_that_are_right_the_estimate_is_what_comes(metric: object) -> None:
    score = RNG.beta(1, 3, 60_000)
    target = (RNG.random(len(score)) < score).astype(float)
    if metric.of_calls:  # type: ignore[attr-defined]
        assert not estimate.is_tenable(Task.CLASSIFICATION, metric)  # type: ignore[arg-type]
        return
    guess = estimate.estimate(Task.CLASSIFICATION, metric, score)  # type: ignore[arg-type]
    assert guess == pytest.approx(estimate.came(metric, target, score), abs=0.01)  # type: ignore[arg-type]


def test_of_several_classes_as_well() -> None:
    score = RNG.dirichlet([1, 2, 3], 60_000)
    target = (RNG.random((len(score), 1)) > score.cumsum(axis=1)).sum(axis=1).astype(float)
    metric = METRICS[Task.MULTICLASS][0]
    guess = estimate.estimate(Task.MULTICLASS, metric, score)
    assert guess == pytest.approx(estimate.came(metric, target, score), rel=0.03)


def test_a_number_tells_nothing_of_how_sure_it_is() -> None:
    metric = METRICS[Task.REGRESSION][0]
    assert not estimate.is_tenable(Task.REGRESSION, metric)
    assert np.isnan(estimate.estimate(Task.REGRESSION, metric, np.ones(5)))


def test_a_track_record_holds_estimates_against_the_mean_of_the_past() -> None:
    none = float("nan")
    found = estimate.record([0.7, 0.7, 0.6, none, 0.8], [0.7, 0.72, 0.61, 0.7, 0.79])
    assert found is not None and found.windows == 2
    assert found.off == pytest.approx((0.01 + 0.01) / 2)
    assert found.of_the_mean == pytest.approx((0.1 + (0.79 - np.mean([0.7, 0.72, 0.61, 0.7]))) / 2)
    assert found.is_better
    assert estimate.record([0.7] * 3, [0.7, none, 0.7]) is None
