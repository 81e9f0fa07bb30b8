"""A row of weight 2 is the row twice, in every figure; and weights of 1 are none, to the byte."""

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core.params import Costs, Data, Evaluation, Task
from mlrails.evaluation import baselines, bootstrap, catalogue, comparison, diagnostics
from mlrails.evaluation import figures as evaluation_figures
from mlrails.evaluation.bootstrap import draws
from mlrails.evaluation.metrics import BIAS, DECISIONS, METRICS, Metric
from mlrails.evaluation.scored import Scored, costs_at_thresholds
from mlrails.modeling.dataset import Labelled, weights

DAYS, COUNT, CLASSES = 12, 300, 4
OF_ONE_SCORE = (Task.CLASSIFICATION, Task.REGRESSION)
"""Tasks whose models give one number for each row."""
COSTS = Costs(false_alarm=1, miss=5)
EVERY = [
    *(
        (task, metric)
        for task in METRICS
        for metric in (*METRICS[task], *catalogue.MORE.get(task, ()))
    ),
    *((Task.CLASSIFICATION, metric) for metric in (*DECISIONS.values(), catalogue.cost(COSTS))),
    *((Task.REGRESSION, metric) for metric in (BIAS, catalogue.pinball(80))),
]
SAMPLE = tuple[np.ndarray, np.ndarray, np.ndarray]


def sample(task: Task, metric: Metric | None = None) -> SAMPLE:
    """Return target, score or call with many ties, and day of 300 rows."""
    rng = np.random.default_rng(1)
    day = np.concatenate([np.arange(DAYS), rng.integers(0, DAYS, COUNT - DAYS)])
    score = rng.integers(1, 10, COUNT) / 10
    if task is Task.MULTICLASS:
        odds = rng.integers(1, 10, (COUNT, CLASSES)).astype(float)
        chances = odds / odds.sum(axis=1, keepdims=True)
        target = (rng.random((COUNT, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
        return target.astype(float), chances, day
    if task is Task.CLASSIFICATION:
        target = (rng.random(COUNT) < score).astype(float)
        return target, (score > 0.4).astype(float) if metric and metric.of_calls else score, day
    return score * 100 + rng.integers(0, 20, COUNT), score * 100, day


def weight() -> np.ndarray:
    """Return whole weights, so that a row can stand as often."""
    return np.random.default_rng(2).integers(1, 4, COUNT).astype(float)


def copied(*columns: np.ndarray) -> list[np.ndarray]:
    """Return each row as often as it weighs."""
    return [np.repeat(it, weight().astype(int), axis=0) for it in columns]


@pytest.mark.parametrize(("task", "metric"), EVERY, ids=lambda it: getattr(it, "name", str(it)))
def test_a_weight_is_the_row_so_many_times(task: Task, metric: Metric) -> None:
    given, drawn = sample(task, metric), draws(DAYS, 50, seed=3)
    weighed = metric.by_block(*given, weight())(drawn)
    np.testing.assert_allclose(weighed, metric.by_block(*copied(*given))(drawn), rtol=1e-9)
    np.testing.assert_allclose(
        weighed, metric.by_block(*given, weight() / weight().mean())(drawn), rtol=1e-9
    )
    assert (weighed != metric.by_block(*given)(drawn)).any()


@pytest.mark.parametrize(("task", "metric"), EVERY, ids=lambda it: getattr(it, "name", str(it)))
def test_weights_of_one_are_none_to_the_byte(task: Task, metric: Metric) -> None:
    given, drawn = sample(task, metric), draws(DAYS, 50, seed=3)
    found = metric.by_block(*given, np.ones(COUNT))(drawn)
    assert found.tobytes() == metric.by_block(*given)(drawn).tobytes()


@pytest.mark.parametrize("task", OF_ONE_SCORE)
def test_an_interval_of_weighted_days_is_that_of_the_copied_rows(task: Task) -> None:
    target, score, day = sample(task)
    metric = METRICS[task][0]
    worse = score + np.random.default_rng(3).normal(0, 0.1 * score.std(), COUNT)

    def gain(
        target: np.ndarray,
        score: np.ndarray,
        worse: np.ndarray,
        day: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> list[float]:
        times = np.datetime64("2013-01-01") + day.astype("timedelta64[D]")
        on = comparison.rows(target, times, 100, 1, weight=weight)
        found = comparison.gain(metric, score, worse, on, 0.95)
        return [found.value, found.low, found.high]

    found = gain(target, score, worse, day, weight())
    np.testing.assert_allclose(found, gain(*copied(target, score, worse, day)), rtol=1e-6)


def matrices(task: Task) -> tuple[np.ndarray, np.ndarray]:
    encoder = rows.fitted(task).encoder
    train = rows.parts()["train"][:COUNT]
    return encoder.encode(train), train[rows.parameters(task).data.target].to_numpy(float)


@pytest.mark.parametrize("task", OF_ONE_SCORE)
def test_baselines_of_weighted_rows_are_those_of_the_copied_rows(task: Task) -> None:
    matrix, target = matrices(task)
    encoder = rows.fitted(task).encoder
    weighed = baselines.fit(task, encoder, matrix, target, weight())
    twice = baselines.fit(task, encoder, *copied(matrix, target))
    plain = baselines.fit(task, encoder, matrix, target)
    assert list(weighed) == list(twice)
    for name, scorer in weighed.items():
        expected = twice[name](matrix)
        np.testing.assert_allclose(scorer(matrix), expected, rtol=1e-5, atol=1e-5, err_msg=name)
        assert name == "constant median" or np.abs(plain[name](matrix) - expected).max() > 1e-4


def test_a_group_that_was_never_seen_has_the_overall_mean() -> None:
    codes, target = np.array([0.0, 0, 1, np.nan])[:, None], np.array([1.0, 2, 3, 4])
    grouped = [baselines.Grouped("letter", 0, 1.0)]
    means = baselines.fit_groups(grouped, codes, target, np.array([1.0, 1, 1, 2]))
    overall = 14 / 5
    expected = [(3 + 20 * overall) / 22, (3 + 20 * overall) / 21, (8 + 20 * overall) / 22, overall]
    found = means(np.array([0.0, 1, np.nan, 7])[:, None])[:, 0]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("rule", ["f1", "youden", "cost"])
def test_a_threshold_of_weighted_rows_is_that_of_the_copied_rows(rule: str) -> None:
    rng = np.random.default_rng(4)
    score = rng.random(COUNT).round(2)
    target = (rng.random(COUNT) < score).astype(float)
    choose = diagnostics.choose_threshold
    found = choose(rule, target, score, COSTS, weight())  # type: ignore[arg-type]
    expected = choose(rule, *copied(target, score), COSTS)  # type: ignore[arg-type]
    assert found == expected
    tiny = choose(rule, target, score, COSTS, weight() / 1e6)  # type: ignore[arg-type]
    assert tiny == expected


@pytest.mark.parametrize("task", OF_ONE_SCORE)
def test_the_behaviour_of_weighted_rows_is_that_of_the_copied_rows(task: Task) -> None:
    target, score, _ = sample(task)
    found = diagnostics.behaviour(task, target, score, 0.4, weight())
    twice = diagnostics.behaviour(task, *copied(target, score), 0.4)
    assert found["mean_score"] == pytest.approx(twice["mean_score"], abs=1e-6)
    if task is Task.CLASSIFICATION:
        assert found["confusion"] == twice["confusion"]
        assert found["average_precision"] == pytest.approx(twice["average_precision"], abs=1e-6)
        for curve in ("roc", "precision_recall"):
            np.testing.assert_allclose(found[curve]["y"], twice[curve]["y"])
    else:
        np.testing.assert_allclose(
            found["residuals"]["histogram"]["counts"], twice["residuals"]["histogram"]["counts"]
        )


def test_costs_of_weighted_rows_are_those_of_the_copied_rows() -> None:
    target, score, _ = sample(Task.CLASSIFICATION)
    found = costs_at_thresholds(target, score, 0.4, COSTS, weight())
    twice = costs_at_thresholds(*copied(target, score), 0.4, COSTS)
    costs = [
        {name: it["cost"] for name, it in each["thresholds"].items()} for each in (found, twice)
    ]
    assert costs[0] == pytest.approx(costs[1])


@pytest.mark.parametrize("task", OF_ONE_SCORE)
def test_figures_of_weights_that_are_all_alike_are_those_without(task: Task) -> None:
    frame = pd.DataFrame(dict(zip(("y", "p", "day"), sample(task), strict=True)))
    frame["when"] = np.datetime64("2013-01-01") + frame["day"].to_numpy("timedelta64[D]")
    rules = Evaluation(confidence=0.95, resamples=100)

    def found(column: str | None, values: float | np.ndarray = 1.0) -> object:
        data = Data(target="y", time="when", weight=column)
        scored = Scored.from_rows(data, frame.assign(w=values), {"model": frame["p"].to_numpy()})
        return evaluation_figures.figures(METRICS[task], scored, rules, 1)

    assert found("w") == found("w", 2.5) == found(None)
    assert found("w", weight()) != found(None)


def test_weights_are_one_on_the_average_and_none_where_all_are_alike() -> None:
    frame = pd.DataFrame({"w": [1.0, 2.0, 3.0], "same": [7.0, 7.0, 7.0]})
    found = weights(frame, "w")
    assert found is not None and found.tolist() == [0.5, 1.0, 1.5]
    assert weights(frame, "same") is weights(frame, None) is weights(frame[:0], "w") is None


def test_an_estimator_that_knows_no_weights_unpacks_matrix_and_target() -> None:
    matrix, target = Labelled(np.zeros((2, 1)), np.ones(2), np.ones(2))
    assert (matrix.shape, target.shape) == ((2, 1), (2,))


def test_a_sample_draws_the_same_blocks_with_weights_and_without() -> None:
    """What is drawn is what rows share; what a row weighs is no luck."""
    (plain,) = bootstrap.sample(COUNT, None, 10, 1).kinds
    on = comparison.rows(np.zeros(COUNT), None, 10, 1, weight=weight())
    assert on.sample.kinds[0].of_row.tolist() == plain.of_row.tolist()
