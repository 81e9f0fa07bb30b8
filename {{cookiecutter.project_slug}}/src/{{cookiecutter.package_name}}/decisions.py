"""Whether the calls are as good as the champion's: each model's own, at its own threshold.

Callers act on `prediction`, and a model may order the rows as well as another, with probabilities
that are as good, and call the wrong ones since its threshold was chosen badly.
"""

from collections.abc import Iterator, Mapping

from . import comparison
from .arrays import Vector
from .comparison import Rows
from .gate import BEST, CHALLENGER, CHAMPION, Check, no_worse
from .metrics import Metric
from .params import Gate

_NAMES = {CHAMPION: "decisions", BEST: "decisions against the best champion"}


def checks(metric: Metric, calls: Mapping[str, Vector], on: Rows, bounds: Gate) -> Iterator[Check]:
    """Compare the calls (rows,) of 0 and 1 by the metric that their threshold is chosen by."""
    if bounds.decisions is None or CHALLENGER not in calls:
        return
    for rival, name in _NAMES.items():
        if rival in calls:
            found = comparison.gain(metric, calls[CHALLENGER], calls[rival], on, bounds.confidence)
            what = f"{name} ({metric.title}): "
            yield no_worse(name, found, bounds.decisions, bounds.days, "gate.decisions", what)
