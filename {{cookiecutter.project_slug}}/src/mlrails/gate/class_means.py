"""Whether a class is predicted too often or too seldom: its mean probability against its share.

Each class is a comparison of its own, at a confidence for all of them at once (Bonferroni), as the
slices are: the sum over the classes would count the luck of every rare one.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..core import formats
from ..core.params import Gate
from ..data.arrays import Vector
from ..evaluation import comparison
from ..evaluation.comparison import Comparison, Rows
from ..evaluation.scored import Scored
from .verdict import CHALLENGER, Check, known

_LONGEST = 40


def compared(rival: str, against: str, scored: Scored, on: Rows, bounds: Gate) -> Check:
    """Fail where the mean of a class is clearly further off its share than the rival's."""
    ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]

    def of_class(place: int, rows: Rows, confidence: float) -> Comparison:
        return comparison.more_biased(ours[:, place], theirs[:, place], rows, confidence)

    name, found = _worst(scored, on, bounds, of_class)
    label, title = _label(name), f"mean prediction{against}"
    words = (
        f"class {label}: the mean is {told(found)} further off than the {rival}'s, "
        f"{bounds.bias:g} is allowed"
    )
    passed = not found.low > bounds.bias if np.isfinite(found.low) else None
    worse = ""
    if found.low > 0:
        worse = (
            f"{title}: class {label} shown further off by {formats.plain(found.value)}, "
            f"{bounds.bias:g} is allowed"
        )
    return Check(title, passed, known(found.value), bounds.bias, words, worse)


def first(scored: Scored, on: Rows, bounds: Gate) -> Check:
    """Fail where a first model's mean of a class is clearly further off than may be."""
    ours, bound = scored.scores[CHALLENGER], bounds.first_bias or 0.0

    def of_class(place: int, rows: Rows, confidence: float) -> Comparison:
        found = comparison.bias(ours[:, place], rows, confidence)
        return found if found.value >= 0 else _turned(found)

    name, found = _worst(scored, on, bounds, of_class)
    passed = found.low <= bound if np.isfinite(found.low) else None
    words = (
        f"class {_label(name)}: the mean prediction is {told(found)} off its share; {bound:g} is "
        "allowed to a first model, `gate.first_bias`"
    )
    return Check("mean prediction", passed, known(found.value), bound, words)


def _worst(
    scored: Scored, on: Rows, bounds: Gate, of_class: Callable[[int, Rows, float], Comparison]
) -> tuple[str, Comparison]:
    """Return the class with the highest lower end, which decides."""
    confidence = 1 - (1 - bounds.confidence) / len(scored.classes)
    found = {
        name: of_class(place, _against_rest(on, place), confidence)
        for place, name in enumerate(scored.classes)
    }
    return max(found.items(), key=lambda it: (np.nan_to_num(it[1].low, nan=-np.inf), it[1].value))


def _against_rest(on: Rows, place: int) -> Rows:
    event: Vector = (on.target == place).astype(np.float64)
    return replace(on, target=event)


def _turned(found: Comparison) -> Comparison:
    """Return how far below, where a mean is below."""
    return replace(found, value=-found.value, low=-found.high, high=-found.low)


def _label(name: str) -> str:
    shown = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    return repr(shown)


def told(found: Comparison) -> str:
    """Write a difference, with its interval where there is one."""
    if not np.isfinite(found.low):
        return formats.signed(found.value, formats.digits(found.value))
    return formats.difference(found.value, found.low, found.high)
