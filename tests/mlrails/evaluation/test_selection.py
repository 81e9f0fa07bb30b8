"""Which metrics count, and that the chosen one is what everything goes by."""

from typing import Any

import numpy as np
import pytest

from mlrails.core.errors import UsageError
from mlrails.core.params import Costs, Evaluation, Task
from mlrails.evaluation import selection
from mlrails.evaluation.metrics import METRICS

COSTS = Costs(false_alarm=1, miss=5)


def rules(primary: str | None = None, **other: Any) -> Evaluation:
    return Evaluation(confidence=0.95, resamples=200, primary=primary, **other)


@pytest.mark.parametrize("task", Task)
def test_without_a_word_the_tasks_metrics_are_told_in_their_order(task: Task) -> None:
    assert list(selection.told(task, rules())) == list(METRICS[task])
    assert selection.primary(task, rules()) is METRICS[task][0]


def test_the_chosen_metric_comes_first() -> None:
    found = [metric.name for metric in selection.told(Task.CLASSIFICATION, rules("brier"))]
    assert found == ["brier", "roc_auc", "log_loss"]


@pytest.mark.parametrize(("name", "title"), [("pinball_5", "5%"), ("pinball_90", "90%")])
def test_a_quantile_is_named_in_its_loss(name: str, title: str) -> None:
    found = selection.primary(Task.REGRESSION, rules(name))
    assert (found.name, found.title) == (name, f"Pinball loss at {title}")


@pytest.mark.parametrize("name", ["pinball_0", "pinball_100", "pinball_05", "pinball_", "roc_auc"])
def test_what_no_number_is_measured_by_is_refused(name: str) -> None:
    words = f"params.yaml: 'evaluation.primary' = '{name}': no metric of regression .*; known: rmse"
    with pytest.raises(UsageError, match=words) as refused:
        selection.primary(Task.REGRESSION, rules(name))
    assert str(refused.value).endswith(", wape, pinball_QUANTILE")


def test_a_cost_needs_its_numbers() -> None:
    with pytest.raises(UsageError, match=r"'gate.floors.cost': needs 'evaluation.costs', such as"):
        selection.named("cost", "'gate.floors.cost'", Task.CLASSIFICATION, rules())
    found = selection.primary(Task.CLASSIFICATION, rules("cost", costs=COSTS))
    assert found.whole(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 3


@pytest.mark.parametrize("rule", ["f1", "youden", "cost"])
def test_decisions_are_held_against_what_their_threshold_goes_by(rule: str) -> None:
    asked = rules(threshold=rule, costs=COSTS)
    assert selection.of_decisions(Task.CLASSIFICATION, asked).name == rule
    assert selection.of_decisions(Task.MULTICLASS, asked).name == "macro_f1"


def test_a_target_that_the_metric_is_not_for_is_told_with_its_column() -> None:
    metric = selection.primary(Task.REGRESSION, rules("rmsle"))
    selection.check_targets([metric], np.array([0.0, 2.0]), "rent")
    words = r"^params.yaml: rmsle: is for targets from zero on, and 1 are below it in 'rent'; name"
    with pytest.raises(UsageError, match=words):
        selection.check_targets([metric], np.array([-1.0, 2.0]), "rent")
