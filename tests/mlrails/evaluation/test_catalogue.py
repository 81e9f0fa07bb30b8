"""Every metric that can be named: scikit-learn's figures, and naive resampling's intervals."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from mlrails.core.params import Costs, Task
from mlrails.evaluation import catalogue
from mlrails.evaluation.bootstrap import draws
from mlrails.evaluation.catalogue import MORE, cost, pinball
from mlrails.evaluation.metrics import METRICS, Metric

EVENTS, NUMBERS = Task.CLASSIFICATION, Task.REGRESSION
COSTS = Costs(false_alarm=2, miss=5)
Reference = Callable[..., float]


def _youden(target: np.ndarray, called: np.ndarray, sample_weight: np.ndarray) -> float:
    balanced = reference.balanced_accuracy_score
    return float(balanced(target, called, sample_weight=sample_weight, adjusted=True))


def _cost(target: np.ndarray, called: np.ndarray, sample_weight: np.ndarray) -> float:
    (_, alarms), (missed, _) = reference.confusion_matrix(
        target, called, labels=[0, 1], sample_weight=sample_weight, normalize="all"
    )
    return float(2 * alarms + 5 * missed)


def _pinball(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
    loss = reference.mean_pinball_loss
    return float(loss(target, score, alpha=0.9, sample_weight=sample_weight))


def _median(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
    """Return the median of the rows, each as often as it was drawn."""
    often = sample_weight.astype(int)
    found = reference.median_absolute_error(np.repeat(target, often), np.repeat(score, often))
    return float(found)


def _logarithmic(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
    loss = reference.root_mean_squared_log_error
    return float(loss(target, np.maximum(score, 0), sample_weight=sample_weight))


def _share(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
    error = reference.mean_absolute_error(target, score, sample_weight=sample_weight)
    return float(error / np.average(np.abs(target), weights=sample_weight))


REFERENCES: dict[str, Reference] = {
    "average_precision": reference.average_precision_score,
    "f1": reference.f1_score,
    "youden": _youden,
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "cost": _cost,
    "median_absolute_error": _median,
    "rmsle": _logarithmic,
    "wape": _share,
    "pinball_90": _pinball,
}
NAMED = [
    *((task, metric) for task, listed in MORE.items() for metric in listed),
    (EVENTS, cost(COSTS)),
    (NUMBERS, pinball(90)),
]
IDS = [metric.name for _, metric in NAMED]


def rows_of(
    task: Task, metric: Metric, seed: int, count: int = 300, blocks: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return target, score with many ties, and block; the targets are such as the metric asks."""
    rng = np.random.default_rng(seed)
    block = np.concatenate([np.arange(blocks), rng.integers(0, blocks, count - blocks)])
    score = rng.integers(1, 10, count) / 10
    if task is EVENTS:
        target = (rng.random(count) < score).astype(float)
        target[: blocks * 2] = np.arange(blocks * 2) % 2  # events and others to every reference
        return target, (score >= 0.4).astype(float) if metric.of_calls else score, block
    target = np.round(np.abs(score * 20 + rng.normal(0, 8, count)))
    return target, score * 22 - 3, block


@pytest.mark.parametrize(("task", "metric"), NAMED, ids=IDS)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40))
def test_any_draw_is_what_scikit_learn_says_of_the_rows_as_often_as_they_were_drawn(
    task: Task, metric: Metric, seed: int, blocks: int
) -> None:
    target, score, block = rows_of(task, metric, seed, blocks=blocks)
    drawn = draws(blocks, 8, seed)
    with np.errstate(all="ignore"):
        found = metric.by_block(target, score, block)(drawn)
    for value, counts in zip(found, drawn, strict=True):
        weight = counts[block]
        seen = target[weight > 0]
        if task is EVENTS and seen.min() == seen.max():
            continue
        expected = REFERENCES[metric.name](target, score, sample_weight=weight)
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("task", "metric"), NAMED, ids=IDS)
def test_its_standard_error_is_that_of_rows_that_are_copied_out(task: Task, metric: Metric) -> None:
    """Naively: the rows of the drawn blocks one after the other, with no weight at all."""
    target, score, block = rows_of(task, metric, seed=5)
    drawn = draws(12, 60, seed=6)[1:]
    found = metric.by_block(target, score, block)(drawn)
    naive = []
    for counts in drawn:
        picked = np.concatenate(
            [np.tile(np.flatnonzero(block == it), int(often)) for it, often in enumerate(counts)]
        )
        naive.append(metric.whole(target[picked], score[picked]))
    assert np.std(found) == pytest.approx(np.std(naive), rel=1e-9)
    assert np.std(found) > 0


@pytest.mark.parametrize(("task", "metric"), NAMED, ids=IDS)
def test_it_says_which_way_is_better_where_it_ends_and_what_it_is_in(
    task: Task, metric: Metric
) -> None:
    target, score, _ = rows_of(task, metric, seed=1, count=600)
    best = target if task is NUMBERS or metric.of_calls else 0.1 + 0.8 * target
    worse = np.random.default_rng(2).permutation(score)
    values = [metric.whole(target, it) for it in (best, score, worse)]
    assert values == sorted(values, reverse=metric.higher_is_better)
    assert values[0] == (metric.most if metric.higher_is_better else metric.least)
    assert all(metric.least <= value <= metric.most for value in values)
    assert metric.unit and metric.title[0].isupper()


@pytest.mark.parametrize(
    ("task", "metric"),
    [it for it in NAMED if it[0] is NUMBERS] + [(NUMBERS, it) for it in METRICS[NUMBERS]],
    ids=lambda it: getattr(it, "name", ""),
)
def test_its_middle_is_the_constant_that_is_best_by_it(task: Task, metric: Metric) -> None:
    target, _, _ = rows_of(task, metric, seed=3, count=400)
    there = metric.middle(target)
    sign = 1 if metric.higher_is_better else -1
    at = sign * metric.whole(target, np.full(400, there))
    others = [sign * metric.whole(target, np.full(400, there + by)) for by in (-2, -1, 1, 2)]
    if metric.name == "median_absolute_error":  # the median is near the best, and easy to tell
        assert at >= max(others) - 1
    else:
        assert at >= max(others)


def test_without_an_event_there_is_no_precision_to_average() -> None:
    metric = MORE[EVENTS][0]
    found = metric.by_block(np.array([1.0, 0, 0]), np.array([0.9, 0.1, 0.2]), np.array([0, 0, 1]))
    assert np.isnan(found(np.array([[0.0, 2.0]]))[0])


def test_a_target_below_zero_has_no_logarithmic_error() -> None:
    (metric,) = (it for it in MORE[NUMBERS] if it.name == "rmsle")
    assert metric.needs is not None
    assert metric.needs(np.array([0.0, 1.0])) == ""
    assert metric.needs(np.array([-1.0, 1.0])) == "is for targets from zero on, and 1 are below it"


def test_every_metric_has_a_name_of_its_own_and_a_reference() -> None:
    for task in Task:
        names = [it.name for it in (*METRICS[task], *MORE.get(task, ()))]
        assert len(set(names)) == len(names)
    assert {metric.name for _, metric in NAMED} == set(REFERENCES)


@pytest.mark.parametrize("at_once", [1, 60, 700])
def test_average_precision_is_the_same_in_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    (metric,) = [it for it in MORE[EVENTS] if it.name == "average_precision"]
    rng = np.random.default_rng(3)
    target, score, block = rows_of(EVENTS, metric, 5)
    target[score > 0.8] = 0  # The list begins and ends with rows that are no events.
    weight, drawn = rng.random(len(block)) + 0.1, rng.integers(0, 3, (40, 12)).astype(float)
    drawn[7] = 0
    whole = metric.by_block(target, score, block, weight)(drawn)
    monkeypatch.setattr(catalogue, "_NUMBERS_AT_ONCE", at_once)
    found = metric.by_block(target, score, block, weight)(drawn)
    np.testing.assert_allclose(found, whole, rtol=1e-12)
    rows = drawn[3][block] * weight
    expected = reference.average_precision_score(target, score, sample_weight=rows)
    assert np.isnan(found[7]) and found[3] == pytest.approx(expected)
