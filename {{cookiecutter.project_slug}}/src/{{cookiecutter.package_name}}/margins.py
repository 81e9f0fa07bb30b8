"""Whether the bounds of a regression are of the target's size.

They are in the target's unit: half a minute is a small loss for delays, and half a dollar none at
all for houses. Nobody can be told no by this, but everybody is told.
"""

from collections.abc import Iterator

import numpy as np

from .arrays import Vector
from .params import FILE, Gate
from .task import Task

_KEYS = ("margin", "slice_margin", "bias", "first_bias")
_LEAST, _MOST = 0.001, 0.5
"""Shares of the target's standard deviation beyond which a bound is hardly what was meant."""


def remarks(task: Task, target: Vector, bounds: Gate) -> Iterator[str]:
    """Yield a sentence for each bound that is tiny or huge beside the spread of the target."""
    spread = float(np.std(target)) if len(target) else 0.0
    if task is not Task.REGRESSION or not spread:
        return
    for name in _KEYS:
        bound = getattr(bounds, name)
        if bound is not None and not _LEAST <= bound / spread <= _MOST:
            size = "next to nothing" if bound / spread < _LEAST else "more than half of it"
            yield (
                f"`gate.{name}` in {FILE} is {bound:g}, {bound / spread:.2g} times the standard "
                f"deviation of the target ({spread:,.4g}), {size}: is it in the target's unit?"
            )
