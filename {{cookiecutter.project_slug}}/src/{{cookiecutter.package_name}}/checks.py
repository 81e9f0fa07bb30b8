"""What the gate looks at, one function a check: from a contest and bounds to a `Check`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import calibration, comparison, constants
from .comparison import Comparison, Rows
from .evaluation import Scored
from .gate import BEST, CHALLENGER, CHAMPION, Check, Verdict, answer, known, no_worse
from .metrics import METRICS, Metric
from .params import Gate
from .task import Task


@dataclass(frozen=True)
class Contest:
    """Who is compared, on which rows: scores by the names above, labels of each slice's rows."""

    task: Task
    scored: Scored
    slices: Mapping[str, np.ndarray]
    seed: int

    @property
    def metric(self) -> Metric:
        """The metric that models are compared by."""
        return METRICS[self.task][0]

    def rows(self, resamples: int, keep: np.ndarray | None = None) -> tuple[Scored, Rows]:
        """Return the rows of a mask with their scores, and with resamples of their days."""
        part = self.scored if keep is None else self.scored.of(keep)
        return part, comparison.rows(part.target, part.times, resamples, self.seed)


def judge(
    contest: Contest, bounds: Gate, settled: Sequence[Check], names: tuple[str, str]
) -> Verdict:
    """Return the verdict on the challenger and the champion of these digests ("" for none).

    `settled` are the checks that need no rows. Without a champion only the floors count.
    """
    scored, on = contest.rows(bounds.resamples)
    checks, shown = [*settled], dict[str, Comparison]()
    if len(scored.target):
        checks += constants.beaten(contest.task, scored, on, bounds)
        checks += _floors(contest, scored, bounds)
        checks += calibration.checks(scored, on, bounds)
    for rival in (CHAMPION, BEST):
        if rival in scored.scores:
            found = _against(rival, contest, scored, on, bounds)
            shown |= {rival: found} if np.isfinite(found.low) else {}
            checks.append(no_worse(_NAMES[rival], found, bounds.margin, bounds.days))
    if CHAMPION in scored.scores and len(scored.target):
        slices = dict(_slices(contest, bounds))
        shown |= slices
        checks.append(_no_slice_is_worse(slices, bounds))
    challenger, champion = names
    title = contest.metric.title
    margins = bounds.margin, bounds.slice_margin
    return Verdict(answer(checks), challenger, champion or None, checks, shown, title, *margins)


_NAMES = {CHAMPION: "no worse than the champion", BEST: "no worse than the best champion"}


def _against(rival: str, contest: Contest, scored: Scored, on: Rows, bounds: Gate) -> Comparison:
    if not len(scored.target):
        return Comparison(np.nan, np.nan, np.nan, 0, 0)
    ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
    return comparison.gain(contest.metric, ours, theirs, on, bounds.confidence)


def _floors(contest: Contest, scored: Scored, bounds: Gate) -> Iterator[Check]:
    """Hold each metric against its bound, from whichever side the metric is good."""
    one_block = np.zeros(len(scored.target), np.int64)
    for metric in METRICS[contest.task]:
        if metric.name not in bounds.floors:
            continue
        bound = bounds.floors[metric.name]
        scores = scored.scores[CHALLENGER]
        value = float(metric.by_day(scored.target, scores, one_block)(np.ones((1, 1)))[0])
        good = value >= bound if metric.higher_is_better else value <= bound
        side = "at least" if metric.higher_is_better else "at most"
        shown = "one outcome only" if known(value) is None else f"{value:.4f}"
        passed = None if known(value) is None else good
        reason = f"{shown}, {side} {bound:g} is asked"
        yield Check(f"floor of {metric.name}", passed, known(value), bound, reason)


def _slices(contest: Contest, bounds: Gate) -> Iterator[tuple[str, Comparison]]:
    """Compare within each slice that is large enough, at a confidence for all of them at once.

    The Bonferroni correction: with m slices, each is wrong an m-th as often.
    """
    large = [
        (f"{name} = {label}", labels == label)
        for name, labels in contest.slices.items()
        for label in np.unique(labels)
        if np.sum(labels == label) >= bounds.slice_rows
    ]
    confidence = 1 - (1 - bounds.confidence) / max(len(large), 1)
    for name, keep in large:
        part, on = contest.rows(bounds.resamples, keep)
        ours, theirs = part.scores[CHALLENGER], part.scores[CHAMPION]
        found = comparison.gain(contest.metric, ours, theirs, on, confidence)
        if np.isfinite(found.low):  # A slice without an event has no area under a curve.
            yield name, found


def _no_slice_is_worse(found: Mapping[str, Comparison], bounds: Gate) -> Check:
    name, bound = "no slice worse", -bounds.slice_margin
    if not found:
        return Check(name, True, None, bound, "no slice is large enough to be held against it")
    bad = [label for label, difference in found.items() if difference.high < bound]
    worst, least = min(found.items(), key=lambda it: it[1].value)
    words = (
        f"of {len(found)} slices {worst} gains the least, {least.value:+.4f}; {bound:+g} is allowed"
    )
    if bad:
        words = f"{', '.join(bad)}: worse by more than {bounds.slice_margin:g}"
    return Check(name, not bad, least.value, bound, words)
