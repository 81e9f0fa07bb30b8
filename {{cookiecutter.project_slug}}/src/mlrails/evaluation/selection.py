"""Which metrics count: the one that models are compared by, and those that are told beside it."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..core.errors import UsageError, nearest
from ..core.params import FILE, Evaluation, Params, Task
from ..data.arrays import Vector
from . import declared
from .catalogue import MORE, cost, pinball
from .metrics import DECISIONS, METRICS, Metric
from .own import OwnMetric

_PINBALL = re.compile(r"pinball_([1-9][0-9]?)")
PATTERN = "pinball_QUANTILE"
"""How a loss of a quantile is named, for 1 to 99 percent."""


def known(task: Task, rules: Evaluation, own: Sequence[OwnMetric] = ()) -> Mapping[str, Metric]:
    """Return every metric that a task has, by its name; those of quantiles are beside them.

    `own` are those that the project declares. Raises UsageError where one cannot be told apart.
    """
    more = [cost(rules.costs)] if rules.costs else []
    found = {metric.name: metric for metric in (*METRICS[task], *MORE.get(task, ()), *more)}
    return found | {it.name: it for it in declared.metrics(own, {*found, "cost"}, task)}


def find(name: str, task: Task, rules: Evaluation, own: Sequence[OwnMetric] = ()) -> Metric | None:
    """Return the metric of a name; None where the task has none of that name."""
    if task is Task.REGRESSION and (quantile := _PINBALL.fullmatch(name)):
        return pinball(int(quantile[1]))
    return known(task, rules, own).get(name)


def named(
    name: str, key: str, task: Task, rules: Evaluation, own: Sequence[OwnMetric] = ()
) -> Metric:
    """Return the metric of a name, which the params have at a key.

    Raises UsageError where the task has no metric of that name.
    """
    if found := find(name, task, rules, own):
        return found
    names = [*known(task, rules, own), *((PATTERN,) if task is Task.REGRESSION else ())]
    words = f"no metric of {task} has that name{nearest(name, names)}"
    if name == "cost" and task is Task.CLASSIFICATION:
        words = "needs 'evaluation.costs', such as {false_alarm: 1, miss: 5}"
    raise UsageError(f"{FILE}: {key}: {words}; known: {', '.join(names)}")


def primary(task: Task, rules: Evaluation, own: Sequence[OwnMetric] = ()) -> Metric:
    """Return the metric that models are compared by: `evaluation.primary`, or the task's first.

    Raises UsageError for a name that no metric of the task has.
    """
    if rules.primary is None:
        return METRICS[task][0]
    return named(rules.primary, f"'evaluation.primary' = {rules.primary!r}", task, rules, own)


def of_floors(task: Task, bounds: Params, own: Sequence[OwnMetric] = ()) -> Sequence[Metric]:
    """Return the metrics that have a floor; a name that is none, of a base, decides nothing."""
    found = (find(name, task, bounds.evaluation, own) for name in bounds.gate.floors)
    return [metric for metric in found if metric]


def told(task: Task, rules: Evaluation, own: Sequence[OwnMetric] = ()) -> Sequence[Metric]:
    """Return the metrics of a report: the primary one first, those of all, the project's own."""
    first, every = primary(task, rules, own), known(task, rules, own).values()
    usual = [*METRICS[task], *(metric for metric in every if metric.is_own)]
    return [first, *(metric for metric in usual if metric.name != first.name)]


def of_decisions(task: Task, rules: Evaluation) -> Metric:
    """Return the metric of calls that the rule of their threshold goes by.

    Of several classes it is macro F1, for which every class counts the same.
    """
    if task is Task.MULTICLASS:
        return known(task, rules)["macro_f1"]
    if rules.threshold == "cost" and rules.costs is not None:
        return cost(rules.costs)
    return DECISIONS[rules.threshold]


def check_targets(metrics: Iterable[Metric], target: Vector, column: str) -> None:
    """Raise UsageError for targets (rows,) that one of the metrics is not defined for."""
    for metric in metrics:
        if wrong := metric.needs(target) if metric.needs else "":
            raise UsageError(
                f"{FILE}: {metric.name}: {wrong} in {column!r}; name another metric in its place"
            )
