"""Whether a challenger may treat groups of sensitive columns further apart than its rivals do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows
from contests import DIGESTS, bounds, of_scores

from mlrails.core.params import Task
from mlrails.gate import fairness, report, verdict
from mlrails.gate.checks import Contest, judge
from mlrails.gate.judge import outside
from mlrails.gate.verdict import BEST, CHALLENGER, CHAMPION, CONSTANT, Answer

DAYS, OF_DAY = 40, 60
TPR = "gap in true positive rate"
LOOSE = {"margin": 0.2, "slice_margin": 0.4, "calibration": 0.9, "bias": 0.5, "slice_rows": 100}
"""Bounds that no model of these tests breaks: what stops one is the gap."""
WIDER = {"wider": {"tpr": 0.1}}


def contest(worse: Mapping[str, float], seed: int = 1, share: float = 0.3) -> Contest:
    """Return a contest of an event; each model finds fewer of the women's events by a share.

    What a model misses there is drawn, and calls of other rows are alike: a tenth of them is wrong.
    """
    rng = np.random.default_rng(seed)
    rows = DAYS * OF_DAY
    target = (rng.random(rows) < 0.4).astype(float)
    women, wrong, missed = rng.random(rows) < share, rng.random(rows) < 0.1, rng.random(rows)
    scores, calls = {CONSTANT: np.full(rows, target.mean())}, {}
    for name, by in worse.items():
        call = np.where(wrong, 1 - target, target)
        call = np.where(women & (target > 0) & (missed < by), 0.0, call)
        calls[name], scores[name] = call, 0.2 + 0.6 * call
    met = of_scores(target, scores, DAYS, Task.CLASSIFICATION, seed)
    sex = np.where(women, "female", "male").astype(object)
    return replace(met, scored=replace(met.scored, calls=calls), sensitive={"sex": sex}, slices={})


def judged(met: Contest, asked: Any = WIDER, **what: Any) -> verdict.Verdict:
    """Return the verdict, which can be written and read."""
    names = DIGESTS if CHAMPION in met.scored.scores else (DIGESTS[0], "")
    found = judge(met, bounds(**LOOSE, fairness=asked, **what), [], names)
    told = json.dumps(found.to_json("here", "main"), allow_nan=False)
    assert verdict.Verdict.from_json(json.loads(told)).fairness == tuple(found.fairness)
    return found


def check(found: verdict.Verdict, name: str = TPR) -> verdict.Check:
    (it,) = (it for it in found.checks if it.name == name)
    return it


def worse_for_women(**what: Any) -> Contest:
    return contest({CHALLENGER: 0.3, CHAMPION: 0.0}, **what)


def test_a_challenger_that_finds_fewer_of_one_group_s_events_is_stopped() -> None:
    found = judged(worse_for_women())
    assert found.answer is Answer.REJECT
    (reason,) = found.reasons()
    assert reason.startswith(f"{TPR}: sex = female: +0.2") and "0.1 is allowed" in reason
    assert "gate.fairness.wider" in reason


def test_without_the_bound_it_would_pass() -> None:
    for asked in ({}, {"wider": {}}, {"wider": {"fpr": 0.1}}, {"wider": {"tpr": 0.5}}):
        assert judged(worse_for_women(), asked).answer is Answer.PROMOTE


def test_without_the_guard_it_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "_wider", lambda it, rival, *_: _nothing(it, rival))
    assert judged(worse_for_women()).answer is Answer.PROMOTE


def _nothing(asked: fairness.Asked, rival: str) -> fairness.Gap:
    found = fairness.Comparison(0.0, 0.0, 0.0, DAYS, 1)
    return fairness.Gap("wider", asked.measure.title, asked.group.title, found, 0.1, False, "")


def test_equal_models_pass_and_say_how_far_apart_they_are() -> None:
    found = judged(contest({CHALLENGER: 0.1, CHAMPION: 0.1}))
    assert found.answer is Answer.PROMOTE
    assert check(found).value == 0
    assert [it["group"] for it in found.fairness] == ["sex = female"]


def test_a_gap_that_narrows_passes() -> None:
    assert judged(contest({CHALLENGER: 0.0, CHAMPION: 0.3})).answer is Answer.PROMOTE


def test_a_gap_shown_wider_within_its_bound_passes_and_is_told() -> None:
    found = judged(worse_for_women(), {"wider": {"tpr": 0.4}})
    assert found.answer is Answer.PROMOTE
    told = "gap in True positive rate shown wider within its bound 0.4: sex = female (+0.2"
    assert any(it.startswith(told) for it in found.worse())


def test_gaps_that_widen_bit_by_bit_are_stopped_by_the_best_champion() -> None:
    chain = [0.0, 0.06, 0.12, 0.18, 0.24]

    def answers(anchor: Mapping[str, float]) -> list[Answer]:
        met = ({CHALLENGER: now, CHAMPION: then, **anchor} for then, now in pairwise(chain))
        return [judged(contest(it)).answer for it in met]

    assert answers({}) == [Answer.PROMOTE] * 4
    anchored = answers({BEST: 0.0})
    assert (anchored[0], anchored[-1]) == (Answer.PROMOTE, Answer.REJECT)


def test_the_first_model_is_held_to_the_absolute_bound_alone() -> None:
    first = contest({CHALLENGER: 0.3})
    found = judged(first, {"wider": {"tpr": 0.1}, "most": {"tpr": 0.1}})
    assert (found.answer, found.champion) == (Answer.REJECT, None)
    assert "sex = female: -0.2" in check(found, "largest gap in true positive rate").reason
    free = judged(first)
    assert free.answer is Answer.PROMOTE
    assert any("nothing holds a first model's gaps in tpr" in it for it in free.notes())


def test_any_model_is_held_to_the_absolute_bound_unless_it_is_shown_narrower() -> None:
    asked = {"most": {"tpr": 0.1}}
    as_wide = contest({CHALLENGER: 0.4, CHAMPION: 0.4})
    assert judged(as_wide, asked).answer is Answer.REJECT
    narrower = judged(contest({CHALLENGER: 0.3, CHAMPION: 0.4}), asked)
    assert narrower.answer is Answer.PROMOTE
    assert any("narrower than the champion's" in it for it in narrower.worse())


def test_small_groups_decide_nothing_and_are_told() -> None:
    few = judged(worse_for_women(share=0.03))
    assert few.answer is Answer.PROMOTE
    (told,) = (it for it in few.notes() if "undecided" in it)
    assert "True positive rate of sex = female" in told and "rows, 100 are asked" in told


def test_groups_near_a_bound_are_told_before_those_of_few_rows() -> None:
    met = contest({CHALLENGER: 0.12, CHAMPION: 0.0})
    code = np.array([f"c{it % 60}" for it in range(DAYS * OF_DAY)], dtype=object)
    few = judged(replace(met, sensitive={"code": code, **met.sensitive}))
    (told,) = (it for it in few.notes() if "undecided" in it)
    assert told.index("sex = female") < told.index("code = c0") and "and 56 more" in told


def test_few_events_of_a_large_group_decide_nothing_and_are_told() -> None:
    met = worse_for_women()
    women, target = met.sensitive["sex"] == "female", met.scored.target.copy()
    target[np.flatnonzero(women & (target > 0))[30:]] = 0
    found = judged(replace(met, scored=replace(met.scored, target=target)))
    assert any("a share of 30 rows, 50 are asked" in it for it in found.notes())


def test_a_group_of_a_few_days_decides_nothing_and_is_told() -> None:
    met = worse_for_women()
    sex = np.where(np.arange(DAYS * OF_DAY) % DAYS < 10, "other", met.sensitive["sex"])
    found = judged(replace(met, sensitive={"sex": sex}))
    assert any("10 days, 20 are asked" in it for it in found.notes())


def test_rows_without_a_value_are_a_group() -> None:
    met = worse_for_women()
    sex = np.where(met.sensitive["sex"] == "female", None, met.sensitive["sex"])
    found = judged(replace(met, sensitive={"sex": sex}))
    assert "sex = missing: +0.2" in check(found).reason


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.MULTICLASS])
def test_numbers_and_classes_are_held_to_their_calibration(task: Task) -> None:
    rng, rows = np.random.default_rng(1), DAYS * OF_DAY
    women = rng.random(rows) < 0.4
    if task is Task.REGRESSION:
        target = rng.normal(size=rows)
        scores = {it: target + rng.normal(0, 0.1, rows) for it in (CHALLENGER, CHAMPION)}
        scores[CHALLENGER] = scores[CHALLENGER] + np.where(women, 0.3, 0)
        scores[CONSTANT], classes = np.zeros(rows), ()
    else:
        target, classes = rng.integers(0, 3, rows).astype(float), ("a", "b", "c")
        plain = np.full((rows, 3), 0.1) + 0.7 * (np.arange(3) == target[:, None])
        unsure = np.full((rows, 3), 0.25) + 0.25 * (np.arange(3) == target[:, None])
        scores = {CHALLENGER: np.where(women[:, None], unsure, plain), CHAMPION: plain}
        scores[CONSTANT] = np.full((rows, 3), 1 / 3)
    met = of_scores(target, scores, DAYS, task)
    sex = np.where(women, "female", "male").astype(object)
    met = replace(met, slices={}, scored=replace(met.scored, classes=classes))
    met, asked = replace(met, sensitive={"sex": sex}), {"wider": {"calibration": 0.1}}
    loose = LOOSE | {"margin": 1.0, "calibration": None if task is Task.REGRESSION else 0.9}
    found = judge(met, bounds(**loose, fairness=asked), [], DIGESTS)
    name = "gap in calibration"
    assert check(found, name).passed is False and "sex = female" in check(found, name).reason


def test_a_model_that_asks_for_a_column_that_the_bounds_keep_from_it_is_refused(
    tmp_path: Path,
) -> None:
    rows.write_model(Task.CLASSIFICATION, tmp_path / "model")
    (found,) = outside(tmp_path / "model", {"carrier": (), "tailnum": ()})
    assert found.passed is False and "asks for 'carrier', which `data.sensitive`" in found.reason
    (found,) = outside(tmp_path / "model", {"tailnum": ()})
    assert found.passed
    assert list(outside(tmp_path / "model", {})) == []


def test_the_page_tells_each_gap_beside_its_bound(tmp_path: Path) -> None:
    asked = {"wider": {"tpr": 0.1, "fpr": 0.1}, "most": {"tpr": 0.1}}
    report.write(judged(worse_for_women(), asked), "here", "main", tmp_path)
    text, page = ((tmp_path / it).read_text("utf-8") for it in (report.TEXT, report.PAGE))
    for told in (text, page):
        assert "Groups that the model does not see" in told and "sex = female" in told
    assert "| True positive rate | sex = female | +0.2" in text
    assert "| True positive rate | sex = female | -0.2" in text
    assert "| False positive rate | sex = female | 0.0000" in text
    report.write(judged(worse_for_women(), {}), "here", "main", tmp_path)
    assert "does not see" not in (tmp_path / report.TEXT).read_text("utf-8")
    assert "fairness" not in json.loads((tmp_path / report.VERDICT).read_text("utf-8"))
