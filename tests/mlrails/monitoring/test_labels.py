"""Outcomes against those of the reference: each figure, and which of them is said to have moved."""

import months
import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from mlrails.core.params import Task
from mlrails.monitoring import labels, windows
from mlrails.monitoring.labels import Comparison, Ratio

DAYS = 100
ERROR = 0.01


def ratios(task: Task, target: np.ndarray, score: np.ndarray, day: np.ndarray) -> dict[str, Ratio]:
    found = labels.ratios(task, target, score, day, DAYS, float(np.mean(score)))
    return {it.name: it for it in found}


def events(
    change: float = 0.0, order: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return days, outcomes and probabilities; from day 60 on the outcomes are otherwise."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(DAYS), 80)
    odds = rng.normal(-1, 1, len(day))
    new = day >= 60
    luck = 0.3 * rng.normal(size=DAYS)[day]
    true = np.where(new, order * (odds + 1) - 1 + change, odds) + luck
    came = rng.random(len(day)) < 1 / (1 + np.exp(-true))
    return day, came.astype(float), 1 / (1 + np.exp(-odds))


def compared(change: float = 0.0, order: float = 1.0) -> Comparison:
    day, target, score = events(change, order)
    found = list(ratios(Task.CLASSIFICATION, target, score, day).values())
    on = np.arange(DAYS)
    return labels.compare(found, on < 60, on >= 60, ERROR, 1)


def moved(found: Comparison) -> set[str]:
    return {it.name for it in found.changes if it.moved}


def test_nothing_new_is_no_alarm() -> None:
    found = compared()
    assert found.alarm is False and not moved(found) and found.days == 40


def test_a_level_that_has_moved_leaves_the_order_as_it_was() -> None:
    found = compared(change=0.9)
    assert found.alarm and labels.BIAS in moved(found) and labels.RANKING not in moved(found)
    assert labels.sure(dict.fromkeys(moved(found), True))
    (bias,) = (it for it in found.changes if it.name == labels.BIAS)
    assert bias.now < bias.before  # More came than was predicted.


def test_an_order_that_is_lost_asks_for_more_than_a_new_level() -> None:
    found = compared(order=0.1)
    assert found.alarm and labels.RANKING in moved(found)
    assert not labels.sure(dict.fromkeys(moved(found), True))


def test_a_model_that_has_become_better_at_putting_rows_in_order_is_no_alarm_of_that() -> None:
    assert labels.RANKING not in moved(compared(order=2.5))


def test_few_days_tell_nothing_and_say_so() -> None:
    day, target, score = events()
    found = list(ratios(Task.CLASSIFICATION, target, score, day).values())
    on = np.arange(DAYS)
    told = labels.compare(found, on < 60, on >= DAYS - 3, ERROR, 1)
    assert told.alarm is None and "3 days" in told.why


def test_the_figures_of_events_are_scikit_learns() -> None:
    day, target, score = events()
    found = ratios(Task.CLASSIFICATION, target, score, day)
    one = day == 7
    every = np.arange(DAYS) == 7
    theirs = reference.roc_auc_score(target[one], score[one])
    assert found[labels.RANKING].of(every) == pytest.approx(theirs)
    brier = reference.brier_score_loss(target[one], score[one])
    assert found[labels.LOSS].of(every) == pytest.approx(brier)
    assert found[labels.BIAS].of(every) == pytest.approx(np.mean(score[one] - target[one]))


def test_the_figures_of_numbers_are_scipys() -> None:
    day, _, score = events()
    target = score + np.random.default_rng(1).normal(size=len(score))
    found, one, on = ratios(Task.REGRESSION, target, score, day), day == 7, np.arange(DAYS) == 7
    theirs = stats.spearmanr(target[one], score[one]).statistic
    assert found[labels.RANKING].of(on) == pytest.approx(theirs)
    assert found[labels.LOSS].of(on) == pytest.approx(np.mean(np.abs(target - score)[one]))


def test_several_classes_are_told_by_the_likeliest() -> None:
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(DAYS), 10)
    score = rng.dirichlet(np.ones(3), len(day))
    target = rng.integers(0, 3, len(day)).astype(float)
    found, one, on = ratios(Task.MULTICLASS, target, score, day), day == 7, np.arange(DAYS) == 7
    right = np.mean(score.argmax(axis=1)[one] == target[one])
    assert found[labels.RANKING].of(on) == pytest.approx(right)
    theirs = reference.log_loss(target[one], score[one], labels=[0, 1, 2])
    assert found[labels.LOSS].of(on) == pytest.approx(theirs)
    assert found[labels.BIAS].of(on) == pytest.approx(score.max(axis=1)[one].mean() - right)


def test_the_budget_of_a_year_is_shared_by_its_looks() -> None:
    rules = months.Asked(false_alarms=3).question().rules
    week = windows.plan(rules, np.full(400, 60.0), 300)
    assert (week.error + week.error_of_outcomes) * 365 / 7 == pytest.approx(3)
    rules = months.Asked(false_alarms=3).question(window="1 month").rules
    month = windows.plan(rules, np.full(400, 60.0), 300)
    assert month.length == 28
    assert (month.error + month.error_of_outcomes) * 365 / 28 == pytest.approx(3)
