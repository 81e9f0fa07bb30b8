"""What the gate looks at, from the scores of made-up models to a verdict."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from contests import DIGESTS, bounds, contest, of_scores

from mlrails.core.params import Costs, Evaluation, Task, Unit
from mlrails.evaluation import comparison, selection
from mlrails.evaluation.catalogue import cost, pinball
from mlrails.evaluation.metrics import DECISIONS
from mlrails.gate import checks, verdict
from mlrails.gate.checks import Contest, judge
from mlrails.gate.verdict import CHALLENGER, CHAMPION, Answer

NO_WORSE, NO_SLICE = "no worse than the champion", "no slice worse"
MEAN = "mean prediction"
ANCHOR = "no worse than the best champion"


def judged(met: Contest, **what: Any) -> verdict.Verdict:
    """Return the verdict, of which every one can be written as JSON."""
    rivals = CHAMPION in met.scored.scores
    names = DIGESTS if rivals else (DIGESTS[0], "")
    found = judge(met, bounds(**what), [], names)
    json.dumps(found.to_json("here", "main"), allow_nan=False)
    return found


def check(found: verdict.Verdict, name: str) -> verdict.Check:
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
    names = (verdict.CONSTANT, CHALLENGER, CHAMPION, verdict.BEST)
    found = judged(of_scores(none, dict.fromkeys(names, none), 0, task), floors={"r2": 0.5})
    assert found.answer is Answer.UNDECIDED
    assert [it.name for it in found.checks] == [NO_WORSE, ANCHOR]
    assert found.differences == {}


def test_one_outcome_only_is_undecided() -> None:
    target, scores = np.zeros(800), np.random.default_rng(1).random(800)
    names = (verdict.CONSTANT, CHALLENGER, CHAMPION)
    known = dict.fromkeys(names, scores) | {verdict.CONSTANT: np.ones(800)}
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
    ours, constant = scored.scores[CHALLENGER], scored.scores[verdict.CONSTANT]
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
    scores = {verdict.CONSTANT: np.full(len(late), late.mean()), CHALLENGER: honest}
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


PROBABILITIES = {"margin": 0.01, "slice_margin": 0.05, "bias": 0.02, "calibration": 0.016}


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
    found = judged(probabilities(flat), **{**PROBABILITIES, "calibration": 0.99})
    assert found.answer is Answer.PROMOTE


def test_honest_probabilities_are_promoted_first_and_after() -> None:
    for met in (probabilities(), probabilities(lambda honest: honest)):
        assert judged(met, **PROBABILITIES).answer is Answer.PROMOTE


def test_probabilities_are_held_against_those_of_the_best_champion_too() -> None:
    met = probabilities(flat)
    anchor = met.scored.scores[CHAMPION]
    scores = {**met.scored.scores, CHAMPION: met.scored.scores[CHALLENGER], verdict.BEST: anchor}
    found = judged(replace(met, scored=replace(met.scored, scores=scores)), **PROBABILITIES)
    assert check(found, "calibration").passed
    assert check(found, "calibration against the best champion").passed is False


@pytest.mark.parametrize("side", [-1, 1])
def test_a_mean_further_off_than_the_rivals_is_rejected(side: int) -> None:
    met = duel(2.0, 2.0)
    off = met.scored.scores[CHALLENGER] + side

    def calibration(champion: np.ndarray | None) -> verdict.Check:
        rivals = {} if champion is None else {CHAMPION: champion}
        scores = {verdict.CONSTANT: met.scored.scores[verdict.CONSTANT], CHALLENGER: off, **rivals}
        scored = replace(met.scored, scores=scores)
        return check(judged(replace(met, scored=scored)), "mean prediction")

    worse, first = calibration(met.scored.scores[CHAMPION]), calibration(None)
    assert worse.passed is first.passed is False
    assert "the champion's" in worse.reason and "the constant's" in first.reason
    assert calibration(off).passed


@pytest.mark.parametrize("side", [-1, 1])
def test_a_first_model_is_held_to_a_mean_of_its_own_where_the_world_has_moved(side: int) -> None:
    """A constant of the training rows is off as well, and further; that is no excuse."""
    met = contest({CHALLENGER: 2.0})
    scores = met.scored.scores
    off, stale = scores[CHALLENGER] + side, scores[verdict.CONSTANT] + 3 * side
    moved = with_scores(met, **{CHALLENGER: off, verdict.CONSTANT: stale})
    found = judged(moved, first_bias=0.5)
    assert found.answer is Answer.REJECT
    mean = check(found, "mean prediction")
    assert mean.bound == 0.5 and "`gate.first_bias`" in mean.reason
    assert judged(moved).answer is Answer.PROMOTE
    assert check(judged(met, first_bias=0.5), "mean prediction").passed


def test_means_that_drift_away_bit_by_bit_are_stopped_by_the_best_champion() -> None:
    met = contest(dict.fromkeys((CHALLENGER, CHAMPION, verdict.BEST), 2.0))
    scores = met.scored.scores
    moved = {CHALLENGER: scores[CHALLENGER] + 0.8, CHAMPION: scores[CHAMPION] + 0.4}
    found = judged(with_scores(met, **moved))
    assert check(found, "mean prediction").passed
    assert check(found, "mean prediction against the best champion").passed is False


def test_a_loss_of_calibration_is_held_to_what_brier_scores_are_at_that_rate() -> None:
    met = probabilities(lambda honest: honest)
    rate = met.scored.target.mean()
    found = check(judged(met, **PROBABILITIES), "calibration")
    assert found.bound == pytest.approx(-0.016 * rate * (1 - rate))


def called(**share: float) -> Contest:
    """Return the contest of one model with itself, each role calling its own share of the rows."""
    met = probabilities(lambda honest: honest)
    scores = met.scored.scores[CHAMPION]
    calls = {
        role: np.where(scores >= np.quantile(scores, 1 - part), 1.0, 0.0)
        for role, part in share.items()
    }
    return replace(met, scored=replace(met.scored, calls=calls))


def test_a_threshold_that_calls_the_wrong_rows_is_rejected_though_the_scores_are_the_same() -> None:
    good, bad = called(challenger=0.3, champion=0.3), called(challenger=0.02, champion=0.3)
    asked = {**PROBABILITIES, "decisions": 0.02}
    assert judged(good, **asked).answer is Answer.PROMOTE
    found = judged(bad, **asked)
    assert found.answer is Answer.REJECT
    assert [it.split(":")[0] for it in found.reasons()] == ["decisions"]
    assert judged(bad, **PROBABILITIES).answer is Answer.PROMOTE  # what it was before


def test_decisions_are_held_against_the_best_champion_s_and_by_the_rule_of_the_threshold() -> None:
    met = called(challenger=0.1, champion=0.12, **{verdict.BEST: 0.35})
    met = with_scores(met, **{verdict.BEST: met.scored.scores[CHAMPION]})
    found = judged(replace(met, decision=DECISIONS["youden"]), **PROBABILITIES, decisions=0.05)
    assert check(found, "decisions against the best champion").passed is False
    assert check(found, "decisions").passed is not False


def test_decisions_can_have_a_floor() -> None:
    found = judged(called(challenger=0.02), **PROBABILITIES, floors={"f1": 0.3})
    assert check(found, "floor of f1").passed is False


@pytest.mark.parametrize("outcome", [0.0, 1.0])
@pytest.mark.parametrize("first", [True, False])
def test_test_rows_of_one_outcome_decide_nothing(outcome: float, first: bool) -> None:
    rng = np.random.default_rng(1)
    roles = (CHALLENGER,) if first else (CHALLENGER, CHAMPION, verdict.BEST)
    scores = {role: rng.random(1600) for role in roles}
    constant = {verdict.CONSTANT: np.full(1600, 0.3)}
    met = of_scores(np.full(1600, outcome), {**constant, **scores}, task=Task.CLASSIFICATION)
    calls = {role: np.round(it) for role, it in scores.items()}
    met = replace(met, scored=replace(met.scored, calls=calls))
    floors = {"roc_auc": 0.6, "brier": 0.01}
    found = judged(met, **PROBABILITIES, decisions=0.02, first_bias=0.01, floors=floors)
    assert found.answer is Answer.UNDECIDED
    assert {it.passed for it in found.checks if it.name != NO_SLICE} == {None}
    assert "nan" not in " ".join([*found.reasons(), *found.notes()])


def test_where_rows_carry_no_time_nobody_speaks_of_days() -> None:
    met = duel(2.5, 2.0)
    found = judged(replace(met, scored=replace(met.scored, times=None)))
    assert found.answer is Answer.UNDECIDED
    words = " ".join([*found.reasons(), *found.notes(), *(it.reason for it in found.checks)])
    assert "day" not in words and "on 1,600 rows; about" in words and "rows would decide" in words
    assert {it.unit for it in found.differences.values()} == {Unit.ROW}


def test_where_rows_carry_a_group_it_is_groups_that_are_spoken_of() -> None:
    met = duel(2.5, 2.0)
    groups = np.arange(len(met.scored.target)) % 40
    found = judged(replace(met, scored=replace(met.scored, times=None, groups=groups)))
    words = " ".join([*found.reasons(), *found.notes(), *(it.reason for it in found.checks)])
    assert "day" not in words and "on 40 groups (1,600 rows)" in words
    assert {it.unit for it in found.differences.values()} == {Unit.GROUP}


def test_too_few_rows_without_time_are_told_as_rows() -> None:
    met = contest({CHALLENGER: 2.0, CHAMPION: 2.0}, days=1, rows_of_day=15)
    found = judged(replace(met, scored=replace(met.scored, times=None), slices={}))
    assert "seen on 15 rows only, too few to tell; 20 rows are needed" in found.reasons()[0]


def test_what_is_shown_worse_within_its_margin_is_told_first() -> None:
    found = judged(duel(2.2, 2.0))
    assert (found.answer, check(found, NO_WORSE).passed) == (Answer.PROMOTE, True)
    value = found.differences[CHAMPION].value
    assert found.worse()[0] == f"shown worse by {-value:.4f}, within the margin 0.5"
    assert found.notes()[0] == found.worse()[0]
    assert judged(duel(2.0, 2.0)).worse() == judged(duel(1.9, 2.0)).worse() == []


def test_slices_shown_worse_within_their_margin_are_named() -> None:
    found = judged(worse_in("tenth", "3", 0.3))
    assert found.answer is Answer.PROMOTE
    assert any("slices shown worse" in it and "tenth = 3 (-0." in it for it in found.worse())


def test_the_figures_are_told_with_their_difference() -> None:
    found = judged(duel(2.0, 2.1))
    ours, theirs = (found.figures[role] for role in (CHALLENGER, CHAMPION))
    (told,) = (it for it in found.notes() if it.startswith("Root mean squared error"))
    assert f"error {ours:.4f}, champion {theirs:.4f}: +" in told and "on 40 days" in told
    (alone,) = judged(contest({CHALLENGER: 2.0})).notes()
    assert alone == f"Root mean squared error {ours:.4f}"


@pytest.mark.parametrize(
    ("scale", "words"), [(1.0, ""), (1e5, "next to nothing"), (1e-2, "more than half of it")]
)
def test_a_margin_of_another_unit_than_the_target_s_is_told(scale: float, words: str) -> None:
    """Half a minute is a small loss for delays; for houses it would be 50 cents."""
    met = contest({CHALLENGER: 2.0})
    scored = replace(met.scored, target=met.scored.target * scale)
    found = judged(replace(met, scored=scored))
    told = " ".join(found.remarks)
    assert words in told and ("`gate.margin` in params.yaml is 0.5" in told) is bool(words)
    assert judged(probabilities(), **PROBABILITIES).remarks == ()


@pytest.mark.parametrize(
    ("bound", "words"), [(0.0005, "next to nothing"), (0.76, "more than half of it"), (2, "more")]
)
def test_a_margin_is_called_small_or_large_by_the_spread_of_the_target(
    bound: float, words: str
) -> None:
    told, *_ = checks.remarks(Task.REGRESSION, np.array([-1.0, 1.0]), bounds(margin=bound))
    assert f"is {bound:g}, {bound:.2g} times the standard deviation" in told and words in told


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
    assert found.reasons() == [
        "no slice worse: tenth = 3: worse by more than 1, `gate.slice_margin`"
    ]
    assert found.answer is Answer.REJECT
    assert next(iter(found.differences)) == CHAMPION and "half = 0" in found.differences


def with_scores(met: Contest, **scores: np.ndarray) -> Contest:
    """Return a contest with other scores by role."""
    known = {**met.scored.scores, **scores}
    return replace(met, scored=replace(met.scored, scores=known))


def test_a_slice_that_sinks_bit_by_bit_is_stopped_by_the_best_champion() -> None:
    """Each model loses too little in one slice for its verdict to see, and gains a bit elsewhere.

    So did a carrier of 923 flights: from an area of .709 to .291, in ten verdicts to promote.
    """
    chain = [worse_in("tenth", "3", loss) for loss in (0.0, 0.4, 0.8, 1.2)]
    scores = [met.scored.scores[CHALLENGER] for met in chain]

    def answers(anchored: bool) -> list[Answer]:
        found = []
        for before, now in pairwise(scores):
            anchor = {verdict.BEST: scores[0]} if anchored else {}
            met = with_scores(chain[0], **{CHALLENGER: now, CHAMPION: before, **anchor})
            found.append(judged(met).answer)
        return found

    assert answers(anchored=False) == [Answer.PROMOTE] * 3
    assert answers(anchored=True) == [Answer.PROMOTE, Answer.REJECT, Answer.REJECT]


def test_a_slice_that_sinks_below_the_best_champion_s_is_named() -> None:
    met = worse_in("tenth", "3", 1.2)
    best = met.scored.scores[CHAMPION]
    found = judged(
        with_scores(met, **{CHAMPION: met.scored.scores[CHALLENGER], verdict.BEST: best})
    )
    assert "tenth = 3, against the best champion: worse" in check(found, NO_SLICE).reason


def test_slices_that_tell_nothing_are_told() -> None:
    met = worse_in("tenth", "3", 0.55)
    labels = np.where(np.arange(1600) < 90, "few", np.where(np.arange(1600) < 700, "one", "two"))
    days = np.where(np.arange(1600) % 40 < 10, "of ten days", "of thirty days")
    met = replace(met, slices={**met.slices, "size": labels, "when": days})
    found = judged(met)
    assert found.answer is Answer.PROMOTE
    assert found.undecided_slices.keys() == {"size = few", "when = of ten days", "tenth = 3"}
    assert found.undecided_slices["size = few"] == "90 rows, 100 are asked"
    assert found.undecided_slices["when = of ten days"] == "10 days, 20 are asked"
    assert "undecided are 3" in check(found, NO_SLICE).reason
    (told,) = (it for it in found.notes() if "undecided" in it)
    assert all(name in told for name in found.undecided_slices)


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
        scores = {it: rng.normal(size=30 * 36) for it in (verdict.CONSTANT, CHALLENGER, CHAMPION)}
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
    anchored = verdicts(lambda best: {verdict.BEST: best})
    assert without == [Answer.PROMOTE] * 3
    assert anchored == [Answer.PROMOTE, Answer.REJECT, Answer.REJECT]


def test_the_same_seed_gives_the_same_verdict() -> None:
    met = duel(2.5, 2.0)
    assert judged(met) == judged(met)
    assert judged(met).differences != judged(replace(met, seed=2)).differences


def test_whoever_is_compared_by_calls_is_held_against_the_hardest_of_them() -> None:
    costs = cost(Costs(false_alarm=1, miss=3))
    met = replace(called(challenger=0.35, champion=0.05), primary=costs, decision=costs)
    found = judged(met, **PROBABILITIES | {"margin": 0.05}, floors={"cost": 0.01, "accuracy": 0.1})
    assert found.metric == "Mean cost" and check(found, NO_WORSE).passed
    rate = met.scored.target.mean()
    against = check(found, "better than a constant in cost")
    own = found.figures[CHALLENGER]
    assert against.value == pytest.approx(min(1 - rate, 3 * rate) - own)
    assert check(found, "floor of cost").passed is False
    assert "floor of accuracy" not in [it.name for it in found.checks]  # that none asked to know


def test_a_quantile_is_not_taken_for_a_mean() -> None:
    """Its first model is further off the mean than any mean may be, and beats the best constant."""
    rng = np.random.default_rng(1)
    hidden, noise = 10 * rng.normal(size=1600), 10 * rng.normal(size=1600)
    upper = {CHALLENGER: hidden + 12.8, verdict.CONSTANT: np.full(1600, 18.1)}
    met = replace(of_scores(hidden + noise, upper), primary=pinball(90))
    asked = {"first_bias": 1.0, "floors": {"pinball_90": 3.0}}
    found = judged(replace(met, floors=[pinball(90)]), **asked)
    assert found.answer is Answer.PROMOTE
    names = [it.name for it in found.checks]
    assert names == ["better than a constant in pinball_90", "floor of pinball_90", MEAN]
    as_mean = judged(replace(met, primary=None), **asked)
    assert check(as_mean, MEAN).passed is False


@pytest.mark.parametrize("name", ["average_precision", "brier"])
def test_another_score_of_events_is_asked_beside_those_that_all_are_asked(name: str) -> None:
    rules = Evaluation(confidence=0.95, resamples=200, primary=name)
    met = probabilities(lambda honest: honest)
    found = judged(replace(met, primary=selection.primary(met.task, rules)), **PROBABILITIES)
    asked = [it.name for it in found.checks if it.name.startswith("better than a constant in ")]
    first = ["roc_auc", "log_loss", "brier"]
    wanted = first if name in first else [*first, name]
    assert [it.rpartition(" ")[2] for it in asked] == wanted


def test_a_note_on_the_bounds_is_told_with_the_verdict() -> None:
    found = judged(replace(duel(2.0, 2.0), notes=["compared by rmse"]))
    assert "compared by rmse" in found.notes()


@pytest.mark.parametrize(
    ("margin", "words"),
    [(0.5, "more than half of it"), (0.05, None), (1e-5, "next to nothing")],
)
def test_a_margin_of_another_unit_than_the_chosen_metrics_is_told(
    margin: float, words: str | None
) -> None:
    rules = Evaluation(confidence=0.95, resamples=200, primary="average_precision")
    metric = selection.primary(Task.CLASSIFICATION, rules)
    met = replace(probabilities(lambda honest: honest), primary=metric)
    found = judged(met, **PROBABILITIES | {"margin": margin}).remarks
    told = [it for it in found if it.startswith("`gate.margin`")]
    assert len(told) == (words is not None)
    if words:
        assert words in told[0]
        assert "of that metric (a share of calls)?" in told[0]
    usual = judged(replace(met, primary=None), **PROBABILITIES | {"margin": margin})
    assert usual.remarks == ()  # as before


def test_a_margin_in_another_unit_is_not_held_against_the_target_s_spread() -> None:
    rules = Evaluation(confidence=0.95, resamples=200, primary="wape")
    met = replace(duel(2.0, 2.0), primary=selection.primary(Task.REGRESSION, rules))
    found = judged(met, margin=0.005, slice_margin=0.02, bias=0.5)
    assert found.remarks == ()
