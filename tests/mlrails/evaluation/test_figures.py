"""Figures: paired gains, honest groups, and the same value every time."""

import json
import threading
import warnings
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core import params
from mlrails.core.params import Task
from mlrails.evaluation import baselines
from mlrails.evaluation import figures as evaluation_figures
from mlrails.evaluation.figures import MODEL
from mlrails.evaluation.metrics import METRICS
from mlrails.evaluation.scored import Scored, labels
from mlrails.modeling import classes

RMSE = METRICS[Task.REGRESSION][0]
RULES = params.Evaluation(confidence=0.95, resamples=200)
COUNT = 1200


def scored(task: Task, days: int = 30) -> Scored:
    """Return rows with a good model, a twin of it, and a constant."""
    rng = np.random.default_rng(1)
    truth = rng.random(COUNT)
    days_apart = np.arange(COUNT) % days * np.timedelta64(1, "D")
    times = np.datetime64(date(2013, 9, 1), "us") + days_apart
    if task is Task.MULTICLASS:
        likely = rng.integers(0, 3, COUNT)
        model = classes.indicator(likely, 3) * 0.7 + 0.1
        target = np.where(truth < 0.8, likely, rng.integers(0, 3, COUNT)).astype(float)
        even = np.tile([0.3, 0.4, 0.3], (COUNT, 1))
        scores = {MODEL: model, "twin": model, "constant": even}
        return Scored(target, times, scores, classes=("a", "b", "c"))
    events = task is Task.CLASSIFICATION
    target = (rng.random(COUNT) < truth).astype(float) if events else truth
    model = truth if events else truth + rng.normal(0, 0.1, COUNT)
    return Scored(target, times, {MODEL: model, "twin": model, "constant": np.full(COUNT, 0.5)})


def figures(task: Task, days: int = 30) -> dict[str, Any]:
    return dict(evaluation_figures.figures(METRICS[task], scored(task, days), RULES, seed=1))


@pytest.mark.parametrize("task", Task)
def test_a_gain_is_above_zero_where_the_model_is_better_whichever_way_the_metric_goes(
    task: Task,
) -> None:
    for found in figures(task).values():
        gain = found["gains"]["constant"]
        assert 0 < gain["low"] < gain["value"] < gain["high"]


@pytest.mark.parametrize("task", Task)
def test_the_gain_over_a_twin_is_nothing_since_gains_are_paired(task: Task) -> None:
    for found in figures(task).values():
        assert found["gains"]["twin"] == {"value": 0, "low": 0, "high": 0}
        model = found["models"][MODEL]
        assert model["low"] < model["value"] < model["high"]


@pytest.mark.parametrize("task", Task)
def test_a_baseline_that_is_not_beaten_is_named_as_good(task: Task) -> None:
    names = [metric.name for metric in METRICS[task]]
    assert evaluation_figures.as_good(figures(task)) == {name: ["twin"] for name in names}


def test_with_a_single_day_there_is_no_interval_and_nothing_is_beaten() -> None:
    found = figures(Task.CLASSIFICATION, days=1)
    assert np.isnan(found["brier"]["models"][MODEL]["low"])
    assert evaluation_figures.as_good(found)["brier"] == ["twin", "constant"]


@pytest.mark.parametrize("task", Task)
def test_the_same_rows_give_the_same_figures(task: Task) -> None:
    assert json.dumps(figures(task)) == json.dumps(figures(task))


def test_without_time_rows_are_drawn_in_groups() -> None:
    whole = scored(Task.CLASSIFICATION)
    timeless = Scored(whole.target, None, whole.scores)
    found = evaluation_figures.figures(METRICS[Task.CLASSIFICATION], timeless, RULES, seed=1)
    assert found["brier"]["gains"]["constant"]["low"] > 0


@pytest.mark.parametrize("task", Task)
def test_groups_are_in_order_and_a_small_one_says_nothing(task: Task) -> None:
    labels = np.where(np.arange(COUNT) < 1000, "UA", "AA").astype(object)
    labels[:50] = "ZZ"
    metric = METRICS[task][0]
    name = metric.name
    found = evaluation_figures.groups(metric, scored(task), labels.astype(str), RULES, seed=1)
    assert [(group["name"], group["rows"]) for group in found] == [
        ("AA", 200),
        ("UA", 950),
        ("ZZ", 50),
    ]
    assert found[2][name] is None
    assert found[1][name]["low"] < found[1][name]["value"] < found[1][name]["high"]


def test_the_whole_as_one_group_has_the_figure_of_the_whole() -> None:
    (found,) = evaluation_figures.groups(
        RMSE, scored(Task.REGRESSION), np.full(COUNT, "all"), RULES, seed=1
    )
    assert found["rmse"] == figures(Task.REGRESSION)["rmse"]["models"][MODEL]


def test_bias_is_told_with_its_interval() -> None:
    rows = scored(Task.REGRESSION)
    high = Scored(rows.target, rows.times, {MODEL: rows.scores[MODEL] + 0.25})
    found = evaluation_figures.bias(high, RULES, seed=1)
    assert found["low"] < 0.25 < found["high"]
    assert found["value"] == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("dtype", ["str", "object"])
def test_labels_keep_their_whole_names_where_one_is_missing(dtype: str) -> None:
    owners = pd.Series(["owner", "other", None, "a\0", "a"], dtype=dtype)
    assert labels(owners).tolist() == ["owner", "other", "missing", "a\0", "a"]
    assert labels(["missing", None]).tolist() == ["missing", "(missing)"]


def test_the_model_has_one_thread_and_simple_models_another_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, asked, fit = rows.fitted(Task.CLASSIFICATION), threading.Event(), baselines.fit
    threads = []

    class Watched:
        encoder = model.encoder

        def scores_of(self, matrix: Any) -> Any:
            threads.append(threading.current_thread())
            asked.set()
            return model.scores_of(matrix)

    def fitted(*of: Any) -> Any:
        assert asked.wait(60), "the model waits for the simple ones"
        threads.append(threading.current_thread())
        return fit(*of)

    monkeypatch.setattr(baselines, "fit", fitted)
    watched: Any = Watched()
    found = evaluation_figures.score(rows.parameters(), watched, rows.parts())
    assert next(iter(found["test"].scores)) == MODEL and len(found["test"].scores) > 2
    assert len({*threads}) == 2 and threads.count(threading.current_thread()) == len(found)


def test_no_filter_of_warnings_is_left_where_two_threads_have_set_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As scikit-learn does in each of its checks: who ends last puts back what the other had."""
    model, fit = rows.fitted(Task.CLASSIFICATION), baselines.fit
    inside, crossed, outside = (threading.Event() for _ in range(3))

    class Crossing:
        encoder = model.encoder

        def scores_of(self, matrix: Any) -> Any:
            assert inside.wait(60)
            with warnings.catch_warnings():
                crossed.set()
                assert outside.wait(60)
                return model.scores_of(matrix)

    def fitted(*of: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnicodeWarning)
            inside.set()
            assert crossed.wait(60)
        found = fit(*of)
        outside.set()
        return found

    monkeypatch.setattr(baselines, "fit", fitted)
    before = [*warnings.filters]
    crossing: Any = Crossing()
    evaluation_figures.score(rows.parameters(), crossing, rows.parts())
    assert [*warnings.filters] == before


def test_what_a_simple_model_stumbles_over_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(*_: Any) -> None:
        raise KeyError("hour")

    monkeypatch.setattr(baselines, "fit", failed)
    with pytest.raises(KeyError, match="hour"):
        evaluation_figures.score(rows.parameters(), rows.fitted(Task.CLASSIFICATION), rows.parts())
