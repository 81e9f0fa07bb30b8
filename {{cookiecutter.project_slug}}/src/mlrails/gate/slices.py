"""Whether a slice of the rows is worse than the champion's, or than the best champion's.

Only a slice that is shown to be worse stands in the way: most are too small to show anything. What
a slice cannot tell is told. The best champion is met in each slice as well, since losses that no
single verdict can see add up from champion to champion.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core import formats
from ..core.errors import counted
from ..core.params import Gate
from ..evaluation.comparison import Comparison, Rows
from ..evaluation.metrics import Metric
from ..evaluation.scored import Scored
from .verdict import BEST, CHALLENGER, CHAMPION, Check, listed

AGAINST_BEST = ", against the best champion"
RIVALS = {CHAMPION: "", BEST: AGAINST_BEST}
"""Whom groups of rows are held against, and what is said of it."""


@dataclass(frozen=True)
class Slice:
    """The rows of one label of a column."""

    title: str
    scored: Scored
    on: Rows


@dataclass(frozen=True)
class Found:
    """What is known of all slices: a difference by title, and why others tell nothing yet."""

    differences: Mapping[str, Comparison]
    undecided: Mapping[str, str]


def compare(
    metric: Metric, slices: Sequence[Slice], small: Mapping[str, int], bounds: Gate
) -> Found:
    """Compare within each slice, at a confidence for all of them at once.

    The Bonferroni correction: with m comparisons, each is wrong an m-th as often. `small` are the
    rows of slices that are not looked at.
    """
    rivals = [rival for rival in RIVALS if slices and rival in slices[0].scored.scores]
    confidence = 1 - (1 - bounds.confidence) / max(len(slices) * len(rivals), 1)
    found = {
        f"{it.title}{RIVALS[rival]}": gain
        for it in slices
        for rival, gain in _gains(metric, it, rivals, confidence)
    }
    undecided = {name: why for name, it in found.items() if (why := _why(it, bounds))}
    few = {
        name: f"{counted(rows, 'row')}, {bounds.slice_rows:,} are asked"
        for name, rows in small.items()
    }
    # A slice without an event has no area under a curve.
    known = {name: it for name, it in found.items() if np.isfinite(it.low)}
    return Found(known, undecided | few)


def _gains(
    metric: Metric, part: Slice, rivals: Sequence[str], confidence: float
) -> Iterator[tuple[str, Comparison]]:
    sign, scores = 1 if metric.higher_is_better else -1, part.scored.given(metric)
    ours = part.on.values(metric, scores[CHALLENGER])  # once for all rivals: it takes the longest
    for rival in rivals:
        theirs = part.on.values(metric, scores[rival])
        yield rival, part.on.compare(sign * (ours - theirs), confidence)


def _why(found: Comparison, bounds: Gate) -> str:
    """Return why a slice tells nothing yet; nothing where it does."""
    if found.size < bounds.days:
        return f"{counted(found.size, found.unit)}, {bounds.days} are asked"
    if not np.isfinite(found.low):
        return "one outcome only"
    if found.low <= -bounds.slice_margin <= found.high:
        return formats.difference(found.value, found.low, found.high)
    return ""


def check(found: Found, bounds: Gate) -> Check:
    """Fail where a slice is shown to be worse by more than its margin."""
    name, margin = "no slice worse", bounds.slice_margin
    decided = {title: it for title, it in found.differences.items() if title not in found.undecided}
    shown = decided or found.differences
    if not shown:
        return Check(name, True, None, -margin, "no slice is large enough to be held against it")
    bad = {title: it for title, it in decided.items() if it.high < -margin}
    worst, least = min(shown.items(), key=lambda it: it[1].value)
    words = (
        f"of {len(found.differences)} comparisons {worst} gains the least, "
        f"{formats.signed(least.value, formats.digits(least.value))}; {-margin:+g} is allowed"
        f"{', `gate.slice_margin`' if bad else ''}"
    )
    if found.undecided:
        words += f"; undecided are {len(found.undecided)}"
    if bad:
        words = f"{', '.join(bad)}: worse by more than {margin:g}, `gate.slice_margin`"
    return Check(name, not bad, least.value, -margin, words, _worse(decided, margin))


def _worse(decided: Mapping[str, Comparison], margin: float) -> str:
    """Name the slices that are shown to be worse within the margin."""
    lost = {
        title: formats.signed(it.value, formats.digits(it.value))
        for title, it in decided.items()
        if -margin < it.low and it.high < 0
    }
    return f"slices shown worse within their margin {margin:g}: {listed(lost)}" if lost else ""


def split(
    slices: Mapping[str, np.ndarray], least: int
) -> tuple[Iterator[tuple[str, np.ndarray]], Mapping[str, int]]:
    """Return the rows of each slice of so many as (title, mask), and how many smaller ones have."""
    masks = [
        (f"{name} = {label}", labels == label)
        for name, labels in slices.items()
        for label in np.unique(labels)
    ]
    small = {title: int(keep.sum()) for title, keep in masks if keep.sum() < least}
    return ((title, keep) for title, keep in masks if title not in small), small
