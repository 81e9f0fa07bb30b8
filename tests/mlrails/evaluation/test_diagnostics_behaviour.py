"""What the report draws: plain values, and all of them."""

import json

import numpy as np

from mlrails.core.params import Task
from mlrails.evaluation.diagnostics import behaviour

RNG = np.random.default_rng(1)
SCORE = RNG.random(300)
EVENT = (RNG.random(300) < SCORE).astype(float)


def test_events_have_curves_calibration_and_confusion_at_the_threshold() -> None:
    found = behaviour(Task.CLASSIFICATION, EVENT, SCORE, 0.4)
    assert found["threshold"] == 0.4
    assert found["confusion"]["true_positive"] == int(np.sum((SCORE >= 0.4) & (EVENT > 0)))
    assert sum(found["confusion"].values()) == 300
    assert len(found["calibration"]["rows"]) == 10
    assert found["roc"]["x"][-1] == found["precision_recall"]["x"][-1] == 1
    assert 0.5 < found["average_precision"] < 1


def test_numbers_have_residuals_and_a_finer_calibration() -> None:
    found = behaviour(Task.REGRESSION, SCORE + 1, SCORE, None)
    assert found["residuals"]["quantiles"]["0.5"] == 1
    assert len(found["calibration"]["rows"]) == 20
    assert found["calibration_error"] == 1


def test_all_of_it_is_plain_json() -> None:
    for task in Task:
        several = np.column_stack([1 - SCORE, SCORE])
        found = behaviour(task, EVENT, several if task is Task.MULTICLASS else SCORE, 0.5)
        assert json.loads(json.dumps(found, allow_nan=False)) == found
