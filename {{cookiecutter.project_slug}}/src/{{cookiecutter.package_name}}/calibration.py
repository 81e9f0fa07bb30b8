"""Whether predictions can be taken at their word: their mean, and each of the probabilities."""

from collections.abc import Iterator

import numpy as np

from . import comparison, formats
from .comparison import Comparison, Rows
from .evaluation import Scored
from .gate import BEST, CHALLENGER, CHAMPION, CONSTANT, Check, known, no_worse
from .metrics import METRICS
from .params import Gate
from .task import Task

(_BRIER,) = (metric for metric in METRICS[Task.CLASSIFICATION] if metric.name == "brier")
_AGAINST = {CHAMPION: "", BEST: " against the best champion"}


def checks(scored: Scored, on: Rows, bounds: Gate) -> Iterator[Check]:
    """Yield the checks of the mean, and those of the Brier score where there is a bound for it."""
    rivals = [rival for rival in _AGAINST if rival in scored.scores]
    if not rivals:
        yield _first_mean(scored, on, bounds)
    yield from (_mean(rival, scored, on, bounds) for rival in rivals)
    if bounds.calibration is None:
        return
    rate = float(scored.target.mean())
    # Brier scores are as large as p(1 - p), so a loss of one size is not one of another rate.
    margin = bounds.calibration * rate * (1 - rate)
    for rival in rivals:
        ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
        found = comparison.gain(_BRIER, ours, theirs, on, bounds.confidence)
        name = f"calibration{_AGAINST[rival]}"
        key, what = "gate.calibration", f"{name}: "
        yield no_worse(name, found, margin, bounds.days, key, what)


def _mean(rival: str, scored: Scored, on: Rows, bounds: Gate) -> Check:
    """Fail where the mean is clearly further off than the rival's."""
    name = f"mean prediction{_AGAINST.get(rival, '')}"
    ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
    found = comparison.more_biased(ours, theirs, on, bounds.confidence)
    words = f"the mean is {_told(found)} further off than the {rival}'s, {bounds.bias:g} is allowed"
    passed = not found.low > bounds.bias if np.isfinite(found.low) else None
    worse = f"{name}: shown further off by {formats.plain(found.value)}" if found.low > 0 else ""
    allowed = f"{worse}, {bounds.bias:g} is allowed" if worse else ""
    return Check(name, passed, known(found.value), bounds.bias, words, allowed)


def _first_mean(scored: Scored, on: Rows, bounds: Gate) -> Check:
    """Fail where a first model's mean is clearly further off than may be, whatever a constant's."""
    if bounds.first_bias is None:
        return _mean(CONSTANT, scored, on, bounds)
    found = comparison.bias(scored.scores[CHALLENGER], on, bounds.confidence)
    bound = bounds.first_bias
    passed = found.low <= bound and found.high >= -bound if np.isfinite(found.low) else None
    words = (
        f"the mean prediction is {_told(found)} off the mean target; {bound:g} is allowed to a "
        "first model, `gate.first_bias`"
    )
    return Check("mean prediction", passed, known(found.value), bound, words)


def _told(found: Comparison) -> str:
    if not np.isfinite(found.low):
        return formats.signed(found.value, formats.digits(found.value))
    return formats.difference(found.value, found.low, found.high)
