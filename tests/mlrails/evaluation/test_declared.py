"""Metrics of a project's own: intervals as the engine's, and each fault in one sentence."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from mlrails.core.errors import UsageError
from mlrails.core.params import Evaluation, Task
from mlrails.evaluation import declared, selection
from mlrails.evaluation.bootstrap import draws
from mlrails.evaluation.metrics import METRICS, Metric
from mlrails.evaluation.own import OwnMetric, mean_of, of_rows

RNG = np.random.default_rng(1)
TARGET = np.round(RNG.normal(20, 10, 240))
SCORE = np.round(TARGET + RNG.normal(0, 5, 240))
BLOCK = np.arange(240) % 12


def made(own: OwnMetric) -> Metric:
    (metric,) = declared.metrics([own], (), Task.CLASSIFICATION)
    return metric


def squared(target: np.ndarray, score: np.ndarray) -> np.ndarray:
    return (target - score) ** 2


def rmse(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
    return float(np.sqrt(np.average((target - score) ** 2, weights=sample_weight)))


def test_a_mean_of_losses_and_a_function_of_rows_are_the_engines_own_on_any_draw() -> None:
    usual = METRICS[Task.REGRESSION][0].by_block(TARGET, SCORE, BLOCK)(drawn := draws(12, 30, 2))
    mean = made(mean_of("square", "Square", squared, higher_is_better=False))
    rows = made(of_rows("root", "Root", rmse, higher_is_better=False))
    np.testing.assert_allclose(np.sqrt(mean.by_block(TARGET, SCORE, BLOCK)(drawn)), usual)
    np.testing.assert_allclose(rows.by_block(TARGET, SCORE, BLOCK)(drawn), usual)


def test_weights_of_rows_count_beside_the_draws() -> None:
    weight = np.random.default_rng(3).uniform(0.5, 2, 240)
    drawn = draws(12, 10, 2)
    usual = METRICS[Task.REGRESSION][0].by_block(TARGET, SCORE, BLOCK, weight)(drawn)
    rows = made(of_rows("root", "Root", rmse, higher_is_better=False))
    np.testing.assert_allclose(rows.by_block(TARGET, SCORE, BLOCK, weight)(drawn), usual)


def test_a_metric_of_scikit_learn_needs_one_line() -> None:
    own = of_rows(
        *("mcc", "Matthews correlation", reference.matthews_corrcoef),
        higher_is_better=True,
        least=-1,
        most=1,
        of_calls=True,
    )
    target, called = (TARGET > 20) * 1.0, (SCORE > 18) * 1.0
    metric = made(own)
    declared.check(metric, target, called, 100)
    assert metric.whole(target, called) == reference.matthews_corrcoef(target, called)
    assert (metric.least, metric.most, metric.of_calls) == (-1, 1, True)


def test_it_is_told_with_the_others_and_can_be_the_one_that_counts() -> None:
    own = [mean_of("square", "Square", squared, higher_is_better=False)]
    rules = Evaluation(confidence=0.95, resamples=200)
    names = [it.name for it in selection.told(Task.REGRESSION, rules, own)]
    assert names == ["rmse", "mae", "r2", "square"]
    chosen = Evaluation(confidence=0.95, resamples=200, primary="square")
    assert selection.told(Task.REGRESSION, chosen, own)[0].name == "square"
    with pytest.raises(UsageError, match=r"known: .*square"):
        selection.named("squares", "'x'", Task.REGRESSION, rules, own)


def _raises(target: np.ndarray, score: np.ndarray, **weights: Any) -> Any:
    raise ValueError(f"the first target is {target[0]}")


def _counter() -> Callable[..., Any]:
    calls: list[int] = []

    def function(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
        calls.append(1)
        return float(len(calls))

    return function


def _unweighted(target: np.ndarray, score: np.ndarray, sample_weight: np.ndarray) -> float:
    return float(np.mean((target - score) ** 2))


FAULTS: dict[str, tuple[bool, Callable[..., Any], str]] = {
    "raises": (True, _raises, r"raises ValueError in line \d+ \(`raise ValueError"),
    "raises for rows": (False, _raises, r"raises ValueError in line \d+ \(`raise ValueError"),
    "lacks weights": (False, lambda y, p: 1.0, r"raises TypeError; it is called as function\("),
    "one for all": (True, lambda y, p: 1.0, r"gives an array of shape \(\) for 240 rows; give one"),
    "too few": (True, lambda y, p: y[1:] - p[1:], r"gives an array of shape \(239,\) for 240 rows"),
    "words": (True, lambda y, p: ["a"] * len(y), "gives list, which is no number"),
    "none": (False, lambda y, p, sample_weight: None, "is nan for 240 rows; a number is needed"),
    "gaps": (
        True,
        lambda y, p: np.where(y > 20, np.nan, 1),
        r"gives no number for \d+ of 240 rows",
    ),
    "many": (False, lambda y, p, sample_weight: y, r"gives an array of shape \(240,\); give one"),
    "infinite": (False, lambda y, p, sample_weight: np.inf, "is inf for 240 rows"),
    "chance": (False, _counter(), "gives another number the second time; make it deterministic"),
    "unweighted": (False, _unweighted, "a row of weight 2 does not count as two rows; use"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_that_names_the_file_and_the_metric(fault: str) -> None:
    by_row, function, words = FAULTS[fault]
    declare = mean_of if by_row else of_rows
    metric = made(declare("mine", "Mine", function, higher_is_better=False))
    with pytest.raises(UsageError, match=rf"^metrics\.py: mine: {words}") as told:
        declared.check(metric, TARGET, SCORE, 100)
    assert "\n" not in str(told.value)
    assert not re.search(rf"target is {TARGET[0]}", str(told.value))  # no value of a row


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ([squared], r"METRICS holds function; make each with `mean_of` or `of_rows`"),
        ([mean_of("Late share", "", squared, higher_is_better=False)], "'Late share' is no name"),
        ([mean_of("rmse", "", squared, higher_is_better=False)], "rmse: there is a metric of that"),
        ([mean_of("a", "", squared, higher_is_better=False)] * 2, "a: there is a metric of that"),
        (
            [mean_of("a", "", squared, higher_is_better=False, of_calls=True)],
            "a: is of calls, and regression makes none",
        ),
        ([mean_of("cost", "", squared, higher_is_better=False)], "cost: there is a metric of that"),
    ],
)
def test_a_declaration_that_cannot_be_told_apart_is_refused(own: list[Any], words: str) -> None:
    rules = Evaluation(confidence=0.95, resamples=200)
    with pytest.raises(UsageError, match=rf"^metrics\.py: {words}"):
        selection.told(Task.REGRESSION, rules, own)


@pytest.mark.parametrize("seconds", [0.01, 0.5])
def test_who_is_slow_is_told_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: float
) -> None:
    clock = iter([0.0, seconds])
    monkeypatch.setattr(declared, "process_time", lambda: next(clock))
    metric = made(of_rows("root", "Root", rmse, higher_is_better=False))
    declared.check(metric, TARGET, SCORE, 1000)
    told = capsys.readouterr().err
    assert ("metrics.py: root: its interval takes about 83 minutes on 240 rows" in told) == (
        seconds > 0.1
    )


def test_rows_of_one_outcome_say_nothing_of_a_metric() -> None:
    metric = made(of_rows("mine", "Mine", FAULTS["infinite"][1], higher_is_better=False))
    declared.check(metric, np.zeros(5), SCORE[:5], 100)


def test_nobody_can_change_the_rows_under_the_others() -> None:
    def careless(target: np.ndarray, score: np.ndarray) -> np.ndarray:
        target -= score
        return np.abs(target)

    before = TARGET.copy()
    metric = made(mean_of("mine", "Mine", careless, higher_is_better=False))
    declared.check(metric, TARGET, SCORE, 100)
    np.testing.assert_array_equal(TARGET, before)
