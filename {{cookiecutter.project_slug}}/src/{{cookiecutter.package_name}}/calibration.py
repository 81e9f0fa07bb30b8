"""Whether predictions can be taken at their word: their mean, and each of the probabilities."""

from collections.abc import Iterator

import numpy as np

from . import comparison
from .comparison import Rows
from .evaluation import Scored
from .gate import BEST, CHALLENGER, CHAMPION, CONSTANT, Check, known, no_worse
from .metrics import METRICS
from .params import Gate
from .task import Task

(_BRIER,) = (metric for metric in METRICS[Task.CLASSIFICATION] if metric.name == "brier")
_NAMES = {CHAMPION: "calibration", BEST: "calibration against the best champion"}


def checks(scored: Scored, on: Rows, bounds: Gate) -> Iterator[Check]:
    """Yield the check of the mean, and those of the Brier score where there is a bound for it."""
    yield _mean(scored, on, bounds)
    if bounds.calibration is None:
        return
    for rival in (CHAMPION, BEST):
        if rival in scored.scores:
            ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
            found = comparison.gain(_BRIER, ours, theirs, on, bounds.confidence)
            yield no_worse(_NAMES[rival], found, bounds.calibration, bounds.days)


def _mean(scored: Scored, on: Rows, bounds: Gate) -> Check:
    """Fail where the mean is clearly further off than the champion's, or than a constant's."""
    rival = CHAMPION if CHAMPION in scored.scores else CONSTANT
    ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
    found = comparison.more_biased(ours, theirs, on, bounds.confidence)
    passed = not found.low > bounds.bias if np.isfinite(found.low) else None
    words = (
        f"the mean is {found.value:+.4f} further off than the {rival}'s, {bounds.bias:g} is allowed"
    )
    return Check("mean prediction", passed, known(found.value), bounds.bias, words)
