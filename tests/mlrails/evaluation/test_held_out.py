"""What the validation rows set after the fit: the level of scores, and a threshold of these."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import rows

from flight_delays import model as module
from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.evaluation.held_out import levels, settle
from mlrails.evaluation.scored import Scored
from mlrails.modeling.dataset import Labelled

FRAME = rows.parts()["validation"]
each_task = pytest.mark.parametrize("task", Task)


def logit(shares: np.ndarray) -> np.ndarray:
    return np.log(shares / (1 - shares))


def events(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and probabilities whose log-odds are off by 1."""
    chance = np.random.default_rng(3)
    odds = chance.normal(-1, 1, count)
    came = chance.random(count) < 1 / (1 + np.exp(-odds - 1))
    return came.astype(float), 1 / (1 + np.exp(-odds))


def of(task: Task, share: float | None = 1.0) -> module.Predictor:
    """Return the tests' model, its level set by the validation rows where a share is given."""
    told = rows.values(task)["estimator"] | ({"calibration": share} if share else {})
    return settle.settled(rows.parameters(task, estimator=told), bare(task), held_out(task), FRAME)


def bare(task: Task) -> module.Predictor:
    return replace(rows.fitted(task), threshold=None)


def held_out(task: Task, weight: np.ndarray | None = None) -> Labelled:
    frame, model = FRAME, rows.fitted(task)
    target = Scored.from_rows(rows.parameters(task).data, frame, {}, model.classes).target
    return Labelled(model.encoder.encode(frame), target, weight)


def test_all_of_a_level_that_is_off_is_set_right_and_of_the_half_the_half() -> None:
    came, said = events()
    (whole,) = levels.level(Task.CLASSIFICATION, came, said, None, 1.0)
    (half,) = levels.level(Task.CLASSIFICATION, came, said, None, 0.5)
    assert np.log(whole) == pytest.approx(1, abs=0.1)
    assert np.log(half) == pytest.approx(np.log(whole) / 2, abs=1e-5)
    odds = whole * said / (1 - said)
    assert np.mean(odds / (1 + odds)) == pytest.approx(came.mean(), abs=1e-3)


def test_rows_that_weigh_more_say_more() -> None:
    came, said = events()
    weight = np.where(came > 0, 2.0, 1.0)
    (even,) = levels.level(Task.CLASSIFICATION, came, said, None, 1.0)
    (found,) = levels.level(Task.CLASSIFICATION, came, said, weight / weight.mean(), 1.0)
    twice = np.concatenate([came, came[came > 0]]), np.concatenate([said, said[came > 0]])
    (again,) = levels.level(Task.CLASSIFICATION, *twice, None, 1.0)
    assert found == pytest.approx(again, rel=2e-3) and found > 1.3 * even


def test_a_class_that_no_row_has_keeps_some_chance() -> None:
    chance = np.random.default_rng(0)
    said = chance.dirichlet([5, 4, 1], 300)
    came = chance.integers(0, 2, 300).astype(float)
    found = np.array(levels.level(Task.MULTICLASS, came, said, None, 1.0))
    assert np.isfinite(found).all() and 0 < found[2] < 0.2 * found[:2].min()


def test_few_rows_say_little_and_none_nothing() -> None:
    some = levels.level(Task.REGRESSION, np.full(10, 8.0), np.zeros(10), None, 1.0)
    many = levels.level(Task.REGRESSION, np.full(9990, 8.0), np.zeros(9990), None, 1.0)
    assert some == (4.0,) and many == pytest.approx((8.0,), abs=0.01)
    assert levels.level(Task.REGRESSION, np.empty(0), np.empty(0), None, 1.0) == ()


@each_task
def test_a_moved_level_comes_nearer_to_what_came_and_keeps_every_order(task: Task) -> None:
    before, after = of(task, None), of(task)
    seen = held_out(task)
    old, new = (it.scores_of(seen.matrix).reshape(len(seen.target), -1) for it in (before, after))
    came = seen.target[:, None] if old.shape[1] == 1 else np.eye(3)[seen.target.astype(int)]
    off = [np.abs(np.mean(it - came, axis=0)).max() for it in (old, new)]
    assert off[1] < 0.1 * off[0]
    assert not np.array_equal(old, new)
    if old.shape[1] == 1:
        assert (np.diff(new[np.argsort(old[:, 0], kind="stable"), 0]) >= 0).all()
    else:  # The odds of any two classes move by one factor for all rows.
        moved = (new[:, 1] / new[:, 0]) / (old[:, 1] / old[:, 0])
        np.testing.assert_allclose(moved, moved[0])
        np.testing.assert_allclose(new.sum(axis=1), 1)


def test_two_classes_are_moved_as_an_event_is() -> None:
    model = of(Task.CLASSIFICATION, None)
    matrix = held_out(Task.CLASSIFICATION).matrix
    event = replace(model, level=(2.0,)).scores_of(matrix)
    both = replace(model, classes=("no", "yes"), level=(1.0, 2.0)).scores_of(matrix)
    np.testing.assert_allclose(both[:, 1], event, rtol=1e-12)


def test_a_threshold_is_one_of_the_scores_that_callers_see() -> None:
    """On the scores of before it would call another share of the rows."""
    seen, shift = held_out(Task.CLASSIFICATION), 0.25
    before, after = of(Task.CLASSIFICATION, None), of(Task.CLASSIFICATION)
    assert before.threshold is not None and after.threshold is not None
    assert logit(np.array(after.threshold)) - logit(np.array(before.threshold)) == pytest.approx(
        np.log(after.level[0]), abs=1e-3
    )
    called = [np.mean(it.scores_of(seen.matrix) >= it.threshold) for it in (before, after)]
    assert called[0] == pytest.approx(called[1], abs=1e-3)
    wrong = replace(after, level=(shift,), threshold=before.threshold)
    assert np.mean(wrong.scores_of(seen.matrix) >= before.threshold) < called[0] - 0.05


@each_task
def test_what_nobody_asks_for_leaves_the_bytes_and_what_is_set_comes_back(
    task: Task, tmp_path: Path
) -> None:
    assert rows.digest_of(of(task, None)) == rows.digest_of(rows.fitted(task))
    model = of(task)
    model.save(tmp_path)
    told = json.loads((tmp_path / "predictor.json").read_text("utf-8"))
    assert tuple(told["level"]) == module.load(tmp_path).level == model.level
    few = rows.parts()["test"].head(20)
    np.testing.assert_array_equal(module.load(tmp_path).scores(few), model.scores(few))
    assert len(model.scores(few.head(0))) == 0


def test_a_model_that_has_no_place_for_a_level_is_told_of() -> None:
    @dataclass(frozen=True)
    class Before:
        threshold: float | None = None

        def scores_of(self, matrix: np.ndarray) -> np.ndarray:
            return matrix[:, 0]

    seen = Labelled(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(UsageError, match=r"'estimator\.calibration' asks .* 'level'"):
        told = rows.values(Task.REGRESSION)["estimator"] | {"calibration": 1}
        settle.settled(rows.parameters(Task.REGRESSION, estimator=told), Before(), seen, FRAME)


@pytest.mark.parametrize("share", [0, -0.5, 1.5, "half", True])
def test_a_share_that_is_none_is_refused(share: object) -> None:
    told = rows.values()["estimator"] | {"calibration": share}
    with pytest.raises(UsageError, match=r"params\.yaml: 'estimator\.calibration'"):
        rows.fit(rows.parameters(estimator=told))
