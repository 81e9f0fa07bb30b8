"""Outcomes of classes: what is unknown counts as wrong, and what is rare does no harm."""

import json

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core.params import Task
from mlrails.evaluation import figures, outcomes
from mlrails.evaluation.bootstrap import draws
from mlrails.evaluation.metrics import METRICS

LOG_LOSS, AREA, BRIER, MACRO_F1, ACCURACY = METRICS[Task.MULTICLASS]
TARGET = np.array([0.0, 1.0, 2.0, 0.0])
"""The last class but one row is unknown to the model, which gives it nothing."""
SCORE = np.array([[0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.9, 0.1, 0.0], [0.6, 0.4, 0.0]])


def test_a_class_that_the_model_does_not_know_counts_as_wrong_with_a_finite_loss() -> None:
    assert ACCURACY.whole(TARGET, SCORE) == 0.75
    known = LOG_LOSS.whole(TARGET[TARGET < 2], SCORE[TARGET < 2])
    assert LOG_LOSS.whole(TARGET, SCORE) == pytest.approx((3 * known + 34.54) / 4, rel=1e-3)
    assert MACRO_F1.whole(TARGET, SCORE) == pytest.approx((0.8 + 1 + 0) / 3)
    assert AREA.whole(TARGET, SCORE) == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert BRIER.whole(TARGET, SCORE) == pytest.approx((0.08 + 0.18 + 1.82 + 0.32) / 4)


def test_a_draw_without_a_rare_class_has_the_mean_of_the_others() -> None:
    target = np.array([0.0, 1.0, 0.0, 1.0, 2.0])
    score = np.eye(3)[[0, 1, 0, 1, 2]]
    day = np.array([0, 0, 1, 1, 2])
    drawn = draws(3, 50, 1)
    several = drawn[drawn[:, :2].sum(axis=1) > 0]
    assert (several[:, 2] == 0).any()
    for metric in METRICS[Task.MULTICLASS]:
        values = metric.by_block(target, score, day)(several)
        assert np.isfinite(values).all(), metric.name
        assert values.max() - values.min() < 1e-9


def test_a_draw_of_one_class_has_no_area() -> None:
    values = AREA.by_block(np.zeros(3), np.full((3, 2), 0.5), np.arange(3))(np.ones((1, 3)))
    assert np.isnan(values).all()


def test_what_has_a_mean_is_whether_the_call_was_right_and_how_sure_it_was() -> None:
    found = outcomes.plain(TARGET, SCORE)
    assert found.target.tolist() == [1, 1, 0, 1]
    assert found.score.tolist() == [0.8, 0.7, 0.9, 0.6]
    assert outcomes.plain(TARGET, TARGET).score is TARGET


def test_the_confusion_has_the_commonest_classes_and_the_rest_as_one() -> None:
    rng = np.random.default_rng(1)
    target = np.sort(rng.integers(0, 40, 4000)).astype(float)
    target[:200] = 39
    called = rng.permutation(target)
    found = outcomes.confusion(target, np.eye(40)[called.astype(int)])
    assert np.sum(found["rows"]) == 4000
    assert (len(found["classes"]), found["others"], len(found["rows"])) == (20, 20, 21)
    assert found["classes"][0] == 39
    assert json.loads(json.dumps(found)) == found
    told = [it["rows"] for it in found["mistakes"]]
    assert len(told) == 10
    assert told == sorted(told, reverse=True)
    assert all(it["actual"] != it["called"] for it in found["mistakes"])


def test_a_class_of_the_test_rows_alone_is_found_and_one_of_the_training_rows_alone_too() -> None:
    params = rows.parameters(Task.MULTICLASS)
    parts = {part: frame.copy() for part, frame in rows.parts().items()}
    parts["test"].iloc[:5, parts["test"].columns.get_loc("punctuality")] = "diverted"
    parts["train"].iloc[:1, parts["train"].columns.get_loc("punctuality")] = "cancelled"
    model = rows.fit_on(params, parts["train"], parts["validation"])
    found = figures.of_model(params, model, parts)
    assert found["strangers"] == {"diverted": 5}
    seen = {it["name"]: it["rows"] for it in found["classes"]}
    assert seen["diverted"] == {"train": 0, "validation": 0, "test": 5}
    assert seen["cancelled"] == {"train": 1, "validation": 0, "test": 0}
    of_model = {name: it["models"]["model"]["value"] for name, it in found["test"].items()}
    assert all(np.isfinite(value) for value in of_model.values())
    assert "diverted" not in model.predict(parts["test"])["prediction"]


def test_numbers_are_as_they_were_where_there_are_no_classes() -> None:
    assert outcomes.numbers(pd.Series([True, False]), ()).tolist() == [1.0, 0.0]
