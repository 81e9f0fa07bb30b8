"""Metrics: each one against scikit-learn's, on any draw of the days."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from mlrails.core.params import Task
from mlrails.evaluation import metrics
from mlrails.evaluation.bootstrap import draws

DAYS = 12
CLASSES = 4


def rest_area(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
    """Return the mean of each class's area against the rest; scikit-learn takes no zeros here."""
    areas = [
        reference.roc_auc_score(target == it, score[:, it], sample_weight=sample_weight)
        for it in range(CLASSES)
    ]
    return float(np.mean(areas))


def called(score: np.ndarray) -> np.ndarray:
    found: np.ndarray = score.argmax(axis=1)
    return found


REFERENCES: dict[tuple[Task, str] | str, Callable[..., float]] = {
    "roc_auc": reference.roc_auc_score,
    "log_loss": reference.log_loss,
    "brier": reference.brier_score_loss,
    (Task.MULTICLASS, "roc_auc"): rest_area,
    (Task.MULTICLASS, "brier"): lambda y, p, sample_weight: reference.brier_score_loss(
        y, p, sample_weight=sample_weight, scale_by_half=False
    ),
    "macro_f1": lambda y, p, sample_weight: reference.f1_score(
        y, called(p), average="macro", sample_weight=sample_weight
    ),
    "accuracy": lambda y, p, sample_weight: reference.accuracy_score(
        y, called(p), sample_weight=sample_weight
    ),
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
}
METRICS = [(task, metric) for task, listed in metrics.METRICS.items() for metric in listed]


def sample(task: Task, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return target, score with many ties, and day of 300 rows."""
    rng = np.random.default_rng(seed)
    day = np.concatenate([np.arange(DAYS), rng.integers(0, DAYS, 288)])
    score = rng.integers(1, 10, 300) / 10
    if task is Task.MULTICLASS:
        odds = rng.integers(1, 10, (300, CLASSES)).astype(float)
        chances = odds / odds.sum(axis=1, keepdims=True)
        target = (rng.random((300, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
        return target.astype(float), chances, day
    if task is Task.CLASSIFICATION:
        return (rng.random(300) < score).astype(float), score, day
    return score * 100 + rng.normal(0, 20, 300), score * 100, day


@pytest.mark.parametrize(("task", "metric"), METRICS)
def test_a_metric_is_scikit_learns_with_each_days_count_as_weight(
    task: Task, metric: metrics.Metric
) -> None:
    target, score, day = sample(task)
    drawn = draws(DAYS, 20, seed=3)
    found = metric.by_block(target, score, day)(drawn)
    expected = [
        REFERENCES.get((task, metric.name), REFERENCES.get(metric.name))(
            target, score, sample_weight=counts[day]
        )
        for counts in drawn
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("task", "metric"), METRICS)
def test_a_better_score_is_on_the_better_side(task: Task, metric: metrics.Metric) -> None:
    target, score, day = sample(task)
    worse = np.random.default_rng(2).permutation(score)
    good, bad = (metric.by_block(target, it, day)(np.ones((1, DAYS)))[0] for it in (score, worse))
    assert (good > bad) == metric.higher_is_better
    assert metric.least <= bad <= metric.most


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=40
    )
)
def test_the_area_counts_ties_as_a_half(found: list[tuple[bool, int, int]]) -> None:
    target, score, day = np.array(found, float).T
    if len(set(target)) < 2:
        return
    numbered = np.unique(day, return_inverse=True)[1]
    area = metrics.METRICS[Task.CLASSIFICATION][0].by_block(target, score, numbered)
    whole = area(np.ones((1, numbered.max() + 1)))[0]
    assert whole == pytest.approx(reference.roc_auc_score(target, score))


@pytest.mark.parametrize("far", [0.0, 1e9])
def test_r2_knows_small_differences_of_large_numbers(far: float) -> None:
    """Years, prices in cents, seconds since 1970: their squares swallow what tells them apart."""
    target, score, day = sample(Task.REGRESSION)
    r2 = metrics.METRICS[Task.REGRESSION][2]
    drawn = draws(DAYS, 20, seed=3)
    near = r2.by_block(target / 100, score / 100, day)(drawn)
    moved = r2.by_block(target / 100 + far, score / 100 + far, day)(drawn)
    np.testing.assert_allclose(moved, near, rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
@pytest.mark.parametrize("off", [0.0, 0.5])
def test_r2_of_a_target_that_never_changes_is_scikit_learns(value: float, off: float) -> None:
    target, score = np.full(30, value), np.full(30, value + off)
    r2 = metrics.METRICS[Task.REGRESSION][2]
    expected = reference.r2_score(target * 0, score - target)  # which itself sums 0.1 up to 3.0…1
    assert r2.whole(target, score) == expected
    drawn = r2.by_block(target, score, np.arange(30) % 3)(draws(3, 10, seed=1))
    assert set(drawn) == {expected}


@pytest.mark.parametrize("rule", metrics.DECISIONS)
def test_metrics_of_decisions_are_scikit_learns(rule: str) -> None:
    target, score, day = sample(Task.CLASSIFICATION)
    called = (score >= 0.4).astype(float)
    drawn = draws(DAYS, 20, seed=3)

    def expected(weight: np.ndarray) -> float:
        if rule == "f1":
            return float(reference.f1_score(target, called, sample_weight=weight))
        balanced = reference.balanced_accuracy_score
        return float(balanced(target, called, sample_weight=weight, adjusted=True))

    found = metrics.DECISIONS[rule].by_block(target, called, day)(drawn)
    np.testing.assert_allclose(found, [expected(it[day]) for it in drawn], rtol=1e-9)


def test_a_draw_without_events_has_no_area() -> None:
    target, score, day = np.array([1.0, 0.0, 0.0]), np.array([0.9, 0.1, 0.2]), np.array([0, 0, 1])
    area = metrics.METRICS[Task.CLASSIFICATION][0].by_block(target, score, day)
    assert np.isnan(area(np.array([[0.0, 2.0]]))[0])


def test_certainty_that_is_wrong_stays_a_number() -> None:
    log_loss = metrics.METRICS[Task.CLASSIFICATION][1]
    found = log_loss.by_block(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0, 0]))
    assert 30 < found(np.ones((1, 1)))[0] < 40


def test_bias_is_the_mean_prediction_minus_the_mean_target() -> None:
    target, score, day = sample(Task.REGRESSION)
    found = metrics.BIAS.by_block(target, score, day)(np.ones((1, DAYS)))[0]
    assert found == pytest.approx(score.mean() - target.mean())


def test_every_task_has_a_metric_to_compare_by() -> None:
    assert set(metrics.METRICS) == set(Task)
    named = {it[1] if isinstance(it, tuple) else it for it in REFERENCES}
    assert {metric.name for _, metric in METRICS} == named
