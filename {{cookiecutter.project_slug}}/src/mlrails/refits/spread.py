"""How far the figures of refits lie apart, as plain values, and what a gate should know of it.

The reach is that of an interval as all figures have one: Student's t with the standard deviation of
the refits, as of a bootstrap's draws, and one degree of freedom less than there are refits. So it
stands beside the interval of the test rows, which has the same confidence.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core import formats
from ..evaluation.bootstrap import interval
from .draws import Kind

_DIGITS = 6


def summary(values: Mapping[Kind, Sequence[float]], confidence: float) -> dict[str, Any]:
    """Return of each kind what is told of its figures; nothing where one of them is no number.

    They are told in their order: which seed was lucky is for nobody to choose.
    """
    if not all(math.isfinite(it) for figures in values.values() for it in figures):
        return {}
    return {kind.value: _of_kind(np.sort(it), confidence) for kind, it in values.items()}


def _of_kind(figures: "np.ndarray", confidence: float) -> dict[str, Any]:
    mean, spread = float(np.mean(figures)), float(np.std(figures, ddof=1))
    reach = interval(mean, spread, len(figures), confidence).high - mean
    told = {"mean": mean, "sd": spread, "reach": reach}
    rounded = {name: round(it, _DIGITS) for name, it in told.items()}
    return {"values": figures.tolist(), **rounded}


def beyond(found: Mapping[str, Any], margin: float) -> str:
    """Say that the seed moves a report's figure by more than a margin; nothing where it does not.

    Nothing is known where no refits were asked for.
    """
    reach = found.get("variation", {}).get(Kind.SEED, {}).get("reach", 0.0)
    if not reach > margin:
        return ""
    return (
        f"another seed moves the figure by ±{formats.plain(reach)} (the report tells how that is "
        f"known), and the margin {margin:.4g} is less: what passes may owe it to its seed"
    )
