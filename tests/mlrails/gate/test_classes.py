"""The gate on several classes: each of them counts, and champions may know others."""

from typing import Any

import numpy as np
import pytest
from contests import DIGESTS, bounds

from mlrails.core.params import Task
from mlrails.evaluation import metrics
from mlrails.evaluation.scored import Scored
from mlrails.gate import checks, predictions
from mlrails.gate.checks import Contest
from mlrails.gate.predictions import Given
from mlrails.gate.verdict import CHALLENGER, CHAMPION, CONSTANT, Answer, Check
from mlrails.modeling import classes

METRICS = {it.name: it for it in metrics.METRICS[Task.MULTICLASS]}
NAMES = ("early", "late", "on time")
COUNT, DAYS = 3000, 60
BOUNDS: dict[str, Any] = {
    "margin": 0.02,
    "slice_margin": 0.1,
    "bias": 0.02,
    "first_bias": 0.05,
    "calibration": 0.02,
    "decisions": 0.02,
}


def truth(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return the chances (rows, classes) of made-up rows, and what came true (rows,)."""
    rng = np.random.default_rng(seed)
    odds = np.exp(rng.normal(0, 1.5, (COUNT, 3)))
    chances = odds / odds.sum(axis=1, keepdims=True)
    target = (rng.random((COUNT, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return chances, target.astype(float)


def met(target: np.ndarray, scores: dict[str, np.ndarray], calls: Any = None) -> Contest:
    mix = np.tile(classes.indicator(target, 3).mean(axis=0), (COUNT, 1))
    times = np.datetime64("2013-09-01") + (np.arange(COUNT) % DAYS).astype("timedelta64[D]")
    called = {
        role: classes.indicator(classes.likeliest(it).astype(float), 3)
        for role, it in scores.items()
    }
    given = {CONSTANT: mix, **scores}
    scored = Scored(target, times, given, calls=called | (calls or {}), classes=NAMES)
    halves = {"half": np.where(np.arange(COUNT) % 2, "odd", "even")}
    decision = METRICS["macro_f1"]
    return Contest(Task.MULTICLASS, scored, halves, 1, decision)


def judged(found: Contest, **what: Any) -> tuple[Answer, dict[str, Check]]:
    champion = DIGESTS[1] if CHAMPION in found.scored.scores else ""
    verdict = checks.judge(found, bounds(**BOUNDS | what), [], (DIGESTS[0], champion))
    return verdict.answer, {it.name: it for it in verdict.checks}


def shifted(chances: np.ndarray, place: int, by: float) -> np.ndarray:
    """Give a class more, and the others less."""
    found = chances.copy()
    found[:, place] += by
    return found / found.sum(axis=1, keepdims=True)


def test_a_first_model_that_knows_the_chances_is_promoted() -> None:
    chances, target = truth()
    answer, found = judged(met(target, {CHALLENGER: chances}), floors={"macro_f1": 0.4})
    assert answer is Answer.PROMOTE
    assert list(found) == [
        "better than a constant in log_loss",
        "better than a constant in roc_auc",
        "better than a constant in brier",
        "floor of macro_f1",
        "mean prediction",
    ]


def test_the_same_model_again_is_no_worse_in_anything() -> None:
    chances, target = truth()
    answer, found = judged(met(target, {CHALLENGER: chances, CHAMPION: chances}))
    assert answer is Answer.PROMOTE
    assert {"calibration", "decisions", "mean prediction", "no slice worse"} <= set(found)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("by", [0.15, -0.09])
def test_a_class_that_is_predicted_too_often_is_named(place: int, by: float) -> None:
    chances, target = truth()
    wrong = np.maximum(shifted(chances, place, by), 1e-6)
    wrong /= wrong.sum(axis=1, keepdims=True)
    _, first = judged(met(target, {CHALLENGER: wrong}), first_bias=0.005)
    assert first["mean prediction"].passed is False
    _, found = judged(met(target, {CHALLENGER: wrong, CHAMPION: chances}), bias=0.005)
    assert found["mean prediction"].passed is False
    assert "class '" in found["mean prediction"].reason


def test_a_bound_on_the_mean_of_all_classes_would_not_see_one_of_them() -> None:
    """Probabilities add up to one, so what their mean is off is nothing at any time."""
    chances, target = truth()
    wrong = shifted(chances, 1, 0.3)
    whole = classes.indicator(target, 3)
    assert abs((wrong - whole).mean()) < 1e-12
    assert judged(met(target, {CHALLENGER: wrong}))[1]["mean prediction"].passed is False


def test_probabilities_that_are_worse_fail_by_the_brier_score_of_all_classes() -> None:
    chances, target = truth()
    sure = chances**4 / (chances**4).sum(axis=1, keepdims=True)
    _, found = judged(met(target, {CHALLENGER: sure, CHAMPION: chances}), margin=9, bias=1)
    assert found["calibration"].passed is False
    whole = classes.indicator(target, 3).mean(axis=0)
    spread = float(np.sum(whole * (1 - whole)))
    assert found["calibration"].bound == pytest.approx(-0.02 * spread)


def test_decisions_are_judged_by_what_callers_get() -> None:
    chances, target = truth()
    other = {CHALLENGER: classes.indicator(np.ones(COUNT), 3)}
    _, found = judged(met(target, {CHALLENGER: chances, CHAMPION: chances}, other))
    assert found["decisions"].passed is False
    assert judged(met(target, {CHALLENGER: chances, CHAMPION: chances}))[1]["decisions"].passed


def test_rows_of_one_class_judge_nobody() -> None:
    chances, _ = truth()
    answer, found = judged(met(np.zeros(COUNT), {CHALLENGER: chances}))
    assert answer is Answer.UNDECIDED
    assert {it.passed for it in found.values()} == {None}


def test_a_champion_of_other_classes_is_laid_out_on_all_of_them() -> None:
    ours = Given(np.array([[0.2, 0.8]]), np.array([[0.0, 1.0]]), ("a", "c"))
    theirs = Given(np.array([[0.6, 0.4]]), np.array([[1.0, 0.0]]), ("b", "a"))
    every = predictions.classes(Task.MULTICLASS, [ours, theirs])
    assert every == ("a", "b", "c")
    assert ours.on(every).scores.tolist() == [[0.2, 0.0, 0.8]]
    assert theirs.on(every).scores.tolist() == [[0.4, 0.6, 0.0]]
    assert theirs.on(every).calls.tolist() == [[0.0, 1.0, 0.0]]
