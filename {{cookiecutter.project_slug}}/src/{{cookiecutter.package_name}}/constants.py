"""Whether a model is better than a constant: in every score that a constant could win by itself.

An area under ROC alone says nothing of probabilities: a model may order the rows well and be a
worse bet than the mean.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from . import comparison, formats
from .comparison import Comparison, Rows
from .evaluation import Scored
from .gate import CHALLENGER, CHAMPION, CONSTANT, Check, known, too_few
from .metrics import METRICS, Metric
from .params import Gate
from .task import Task

_SCORES: Mapping[Task, slice] = {
    Task.CLASSIFICATION: slice(None),
    # The constant is the best one in squared error; absolute error would ask for another.
    Task.REGRESSION: slice(1),
}


def beaten(task: Task, scored: Scored, on: Rows, bounds: Gate) -> Iterator[Check]:
    """Ask for superiority at zero in each score, where one end of the interval counts.

    Nobody may be shown worse, and the first model has to be better by its figure at least. It need
    not show that beyond doubt: two months of skewed days do not tell it of every good regression.
    """
    ours, constant = scored.scores[CHALLENGER], scored.scores[CONSTANT]
    for metric in METRICS[task][_SCORES[task]]:
        # One-sided at the same confidence: what is left out is left out at each end.
        found = comparison.gain(metric, ours, constant, on, 2 * bounds.confidence - 1)
        yield _check(metric, found, bounds, CHAMPION in scored.scores)


def _check(metric: Metric, found: Comparison, bounds: Gate, has_champion: bool) -> Check:
    name, value = f"better than a constant in {metric.name}", known(found.value)
    if found.size < bounds.days:
        return Check(name, None, value, 0, too_few(found, bounds.days))
    if not np.isfinite(found.low):
        return Check(name, None, value, 0, "cannot be told of one outcome")
    words = formats.difference(found.value, found.low, found.high)
    if found.low > 0:
        return Check(name, True, value, 0, f"{words}, better than the best constant is shown")
    if found.high <= 0:
        return Check(name, False, value, 0, f"{words}, better than the best constant is ruled out")
    reason = f"{words}, better than the best constant is not shown"
    return Check(name, True if has_champion or found.value > 0 else None, value, 0, reason)
