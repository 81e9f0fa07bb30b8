"""Simple models: what they predict, and that they learn as much as they can."""

import numpy as np
import pytest
import rows
from sklearn.metrics import roc_auc_score

from flight_delays import features
from mlrails.core.params import Params, Task
from mlrails.evaluation import baselines
from mlrails.evaluation.baselines import Grouped

NAN = np.nan


def fitted(params: Params) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the test rows' scores by baseline, and their targets."""
    parts, chosen = rows.parts(), params.features
    encoder = features.fit_encoder(
        parts["train"], chosen.numeric, chosen.categorical, params.data.time, chosen.calendar
    )
    target = {part: frame[params.data.target].to_numpy(float) for part, frame in parts.items()}
    simple = baselines.fit(params.task, encoder, encoder.encode(parts["train"]), target["train"])
    matrix = encoder.encode(parts["test"])
    return {name: scores(matrix) for name, scores in simple.items()}, target["test"]


def test_the_constants_are_the_middle_of_the_training_rows() -> None:
    train = rows.parts()["train"]
    late, _ = fitted(rows.parameters(Task.CLASSIFICATION))
    delay, _ = fitted(rows.parameters(Task.REGRESSION))
    assert set(late["constant rate"]) == {train["late"].mean()}
    assert set(delay["constant mean"]) == {train["arr_delay"].mean()}
    assert set(delay["constant median"]) == {train["arr_delay"].median()}


def test_each_baseline_of_events_knows_more_than_the_one_before() -> None:
    found, target = fitted(rows.parameters(Task.CLASSIFICATION))
    names = ["constant rate", "rate by hour", "logistic regression"]
    areas = [roc_auc_score(target, found[name]) for name in names]
    assert list(found) == names
    assert areas == sorted(areas)
    assert areas[0] == 0.5
    assert areas[2] > areas[1] + 0.03 > 0.6
    assert all(0 <= scores.min() <= scores.max() <= 1 for scores in found.values())


def test_each_baseline_of_numbers_knows_more_than_the_one_before() -> None:
    found, target = fitted(rows.parameters(Task.REGRESSION))
    errors = {name: np.square(scores - target).mean() for name, scores in found.items()}
    assert list(errors) == [
        "constant mean",
        "constant median",
        "mean by hour",
        "ridge regression",
    ]
    assert errors["constant mean"] > errors["mean by hour"] > errors["ridge regression"]


def test_the_mean_of_a_small_group_is_drawn_towards_the_overall_mean() -> None:
    matrix = np.array([[0.0], [0.0], [1.0], [NAN]])
    means = baselines.fit_groups([Grouped("zone", 0, 1.0)], matrix, np.array([1.0, 1.0, 0.0, 0.0]))
    drawn = [[(2 + 20 * 0.5) / 22], [(20 * 0.5) / 21], [0.5]]
    assert means(np.array([[0.0], [1.0], [2.0]])) == pytest.approx(np.array(drawn))


def test_a_group_that_was_never_seen_gets_the_overall_mean() -> None:
    matrix = np.column_stack([np.zeros(4000), np.repeat([0.0, 59.0, 60.0, 119.0], 1000)])
    means = baselines.fit_groups([Grouped("hour", 1, 60.0)], matrix, np.repeat([0.0, 1.0], 2000))
    column = np.array([0.0, 30.0, 60.0, 119.0, 120.0, 1e9, NAN])
    found = means(np.column_stack([np.zeros(7), column]))[:, 0]
    assert found == pytest.approx([0.0, 0.0, 1.0, 1.0, 0.5, 0.5, 0.5], abs=0.01)
    assert found[4:].tolist() == [0.5, 0.5, 0.5]


def test_rows_without_a_category_are_a_group_where_there_were_some() -> None:
    matrix = np.repeat([[0.0], [NAN]], 1000, axis=0)
    means = baselines.fit_groups([Grouped("zone", 0, 1.0)], matrix, np.repeat([0.0, 1.0], 1000))
    assert means(np.array([[0.0], [NAN]]))[:, 0] == pytest.approx([0.0, 1.0], abs=0.02)


def test_no_groups_have_no_means() -> None:
    assert baselines.fit_groups([], np.ones((3, 2)), np.ones(3))(np.ones((5, 2))).shape == (5, 0)


def test_without_a_time_of_day_there_is_no_mean_of_the_hour() -> None:
    params = rows.parameters(features={"numeric": ["distance"], "categorical": ["carrier"]})
    found, _ = fitted(params)
    assert list(found) == ["constant rate", "logistic regression"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("task", Task)
def test_columns_without_a_single_value_do_no_harm(task: Task) -> None:
    encoder = features.Encoder(None, (), ("carrier",), ((),), ("distance", "temp"))
    matrix = np.array([[NAN, 1.0, NAN], [NAN, 2.0, NAN], [NAN, NAN, NAN]] * 20)
    target = np.array([0.0, 1.0, 1.0] * 20)
    simple = baselines.fit(task, encoder, matrix, target, None, 2)
    assert all(np.isfinite(scores(matrix)).all() for scores in simple.values())
