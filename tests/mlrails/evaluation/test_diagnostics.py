"""How a model behaves: the threshold against all cuts, the curves against scikit-learn's."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from mlrails.core.params import Costs, Threshold
from mlrails.data.arrays import Rows, Vector
from mlrails.evaluation import diagnostics
from mlrails.evaluation.catalogue import cost

RNG = np.random.default_rng(1)
SCORE = np.round(RNG.random(400), 2)
TARGET = (RNG.random(400) < SCORE).astype(float)

scored_rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 30)), min_size=2, max_size=40
).filter(lambda found: len({event for event, _ in found}) == 2)

COSTS = Costs(false_alarm=2, miss=5)


def worth(rule: Threshold, target: np.ndarray, score: np.ndarray, threshold: float) -> float:
    called = score >= threshold
    if rule == "f1":
        return float(reference.f1_score(target, called, zero_division=0))
    if rule == "cost":
        return -cost(COSTS).whole(target, called * 1.0)
    return float(called[target > 0].mean() - called[target <= 0].mean())


@pytest.mark.parametrize("rule", get_args(Threshold))
@settings(max_examples=30, deadline=None)
@given(scored_rows)
def test_the_threshold_is_the_best_of_all_cuts(
    rule: Threshold, found: list[tuple[bool, int]]
) -> None:
    target, score = np.array(found, float).T
    score /= 31  # A number that no decimal fraction hits.
    chosen = diagnostics.choose_threshold(rule, target, score, COSTS)
    cuts = [*score, *([np.inf] if rule == "cost" else [])]
    best = max(worth(rule, target, score, cut) for cut in cuts)
    assert worth(rule, target, score, chosen) == pytest.approx(best)


@pytest.mark.parametrize("highest", [0.25, 1 / 3, 1.0])
def test_where_no_call_pays_nobody_is_called(highest: float) -> None:
    target, score = np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, highest)
    chosen = diagnostics.choose_threshold("cost", target, score, Costs(false_alarm=1, miss=2))
    assert highest < chosen <= highest + 2e-6
    called = diagnostics.choose_threshold("cost", target, score, Costs(false_alarm=1, miss=4))
    assert called <= highest


def test_a_threshold_rounded_up_would_lose_the_rows_of_its_own_score() -> None:
    target, score = np.array([1.0, 1.0, 0.0]), np.array([2 / 3, 2 / 3, 1 / 3])
    assert diagnostics.confusion(target, score, round(2 / 3, 6))["true_positive"] == 0
    chosen = diagnostics.choose_threshold("f1", target, score)
    assert chosen == 0.666666
    assert diagnostics.confusion(target, score, chosen)["true_positive"] == 2


any_rows = st.lists(st.tuples(st.booleans(), st.integers(0, 30)), min_size=1, max_size=40)
"""Ties, few rows, and rows of one class among them."""


@given(any_rows)
def test_the_curves_go_through_what_is_counted_at_each_score(found: list[tuple[bool, int]]) -> None:
    target, score = np.array(found, float).T
    events, others = max(target.sum(), 1), max((1 - target).sum(), 1)
    called = [target[score >= cut] for cut in sorted({*score}, reverse=True)]
    roc = [(0, 0), *((sum(1 - it) / others, sum(it) / events) for it in called)]
    recall = [(sum(it) / events, sum(it) / len(it)) for it in called]
    for curve, points in (
        (diagnostics.roc(target, score), roc),
        (diagnostics.precision_recall(target, score), recall),
    ):
        np.testing.assert_allclose(list(zip(curve["x"], curve["y"], strict=True)), points)
    before = [0.0, *(x for x, _ in recall)]
    area = sum((x - last) * y for (x, y), last in zip(recall, before, strict=False))
    assert diagnostics.average_precision(target, score) == pytest.approx(area)


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    score = RNG.random(5000)
    curve = diagnostics.roc((RNG.random(5000) < score).astype(float), score)
    assert len(curve["x"]) == len(curve["y"]) <= 200
    assert (curve["x"][0], curve["y"][0]) == (0, 0)
    assert (curve["x"][-1], curve["y"][-1]) == (1, 1)


def test_calibration_groups_rows_by_score() -> None:
    curve = diagnostics.calibration(np.array([0.0, 1, 1, 1]), np.array([0.1, 0.3, 0.7, 0.9]), 2)
    assert curve == {"x": [0.2, pytest.approx(0.8)], "y": [0.5, 1.0], "rows": [2, 2]}
    assert diagnostics.calibration_error(curve) == pytest.approx((0.3 + 0.2) / 2)


def test_the_calibration_error_sees_probabilities_that_are_too_high() -> None:
    honest = diagnostics.calibration_error(diagnostics.calibration(TARGET, SCORE))
    boastful = diagnostics.calibration_error(diagnostics.calibration(TARGET, np.sqrt(SCORE)))
    assert boastful > 2 * honest


def test_fewer_rows_than_groups_are_calibrated_too() -> None:
    assert diagnostics.calibration(np.ones(3), np.arange(3.0))["rows"] == [1, 1, 1]


def test_rows_of_one_score_are_calibrated_together_whatever_their_order() -> None:
    """Every edge of tenths lies among rows of one score here; by their order none is calibrated."""
    score = np.repeat([0.2, 0.6], 50)
    target = np.concatenate([np.arange(50) < 10, np.arange(50) < 30]).astype(float)
    curve = diagnostics.calibration(target, score)
    assert curve["x"] == pytest.approx([0.2, 0.6])
    assert (curve["y"], curve["rows"]) == ([0.2, 0.6], [50, 50])
    assert diagnostics.calibration_error(curve) == pytest.approx(0)
    assert diagnostics.calibration(target[::-1], score[::-1])["y"] == curve["y"]


@pytest.mark.parametrize("threshold", [0.0, 0.37, 0.5, 1.1])
@pytest.mark.parametrize(
    "target", [TARGET, np.zeros(400), np.ones(400)], ids=["mixed", "no", "yes"]
)
def test_each_row_is_in_one_cell_of_the_confusion(target: np.ndarray, threshold: float) -> None:
    found = diagnostics.confusion(target, SCORE, threshold)
    rows = list(zip(target > 0, threshold <= SCORE, strict=True))
    assert found == {
        "true_negative": rows.count((False, False)),
        "false_positive": rows.count((False, True)),
        "false_negative": rows.count((True, False)),
        "true_positive": rows.count((True, True)),
    }
    assert all(type(cell) is int for cell in found.values())


def test_residuals_are_counted_whole() -> None:
    target = RNG.normal(size=1000)
    found = diagnostics.residuals(target, np.zeros(1000))
    assert found["quantiles"]["0.5"] == pytest.approx(np.median(target))
    histogram = found["histogram"]
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    assert sum(histogram["counts"]) == pytest.approx(990, abs=2)


def test_residuals_that_are_all_the_same_have_a_histogram() -> None:
    assert sum(diagnostics.residuals(np.ones(5), np.zeros(5))["histogram"]["counts"]) == 5


def test_importance_finds_the_one_column_that_tells() -> None:
    target = RNG.normal(size=500)
    columns = {"noise": RNG.normal(size=500), "signal": target + 1, "more": RNG.normal(size=500)}
    found = diagnostics.importance(
        columns,
        list(columns),
        lambda rows: rows["signal"] - 1 + 0 * rows["noise"],
        lambda scores: float(np.square(scores - target).mean()),
        seed=1,
    )
    assert next(iter(found)) == "signal"
    assert found["signal"]["mean"] == pytest.approx(2 * target.var(), rel=0.2)
    assert found["noise"]["mean"] == found["more"]["mean"] == pytest.approx(0)


def test_importance_has_ends_where_they_are_asked_for_and_the_same_means() -> None:
    target = RNG.normal(size=200)
    columns = {"noise": RNG.normal(size=200), "signal": target}
    half = np.repeat([1.0, 0.0], 100)

    def predict(rows: Rows) -> Vector:
        return np.asarray(rows["signal"] + 0 * rows["noise"])

    def worse(scores: Vector) -> Vector:
        off = np.square(scores - target)
        return np.array([off.mean(), np.average(off, weights=half)])

    def ends(losses: Vector) -> dict[str, float]:
        return {"all": losses[0], "half": losses[1]}

    found = diagnostics.importance(columns, [*columns], predict, worse, 1, ends=ends)
    plain = diagnostics.importance(columns, [*columns], predict, lambda it: worse(it)[0], 1)
    for name, loss in found.items():
        assert {it: loss[it] for it in ("mean", "sd")} == plain[name]
        assert loss["all"] == pytest.approx(loss["mean"])
    assert found["signal"]["half"] > 0 == found["noise"]["half"]


def test_importance_leaves_the_rows_as_they_were() -> None:
    columns = {"a": np.arange(10.0)}
    diagnostics.importance(columns, ["a"], lambda rows: rows["a"], lambda scores: scores[0], 1)
    assert columns["a"].tolist() == list(range(10))


def test_importance_asks_for_all_repeats_of_a_column_at_once() -> None:
    columns = {name: RNG.normal(size=50) for name in ("a", "b")}
    asked: list[list[np.ndarray]] = []

    def predict(rows: Rows) -> np.ndarray:
        asked.append([np.asarray(rows[name]) for name in ("a", "b")])
        return asked[-1][0]

    diagnostics.importance(columns, ["a", "b"], predict, lambda scores: scores[0], 1, repeats=3)
    whole, of_a, of_b = asked
    assert [len(it) for it in (*whole, *of_a, *of_b)] == [50, 50, *[150] * 4]
    chance = np.random.default_rng(1)
    for name, kept, shuffled in (("a", of_a[1], of_a[0]), ("b", of_b[0], of_b[1])):
        np.testing.assert_array_equal(kept, np.tile(columns["b" if name == "a" else "a"], 3))
        drawn = [chance.permutation(columns[name]) for _ in range(3)]
        np.testing.assert_array_equal(shuffled, np.concatenate(drawn))
