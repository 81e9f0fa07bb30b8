"""What is called: thresholds of baselines are chosen as the model's is, constants call alike."""

import numpy as np
import pytest

from mlrails.core.params import Costs, Evaluation, Task
from mlrails.evaluation import selection
from mlrails.evaluation.diagnostics import choose_threshold, threshold_of
from mlrails.evaluation.scored import called, costs_at_thresholds, thresholds

TARGET = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
SCORE = np.array([0.9, 0.8, 0.1, 0.2, 0.6, 0.5, 0.1, 0.3])


def rules(primary: str, miss: float = 5.0) -> Evaluation:
    costs = Costs(false_alarm=1, miss=miss)
    return Evaluation(
        confidence=0.95, resamples=200, primary=primary, threshold="cost", costs=costs
    )


def test_a_baseline_is_given_the_threshold_of_the_rule() -> None:
    asked = rules("cost")
    metric = selection.primary(Task.CLASSIFICATION, asked)
    found = thresholds(metric, asked, TARGET, {"linear": SCORE})
    assert found == {"linear": choose_threshold("cost", TARGET, SCORE, asked.costs)}


@pytest.mark.parametrize(
    ("primary", "miss", "everybody"),
    [("cost", 2.0, False), ("cost", 4.0, True), ("f1", 2.0, True), ("accuracy", 9.0, False)],
)
def test_a_constant_calls_everybody_or_nobody_as_is_better(
    primary: str, miss: float, everybody: bool
) -> None:
    asked = rules(primary, miss)
    metric = selection.primary(Task.CLASSIFICATION, asked)
    found = thresholds(metric, asked, TARGET, {"rate": np.full(8, 0.25)})
    assert called(np.full(8, 0.25), found["rate"]).tolist() == [float(everybody)] * 8


def test_a_model_without_a_threshold_calls_from_a_half_on() -> None:
    assert called(np.array([0.4, 0.5]), threshold_of(None)).tolist() == [0, 1]
    assert threshold_of(0.2) == 0.2


def test_the_cost_of_the_threshold_is_told_beside_others() -> None:
    rng = np.random.default_rng(1)
    score = rng.random(400)
    target = (rng.random(400) < score).astype(float)
    found = costs_at_thresholds(target, score, 0.4, Costs(false_alarm=1, miss=4))
    at = found["thresholds"]
    assert at["balance"]["threshold"] == 0.2
    assert at["nobody"]["missed"] == target.sum() and at["nobody"]["false_alarms"] == 0
    assert at["everybody"]["false_alarms"] == (1 - target).sum() and at["everybody"]["missed"] == 0
    for it in at.values():
        assert it["cost"] == pytest.approx((it["false_alarms"] + 4 * it["missed"]) / 400, abs=1e-6)
    assert at["hindsight"]["cost"] == min(it["cost"] for it in at.values())
    curve = dict(zip(found["cost_curve"]["x"], found["cost_curve"]["y"], strict=True))
    assert len(curve) == 200
    assert min(curve.values()) >= at["hindsight"]["cost"]
    assert curve[min(curve)] == at["everybody"]["cost"]
    assert curve[max(curve)] == at["nobody"]["cost"]
