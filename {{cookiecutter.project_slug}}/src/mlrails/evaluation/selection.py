"""Which metrics count: the one that models are compared by, and those that are told beside it."""

from collections.abc import Mapping, Sequence

from ..core.errors import UsageError, nearest
from ..core.params import FILE, Evaluation, Task
from .metrics import METRICS, Metric


def known(task: Task, rules: Evaluation) -> Mapping[str, Metric]:
    """Return every metric that a task has, by its name."""
    return {metric.name: metric for metric in METRICS[task]}


def primary(task: Task, rules: Evaluation) -> Metric:
    """Return the metric that models are compared by: `evaluation.primary`, or the task's first.

    Raises UsageError for a name that no metric of the task has.
    """
    if rules.primary is None:
        return METRICS[task][0]
    found = known(task, rules)
    if rules.primary not in found:
        words = f"no metric of {task} has that name{nearest(rules.primary, list(found))}"
        raise UsageError(
            f"{FILE}: 'evaluation.primary' = {rules.primary!r}: {words}; known: {', '.join(found)}"
        )
    return found[rules.primary]


def told(task: Task, rules: Evaluation) -> Sequence[Metric]:
    """Return the metrics of a report: the primary one first, then those that every one has."""
    first = primary(task, rules)
    return [first, *(metric for metric in METRICS[task] if metric.name != first.name)]
