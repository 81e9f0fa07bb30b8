"""nox -s docs: draw the engine's metrics into `docs/metrics.md`.

How to change this: name, title, direction, range and unit are read from the engine; when to choose
a metric is said here, and a metric of which nothing is said is missed.
"""

import math
import re
from collections.abc import Iterator

from house import SHIPPED

from mlrails.core.params import Costs, Evaluation, Task
from mlrails.evaluation import metrics, selection
from mlrails.evaluation.catalogue import pinball
from mlrails.evaluation.metrics import Metric

COSTS = Costs(false_alarm=1, miss=5)
"""As on the page."""
PAGE = SHIPPED / "docs" / "metrics.md"
_HEADER = (
    "| name | what it is | better | range | unit | choose it when |\n|---|---|---|---|---|---|\n"
)
_MARKS = "<!-- {} -->\n", "<!-- end of {} -->"

WHEN = {
    Task.CLASSIFICATION: {
        "roc_auc": "rows are ranked and it is open where to cut; says nothing of the probabilities",
        "log_loss": "probabilities are used as such, and a sure mistake is the worst of all",
        "brier": "as log-loss, and a sure mistake should cost no more than a bound",
        "average_precision": "events are rare and only the top of the list is looked at",
        "f1": "what is called counts, and true negatives do not",
        "youden": "events and others count the same, however rare",
        "accuracy": "all rows count the same and both answers are common",
        "balanced_accuracy": "as Youden's index, from 0 to 1",
        "cost": "you know what a wrong call costs; needs `evaluation.costs`",
    },
    Task.MULTICLASS: {
        "log_loss": "probabilities are used as such",
        "roc_auc": "classes are ranked one against the rest, each counting the same",
        "brier": "as log-loss, and a sure mistake should cost no more than a bound",
        "macro_f1": "what is called counts, and rare classes as much as common ones",
        "accuracy": "what is called counts, and each row the same",
    },
    Task.REGRESSION: {
        "rmse": "large errors are worse than many small ones; goes by the mean",
        "mae": "each unit of error costs the same; goes by the median",
        "r2": "figures of several targets are compared; orders models of one as RMSE does",
        "median_absolute_error": "half of the rows may be anything: outliers are noise",
        "rmsle": "ratios count and the target is zero or more, as prices and counts are",
        "wape": "errors are told as a share, as plans and stocks are",
        selection.PATTERN: (
            "a quantile is wanted, as for stocks: at 90 too little costs nine times too much"
        ),
    },
}


def listed(task: Task) -> dict[str, Metric]:
    """Return the metrics of a task by the name that one writes."""
    costs = COSTS if task is Task.CLASSIFICATION else None
    rules = Evaluation(confidence=0.95, resamples=1000, costs=costs)
    found = dict(selection.known(task, rules))
    return {**found, selection.PATTERN: pinball(90)} if task is Task.REGRESSION else found


def missing() -> list[str]:
    """Return the metrics of which nothing is said, and of which is that are not there."""
    names = {(task, name) for task in Task for name in listed(task)}
    said = {(task, name) for task in WHEN for name in WHEN[task]}
    return sorted(f"{task}: {name}" for task, name in names ^ said)


def _range(metric: Metric) -> str:
    least, most = metric.least, metric.most
    if math.isinf(most):
        return "any" if math.isinf(least) else f"{least:g} and more"
    return f"up to {most:g}" if math.isinf(least) else f"{least:g} to {most:g}"


def _rows(task: Task) -> Iterator[str]:
    first = metrics.METRICS[task][0].name
    for name, metric in listed(task).items():
        better = "more" if metric.higher_is_better else "less"
        title = metric.title.replace("at 90%", "at 1 to 99 %")
        title += ", of calls at the threshold" if metric.of_calls else ""
        of_all = " (the first)" if name == first else ""
        yield (
            f"| `{name}`{of_all} | {title} | {better} | {_range(metric)} | {metric.unit} "
            f"| {WHEN[task].get(name, '')} |\n"
        )


def drawn(text: str) -> str:
    """Return the page with the tables of today."""
    for task in Task:
        begin, end = (re.escape(it.format(task)) for it in _MARKS)
        table = _HEADER + "".join(_rows(task))
        text = re.sub(f"(?s)({begin}).*?({end})", rf"\g<1>{table}\g<2>", text)
    return text


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
