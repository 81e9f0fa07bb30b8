"""What the gate looks at, one function a check: from a contest and bounds to a `Check`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import comparison
from .comparison import Comparison, Rows
from .evaluation import Scored
from .gate import BEST, CHALLENGER, CHAMPION, CONSTANT, Check, Verdict, answer, no_worse
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
    contest: Contest, bounds: Gate, known: Sequence[Check], names: tuple[str, str]
) -> Verdict:
    """Return the verdict on the challenger and the champion of these digests ("" for none).

    `known` are the checks that need no rows. Without a champion only the floors count.
    """
    scored, on = contest.rows(bounds.resamples)
    checks, shown = [*known], dict[str, Comparison]()
    if len(scored.target):
        checks += [_beats_constant(contest, scored, on, bounds), *_floors(contest, scored, bounds)]
        checks += [_calibration(scored, on, bounds)]
    for rival in (CHAMPION, BEST):
        if rival in scored.scores:
            found = _against(rival, contest, scored, on, bounds)
            shown[rival] = found
            checks.append(no_worse(_NAMES[rival], found, bounds.margin, bounds.days))
    if CHAMPION in scored.scores and len(scored.target):
        slices = dict(_slices(contest, bounds))
        shown |= slices
        checks.append(_no_slice_is_worse(slices, bounds))
    challenger, champion = names
    title = contest.metric.title
    return Verdict(
        answer(checks), challenger, champion or None, checks, shown, title, bounds.margin
    )


_NAMES = {CHAMPION: "no worse than the champion", BEST: "no worse than the best champion"}


def _against(rival: str, contest: Contest, scored: Scored, on: Rows, bounds: Gate) -> Comparison:
    if not len(scored.target):
        return Comparison(np.nan, np.nan, np.nan, 0, 0)
    ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
    return comparison.gain(contest.metric, ours, theirs, on, bounds.confidence)


def _beats_constant(contest: Contest, scored: Scored, on: Rows, bounds: Gate) -> Check:
    found = _against(CONSTANT, contest, scored, on, bounds)
    words = f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f}) {contest.metric.name}"
    passed = bool(found.low > 0) if np.isfinite(found.low) else None
    how = {True: "better than", False: "not clearly better than", None: "unknown against"}[passed]
    return Check("better than a constant", passed, found.value, 0, f"{words}, {how} a constant")


def _floors(contest: Contest, scored: Scored, bounds: Gate) -> Iterator[Check]:
    """Hold each metric against its bound, from whichever side the metric is good."""
    one_block = np.zeros(len(scored.target), np.int64)
    for metric in METRICS[contest.task]:
        if metric.name not in bounds.floors:
            continue
        bound = bounds.floors[metric.name]
        scores = scored.scores[CHALLENGER]
        value = float(metric.by_day(scored.target, scores, one_block)(np.ones((1, 1)))[0])
        passed = value >= bound if metric.higher_is_better else value <= bound
        side = "at least" if metric.higher_is_better else "at most"
        reason = f"{value:.4f}, {side} {bound:g} is asked"
        yield Check(f"floor of {metric.name}", passed, value, bound, reason)


def _calibration(scored: Scored, on: Rows, bounds: Gate) -> Check:
    """Fail where the mean is clearly further off than the champion's, or than a constant's."""
    rival = CHAMPION if CHAMPION in scored.scores else CONSTANT
    ours, theirs = scored.scores[CHALLENGER], scored.scores[rival]
    found = comparison.more_biased(ours, theirs, on, bounds.confidence)
    passed = not found.low > bounds.bias
    words = f"the mean prediction is {found.value:+.4f} further off the mean than the {rival}'s"
    return Check("calibration", passed, found.value, bounds.bias, words)


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
        if np.isfinite(found.value):  # A slice without an event has no area under a curve.
            yield name, found


def _no_slice_is_worse(found: Mapping[str, Comparison], bounds: Gate) -> Check:
    bad = [name for name, difference in found.items() if difference.high < -bounds.slice_margin]
    worst = min(found, key=lambda name: found[name].value, default=None)
    value = found[worst].value if worst else None
    words = f"of {len(found)} slices {worst or 'none'} changes the most for the worse"
    if bad:
        words = f"{', '.join(bad)}: worse by more than {bounds.slice_margin:g}"
    return Check("no slice worse", not bad, value, -bounds.slice_margin, words)
