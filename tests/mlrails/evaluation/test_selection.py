"""Which metrics count, and that the chosen one is what everything goes by."""

import pytest

from mlrails.core.params import Evaluation, Task
from mlrails.evaluation import selection
from mlrails.evaluation.metrics import METRICS


def rules(primary: str | None = None) -> Evaluation:
    return Evaluation(confidence=0.95, resamples=200, primary=primary)


@pytest.mark.parametrize("task", Task)
def test_without_a_word_the_tasks_metrics_are_told_in_their_order(task: Task) -> None:
    assert list(selection.told(task, rules())) == list(METRICS[task])
    assert selection.primary(task, rules()) is METRICS[task][0]


def test_the_chosen_metric_comes_first() -> None:
    found = [metric.name for metric in selection.told(Task.CLASSIFICATION, rules("brier"))]
    assert found == ["brier", "roc_auc", "log_loss"]
