"""Whether a model is better than a constant, and its predictions can be taken at their word.

An area under ROC says nothing of either: a model may order the rows well and be a worse bet than
the mean.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..core import formats
from ..core.params import Gate, Task
from ..data.arrays import Vector
from ..evaluation import comparison
from ..evaluation.baselines import class_mix
from ..evaluation.comparison import Comparison, Rows
from ..evaluation.metrics import METRICS, Metric
from ..evaluation.scored import Scored
from . import class_means
from .class_means import told
from .verdict import BEST, CHALLENGER, CHAMPION, CONSTANT, Check, known, no_worse, too_few

_SCORES: Mapping[Task, slice] = {
    Task.CLASSIFICATION: slice(None),
    # The constant is the best one in squared error; absolute error would ask for another.
    Task.REGRESSION: slice(1),
    # Log-loss, area and Brier score; what is called can hardly beat the commonest class.
    Task.MULTICLASS: slice(3),
}


def beaten(task: Task, scored: Scored, on: Rows, bounds: Gate, primary: Metric) -> Iterator[Check]:
    """Ask for superiority at zero in each score, where one end of the interval counts.

    Nobody may be shown worse, and the first model has to be better by its figure at least. It need
    not show that beyond doubt: two months of skewed days do not tell it of every good regression.
    """
    for metric in _asked(task, primary):
        ours = scored.given(metric)[CHALLENGER]
        # One-sided at the same confidence: what is left out is left out at each end.
        found = comparison.gain(
            metric, ours, constant(metric, scored), on, 2 * bounds.confidence - 1
        )
        yield _check(metric, found, bounds, CHAMPION in scored.scores)


def _asked(task: Task, primary: Metric) -> Sequence[Metric]:
    """Return the metrics that the constant is met in, the chosen one among them.

    Who predicts something else than the mean, a quantile perhaps, is a worse bet in squares.
    """
    usual = METRICS[task][_SCORES[task]]
    if primary in METRICS[task][:1]:
        return usual
    if task is Task.REGRESSION:
        return [primary]
    return usual if primary in usual else [*usual, primary]


def constant(metric: Metric, scored: Scored) -> Vector:
    """Return the constant's scores; of calls the one that is the hardest to beat on these rows."""
    if metric.of_calls:
        return metric.hardest_call(scored.target, scored.weight)
    return scored.scores[CONSTANT]


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


_BRIER = {
    task: metric for task, listed in METRICS.items() for metric in listed if metric.name == "brier"
}
_AGAINST = {CHAMPION: "", BEST: " against the best champion"}


def checks(scored: Scored, on: Rows, bounds: Gate, primary: Metric) -> Iterator[Check]:
    """Yield the checks of the mean, and those of the Brier score where there is a bound for it."""
    rivals = [rival for rival in _AGAINST if rival in scored.scores]
    if not rivals:
        yield _first_mean(scored, on, bounds, primary)
    yield from (_mean(rival, scored, on, bounds) for rival in rivals)
    if bounds.calibration is None:
        return
    # Brier scores are as large as p(1 - p), so a loss of one size is not one of another rate.
    margin = bounds.calibration * _spread(scored)
    brier = _BRIER[Task.MULTICLASS if scored.classes else Task.CLASSIFICATION]
    for rival in rivals:
        ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
        found = comparison.gain(brier, ours, theirs, on, bounds.confidence)
        name = f"calibration{_AGAINST[rival]}"
        key, what = "gate.calibration", f"{name}: "
        yield no_worse(name, found, margin, bounds.days, key, what)


def _spread(scored: Scored) -> float:
    """Return the Brier score of the rate of these rows, or that of the mix of the classes."""
    if not scored.classes:
        rate = scored.mean(scored.target)
        return rate * (1 - rate)
    mix = class_mix(scored.target, len(scored.classes), scored.weight)
    return float(np.sum(mix * (1 - mix)))


def _mean(rival: str, scored: Scored, on: Rows, bounds: Gate) -> Check:
    """Fail where the mean is clearly further off than the rival's."""
    if scored.classes:
        return class_means.compared(rival, _AGAINST.get(rival, ""), scored, on, bounds)
    name = f"mean prediction{_AGAINST.get(rival, '')}"
    ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
    found = comparison.more_biased(ours, theirs, on, bounds.confidence)
    words = f"the mean is {told(found)} further off than the {rival}'s, {bounds.bias:g} is allowed"
    passed = not found.low > bounds.bias if np.isfinite(found.low) else None
    worse = f"{name}: shown further off by {formats.plain(found.value)}" if found.low > 0 else ""
    allowed = f"{worse}, {bounds.bias:g} is allowed" if worse else ""
    return Check(name, passed, known(found.value), bounds.bias, words, allowed)


def _first_mean(scored: Scored, on: Rows, bounds: Gate, primary: Metric) -> Check:
    """Fail where a first model's mean is clearly further off than may be, whatever a constant's.

    Where models are compared by what the mean is not best by, such as the loss of a quantile, their
    mean is not meant to be the target's: the best constant's is as far off.
    """
    if bounds.first_bias is None or primary.middle is not np.mean:
        return _mean(CONSTANT, scored, on, bounds)
    if scored.classes:
        return class_means.first(scored, on, bounds)
    found = comparison.bias(scored.scores[CHALLENGER], on, bounds.confidence)
    bound = bounds.first_bias
    passed = found.low <= bound and found.high >= -bound if np.isfinite(found.low) else None
    words = (
        f"the mean prediction is {told(found)} off the mean target; {bound:g} is allowed to a "
        "first model, `gate.first_bias`"
    )
    return Check("mean prediction", passed, known(found.value), bound, words)
