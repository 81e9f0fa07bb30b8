"""What the gate looks at, from the scores of made-up models to a verdict."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from flight_delays import comparison, gate
from flight_delays.checks import Contest, judge
from flight_delays.gate import CHALLENGER, CHAMPION, Answer
from flight_delays.task import Task

from contests import DIGESTS, bounds, contest, of_scores

NO_WORSE, NO_SLICE = "no worse than the champion", "no slice worse"
ANCHOR = "no worse than the best champion"


def judged(met: Contest, **what: Any) -> gate.Verdict:
    """Return the verdict, of which every one can be written as JSON."""
    rivals = CHAMPION in met.scored.scores
    names = DIGESTS if rivals else (DIGESTS[0], "")
    found = judge(met, bounds(**what), [], names)
    json.dumps(found.to_json("here", "main"), allow_nan=False)
    return found


def check(found: gate.Verdict, name: str) -> gate.Check:
    (it,) = (it for it in found.checks if it.name == name)
    return it


def duel(challenger: float, champion: float, **shape: int) -> Contest:
    return contest({CHALLENGER: challenger, CHAMPION: champion}, **shape)


@pytest.mark.parametrize(
    ("challenger", "answer"),
    [(1.0, Answer.PROMOTE), (2.0, Answer.PROMOTE), (2.4, Answer.PROMOTE), (2.7, Answer.REJECT)],
)
def test_a_loss_beyond_the_margin_is_rejected(challenger: float, answer: Answer) -> None:
    found = judged(duel(challenger, 2.0))
    assert found.answer is answer
    assert check(found, NO_WORSE).passed is (answer is Answer.PROMOTE)
    assert (found.challenger, found.champion) == DIGESTS


def test_a_loss_about_as_large_as_the_margin_is_undecided() -> None:
    found = judged(duel(2.5, 2.0))
    assert found.answer is Answer.UNDECIDED
    assert "would decide" in check(found, NO_WORSE).reason


def test_too_few_days_are_undecided() -> None:
    found = judged(duel(2.0, 2.0, days=10))
    assert found.answer is Answer.UNDECIDED
    reason = check(found, NO_WORSE).reason
    assert "10 days (400 rows) only" in reason and "20 days are needed, about 800 rows" in reason


@pytest.mark.parametrize("rows_of_day", [1, 40])
def test_one_day_is_undecided(rows_of_day: int) -> None:
    found = judged(duel(2.0, 2.0, days=1, rows_of_day=rows_of_day), floors={"rmse": 5})
    assert found.answer is Answer.UNDECIDED


def test_no_rows_are_undecided(task: Task) -> None:
    none = np.empty(0)
    names = (gate.CONSTANT, CHALLENGER, CHAMPION, gate.BEST)
    found = judged(of_scores(none, dict.fromkeys(names, none), 0, task), floors={"r2": 0.5})
    assert found.answer is Answer.UNDECIDED
    assert [it.name for it in found.checks] == [NO_WORSE, ANCHOR]
    assert found.differences == {}


def test_one_outcome_only_is_undecided() -> None:
    target, scores = np.zeros(800), np.random.default_rng(1).random(800)
    names = (gate.CONSTANT, CHALLENGER, CHAMPION)
    known = dict.fromkeys(names, scores) | {gate.CONSTANT: np.ones(800)}
    met = of_scores(target, known, task=Task.CLASSIFICATION)
    found = judged(met, floors={"roc_auc": 0.6})
    assert found.answer is Answer.UNDECIDED
    assert check(found, "floor of roc_auc").passed is None
    assert check(found, "better than a constant in roc_auc").passed is None
    assert check(found, NO_SLICE).passed
    assert "nan" not in " ".join(found.reasons())


def test_the_first_model_meets_the_floors_only() -> None:
    found = judged(contest({CHALLENGER: 2.0}), floors={"rmse": 3})
    names = ["better than a constant in rmse", "floor of rmse", "mean prediction"]
    assert [it.name for it in found.checks] == names
    assert (found.answer, found.champion) == (Answer.PROMOTE, None)
    assert found.differences == {}


@pytest.mark.parametrize(
    ("floors", "passed"),
    [
        ({"rmse": 2.2}, True),
        ({"rmse": 1.8}, False),  # good is small
        ({"r2": 0.9}, True),
        ({"r2": 0.99}, False),  # good is large
        ({"roc_auc": 0.99}, None),  # not a metric of this task
    ],
)
def test_floors_hold_from_the_side_that_is_good(
    floors: dict[str, float], passed: bool | None
) -> None:
    found = judged(duel(2.0, 2.0), floors=floors)
    states = [it.passed for it in found.checks if it.name.startswith("floor")]
    assert states == ([] if passed is None else [passed])
    assert found.answer is (Answer.REJECT if passed is False else Answer.PROMOTE)


CONSTANT = "better than a constant in rmse"


@pytest.mark.parametrize(
    ("error", "answer", "words"),
    [
        (2.0, Answer.PROMOTE, "is shown"),
        (9.9, Answer.PROMOTE, "is not shown"),
        (10.6, Answer.UNDECIDED, "is not shown"),
        (15.0, Answer.REJECT, "is ruled out"),
    ],
)
def test_the_first_model_has_to_be_better_than_a_constant_by_its_figure(
    error: float, answer: Answer, words: str
) -> None:
    found = judged(contest({CHALLENGER: error}))
    assert words in check(found, CONSTANT).reason
    assert found.answer is answer


def test_one_end_of_the_interval_counts_against_a_constant() -> None:
    """At 97.5 %, what 95 % from both sides leaves out at that end."""
    met = contest({CHALLENGER: 9.0})
    scored, on = met.rows(200)
    ours, constant = scored.scores[CHALLENGER], scored.scores[gate.CONSTANT]
    both = comparison.gain(met.metric, ours, constant, on, 0.95)
    reason = check(judged(met, confidence=0.975), CONSTANT).reason
    assert f"({both.low:+.4f} to {both.high:+.4f})" in reason


def test_a_challenger_has_only_to_be_not_shown_worse_than_a_constant() -> None:
    unclear, worse = judged(duel(9.9, 9.9)), judged(duel(15.0, 15.0))
    assert "is not shown" in check(unclear, CONSTANT).reason
    assert unclear.answer is Answer.PROMOTE
    assert check(worse, CONSTANT).passed is False


def test_a_wider_margin_asks_for_no_more_than_a_constant_gives() -> None:
    assert judged(contest({CHALLENGER: 8.0}), margin=5.0).answer is Answer.PROMOTE


def probabilities(of: Callable[[np.ndarray], np.ndarray] | None = None) -> Contest:
    """Return a contest of honest probabilities with what is made of them; without, of a first."""
    rng = np.random.default_rng(1)
    late = (rng.random(60 * 100) < 0.25).astype(float)
    logit = late + rng.normal(0, 1.3, len(late)) - 1.8
    honest = 1 / (1 + np.exp(-logit))
    honest *= late.mean() / honest.mean()
    scores = {gate.CONSTANT: np.full(len(late), late.mean()), CHALLENGER: honest}
    if of is not None:
        scores |= {CHAMPION: honest, CHALLENGER: of(honest)}
    return of_scores(late, scores, 60, Task.CLASSIFICATION)


def sharper(honest: np.ndarray) -> np.ndarray:
    """Return probabilities whose logits are five times as far off, with the same mean."""
    logit = np.log(honest / (1 - np.clip(honest, 0, 0.999))) + 1.1
    found = 1 / (1 + np.exp(-5 * logit))
    scaled: np.ndarray = found * honest.mean() / found.mean()
    return scaled


def flat(honest: np.ndarray) -> np.ndarray:
    """Return the mean for every row, but for its last digits, which keep the order."""
    same: np.ndarray = honest.mean() + 1e-6 * (honest - honest.mean())
    return same


def hard(honest: np.ndarray) -> np.ndarray:
    """Return a yes or no for each row."""
    yes = np.where(honest > np.quantile(honest, 0.75), 1, 0)
    return np.clip(yes + 1e-6 * honest, 0, 1)


PROBABILITIES = {"margin": 0.01, "slice_margin": 0.05, "bias": 0.02, "calibration": 0.003}


@pytest.mark.parametrize(
    ("of", "failed"),
    [
        (sharper, "better than a constant in log_loss"),
        (sharper, "calibration"),
        (flat, "calibration"),
        (hard, "calibration"),
    ],
)
def test_the_same_order_with_worse_probabilities_is_rejected(
    of: Callable[[np.ndarray], np.ndarray], failed: str
) -> None:
    found = judged(probabilities(of), **PROBABILITIES)
    assert found.answer is Answer.REJECT
    assert check(found, failed).passed is False
    assert check(found, "mean prediction").passed


def test_the_area_and_the_mean_alone_would_take_worse_probabilities() -> None:
    found = judged(probabilities(flat), **{**PROBABILITIES, "calibration": 1.0})
    assert found.answer is Answer.PROMOTE


def test_honest_probabilities_are_promoted_first_and_after() -> None:
    for met in (probabilities(), probabilities(lambda honest: honest)):
        assert judged(met, **PROBABILITIES).answer is Answer.PROMOTE


def test_probabilities_are_held_against_those_of_the_best_champion_too() -> None:
    met = probabilities(flat)
    anchor = met.scored.scores[CHAMPION]
    scores = {**met.scored.scores, CHAMPION: met.scored.scores[CHALLENGER], gate.BEST: anchor}
    found = judged(replace(met, scored=replace(met.scored, scores=scores)), **PROBABILITIES)
    assert check(found, "calibration").passed
    assert check(found, "calibration against the best champion").passed is False


@pytest.mark.parametrize("side", [-1, 1])
def test_a_mean_further_off_than_the_rivals_is_rejected(side: int) -> None:
    met = duel(2.0, 2.0)
    off = met.scored.scores[CHALLENGER] + side

    def calibration(champion: np.ndarray | None) -> gate.Check:
        rivals = {} if champion is None else {CHAMPION: champion}
        scores = {gate.CONSTANT: met.scored.scores[gate.CONSTANT], CHALLENGER: off, **rivals}
        scored = replace(met.scored, scores=scores)
        return check(judged(replace(met, scored=scored)), "mean prediction")

    worse, first = calibration(met.scored.scores[CHAMPION]), calibration(None)
    assert worse.passed is first.passed is False
    assert "the champion's" in worse.reason and "the constant's" in first.reason
    assert calibration(off).passed


def worse_in(name: str, label: str, by: float) -> Contest:
    """Return a contest of models that differ in one slice only."""
    met = duel(2.0, 2.0)
    scores = {**met.scored.scores}
    score, inside = scores[CHALLENGER].copy(), met.slices[name] == label
    score[inside] += by * (score - met.scored.target)[inside]
    return replace(met, scored=replace(met.scored, scores={**scores, CHALLENGER: score}))


def test_one_bad_slice_is_enough_to_reject() -> None:
    found = judged(worse_in("tenth", "3", 1.0))
    assert check(found, NO_WORSE).passed
    assert found.reasons() == ["no slice worse: tenth = 3: worse by more than 1"]
    assert found.answer is Answer.REJECT
    assert next(iter(found.differences)) == CHAMPION and "half = 0" in found.differences


def test_small_slices_say_nothing() -> None:
    found = judged(worse_in("tenth", "3", 1.0), slice_rows=161)
    assert found.answer is Answer.PROMOTE
    assert list(found.differences) == [CHAMPION, "half = 0", "half = 1"]
    none = check(judged(duel(2.0, 2.0), slice_rows=10_000), NO_SLICE)
    assert (none.passed, none.value) == (True, None)


def test_without_the_correction_far_more_equal_models_would_be_rejected() -> None:
    """At 55 % each of nine corrected slices gets what one slice alone gets at 95 %."""
    trials, margin = 80, 1e-9
    rejected = {0.95: 0, 0.55: 0}
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        target = rng.normal(size=30 * 36)
        scores = {it: rng.normal(size=30 * 36) for it in (gate.CONSTANT, CHALLENGER, CHAMPION)}
        met = of_scores(target, scores, 30, seed=seed)
        met = replace(met, slices={"ninth": (np.arange(30 * 36) // 30 % 9).astype(str)})
        for confidence in rejected:
            found = judged(met, confidence=confidence, slice_margin=margin)
            rejected[confidence] += not check(found, NO_SLICE).passed
    assert rejected[0.95] <= 0.08 * trials
    assert rejected[0.55] >= 0.12 * trials


def test_small_losses_add_up_until_the_best_champion_stops_them() -> None:
    """Each model of the chain is worse by just under the margin; the first is the anchor."""
    errors = [2.0, 2.4, 2.8, 3.2]
    steps = [(errors[0], before, now) for before, now in pairwise(errors)]

    def verdicts(seat: Callable[[float], dict[str, float]]) -> list[Answer]:
        return [
            judged(contest({CHALLENGER: now, CHAMPION: before, **seat(best)})).answer
            for best, before, now in steps
        ]

    without = verdicts(lambda best: {})
    anchored = verdicts(lambda best: {gate.BEST: best})
    assert without == [Answer.PROMOTE] * 3
    assert anchored == [Answer.PROMOTE, Answer.REJECT, Answer.REJECT]


def test_the_same_seed_gives_the_same_verdict() -> None:
    met = duel(2.5, 2.0)
    assert judged(met) == judged(met)
    assert judged(met).differences != judged(replace(met, seed=2)).differences
