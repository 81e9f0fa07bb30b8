"""What the gate looks at, one function a check: from a contest and bounds to a `Check`.

Decisions have a check of their own: callers act on `prediction`, and a model may order the rows as
well as another, with probabilities that are as good, and call the wrong ones since its threshold
was chosen badly. Margins have none: they are in the target's unit, and half a minute is a small
loss for delays, and half a dollar none at all for houses. An odd one stops nobody, and is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..core.params import FILE, Gate, Task
from ..data.arrays import Vector
from ..evaluation import comparison
from ..evaluation.comparison import Comparison, Rows
from ..evaluation.metrics import DECISIONS, METRICS, TARGET, Metric
from ..evaluation.scored import Scored
from . import calibration, fairness, slices
from .slices import AGAINST_BEST, Found, Slice
from .verdict import BEST, CHALLENGER, CHAMPION, Check, Verdict, answer, known, no_worse


@dataclass(frozen=True)
class Contest:
    """Who is compared, on which rows: scores by the names above, labels of each slice's rows."""

    task: Task
    scored: Scored
    slices: Mapping[str, np.ndarray]
    seed: int
    decision: Metric = DECISIONS["f1"]
    """What calls are compared by: the metric that chooses their threshold."""
    primary: Metric | None = None
    """What models are compared by; None is the task's first."""
    floors: Sequence[Metric] = ()
    """What a floor is asked of beside the metrics of the task and that of decisions."""
    notes: Sequence[str] = ()
    """What is told of the bounds beside the checks."""
    sensitive: Mapping[str, np.ndarray] = field(default_factory=dict)
    """The groups of rows by each sensitive column."""

    @property
    def metric(self) -> Metric:
        """The metric that models are compared by."""
        return self.primary or METRICS[self.task][0]

    def rows(self, resamples: int, keep: np.ndarray | None = None) -> tuple[Scored, Rows]:
        """Return the rows of a mask with their scores, and with resamples of their blocks."""
        part = self.scored if keep is None else self.scored.of(keep)
        about = part.groups, part.weight
        return part, comparison.rows(part.target, part.times, resamples, self.seed, *about)


def judge(
    contest: Contest, bounds: Gate, settled: Sequence[Check], names: tuple[str, str]
) -> Verdict:
    """Return the verdict on the challenger and the champion of these digests ("" for none).

    `settled` are the checks that need no rows. Without a champion only the floors count.
    """
    scored, on = contest.rows(bounds.resamples)
    gains = dict(_gains(contest, scored, on, bounds))
    checks = [
        *(
            no_worse(_NAMES[it], gains[it], bounds.margin, bounds.days, what=_LOST[it])
            for it in gains
        ),
        *(_of_rows(contest, scored, on, bounds) if len(scored.target) else []),
    ]
    if _has_one_outcome(contest):
        checks = [replace(it, passed=None, reason=_ONE_OUTCOME) for it in checks]
    shown = {rival: it for rival, it in gains.items() if np.isfinite(it.low)}
    undecided: Mapping[str, str] = {}
    if CHAMPION in scored.scores and len(scored.target):
        found = _slices(contest, bounds)
        shown, undecided = {**shown, **_pictured(found)}, found.undecided
        checks.append(slices.check(found, bounds))
    gaps = fairness.judge(contest.task, scored, contest.sensitive, on, bounds)
    checks, (challenger, champion) = [*settled, *checks, *gaps.checks], names
    return Verdict(
        answer(checks),
        challenger,
        champion or None,
        checks,
        shown,
        contest.metric.title,
        bounds.margin,
        bounds.slice_margin,
        figures=_figures(contest.metric, scored),
        undecided_slices=undecided,
        remarks=(*_remarks(contest, scored, bounds), *gaps.remarks),
        fairness=tuple(it.to_json() for it in gaps.gaps),
    )


def _remarks(contest: Contest, scored: Scored, bounds: Gate) -> Iterator[str]:
    yield from contest.notes
    yield from remarks(contest.task, scored.target, bounds, contest.metric)
    yield from remarks_on_margins(contest.metric, scored, bounds)


_NAMES = {CHAMPION: "no worse than the champion", BEST: "no worse than the best champion"}
_LOST = {CHAMPION: "", BEST: "against the best champion "}
_ONE_OUTCOME = "the test rows have one outcome only, so nobody can be judged by them"


def _has_one_outcome(contest: Contest) -> bool:
    target = contest.scored.target
    events = contest.task is not Task.REGRESSION and len(target) > 0
    return events and bool(target.min() == target.max())


def _of_rows(contest: Contest, scored: Scored, on: Rows, bounds: Gate) -> Iterator[Check]:
    """Yield what is asked of the challenger beside the comparison of figures."""
    yield from calibration.beaten(contest.task, scored, on, bounds, contest.metric)
    yield from _floors(contest, scored, bounds)
    yield from calibration.checks(scored, on, bounds, contest.metric)
    yield from decisions(contest.decision, scored.calls, on, bounds)


def _gains(
    contest: Contest, scored: Scored, on: Rows, bounds: Gate
) -> Iterator[tuple[str, Comparison]]:
    """Yield the difference from each rival that is there."""
    for rival in (CHAMPION, BEST):
        if rival not in scored.scores:
            continue
        found = on.nothing()
        if len(scored.target):
            given = scored.given(contest.metric)
            ours, theirs = given[CHALLENGER], given[rival]
            found = comparison.gain(contest.metric, ours, theirs, on, bounds.confidence)
        yield rival, found


def _figures(metric: Metric, scored: Scored) -> Mapping[str, float]:
    """Return the metric of each model by its role, where it has one."""
    roles = [it for it in (CHALLENGER, CHAMPION, BEST) if it in scored.scores]
    if not len(scored.target):
        return {}
    values = {
        it: metric.whole(scored.target, scored.given(metric)[it], scored.weight) for it in roles
    }
    return {role: value for role, value in values.items() if known(value) is not None}


def _floors(contest: Contest, scored: Scored, bounds: Gate) -> Iterator[Check]:
    """Hold each metric against its bound, from whichever side the metric is good."""
    every = {it.name: it for it in (*METRICS[contest.task], contest.decision, *contest.floors)}
    for metric in every.values():
        given = scored.given(metric)
        if metric.name not in bounds.floors or CHALLENGER not in given:
            continue
        scores = given[CHALLENGER]
        bound = bounds.floors[metric.name]
        value = metric.whole(scored.target, scores, scored.weight)
        good = value >= bound if metric.higher_is_better else value <= bound
        side = "at least" if metric.higher_is_better else "at most"
        shown = "one outcome only" if known(value) is None else f"{value:.4f}"
        passed = None if known(value) is None else good
        reason = f"{shown}, {side} {bound:g} is asked"
        yield Check(f"floor of {metric.name}", passed, known(value), bound, reason)


def _slices(contest: Contest, bounds: Gate) -> Found:
    large, small = slices.split(contest.slices, bounds.slice_rows)
    parts = [Slice(title, *contest.rows(bounds.resamples, keep)) for title, keep in large]
    return slices.compare(contest.metric, parts, small, bounds)


def _pictured(found: Found) -> Mapping[str, Comparison]:
    """Leave out of the picture where a slice loses nothing against the best champion."""
    return {
        title: it
        for title, it in found.differences.items()
        if not title.endswith(AGAINST_BEST) or title in found.undecided or it.high < 0
    }


_KEYS = ("margin", "slice_margin", "bias", "first_bias")
_LEAST, _MOST = 0.001, 0.5
"""Shares of the target's standard deviation beyond which a bound is hardly what was meant."""


def remarks(
    task: Task, target: Vector, bounds: Gate, metric: Metric | None = None
) -> Iterator[str]:
    """Yield a sentence for each bound that is tiny or huge beside the spread of the target.

    Margins are left out where the metric that models are compared by has another unit.
    """
    spread = float(np.std(target)) if len(target) else 0.0
    if task is not Task.REGRESSION or not spread:
        return
    for name in _KEYS if metric is None or metric.unit == TARGET else _KEYS[2:]:
        bound = getattr(bounds, name)
        if bound is not None and not _LEAST <= bound / spread <= _MOST:
            size = "next to nothing" if bound / spread < _LEAST else "more than half of it"
            yield (
                f"`gate.{name}` in {FILE} is {bound:g}, {bound / spread:.2g} times the standard "
                f"deviation of the target ({spread:,.4g}), {size}: is it in the target's unit?"
            )


def remarks_on_margins(metric: Metric, scored: Scored, bounds: Gate) -> Iterator[str]:
    """Yield a sentence for each margin that is tiny or huge beside what a constant falls short by.

    That is for a metric of another unit than the target's that somebody has chosen.
    """
    usual = [listed[0] for listed in METRICS.values()]
    if metric.unit == TARGET or metric in usual or not len(scored.target):
        return
    best = metric.most if metric.higher_is_better else metric.least
    constant = calibration.constant(metric, scored)
    short = abs(best - metric.whole(scored.target, constant, scored.weight))
    for name in _KEYS[:2]:
        bound = getattr(bounds, name)
        if np.isfinite(short) and short and not _LEAST <= bound / short <= _MOST:
            size = "next to nothing" if bound / short < _LEAST else "more than half of it"
            yield (
                f"`gate.{name}` in {FILE} is {bound:g}, {bound / short:.2g} times what a constant "
                f"falls short of the best {metric.title} by ({short:,.4g}), {size}: is it in the "
                f"unit of that metric ({metric.unit})?"
            )


_DECISIONS = {CHAMPION: "decisions", BEST: "decisions against the best champion"}


def decisions(
    metric: Metric, calls: Mapping[str, Vector], on: Rows, bounds: Gate
) -> Iterator[Check]:
    """Compare the calls, 0 and 1, (rows,) or (rows, classes), by the metric of decisions."""
    if bounds.decisions is None or CHALLENGER not in calls:
        return
    for rival, name in _DECISIONS.items():
        if rival in calls:
            found = comparison.gain(metric, calls[CHALLENGER], calls[rival], on, bounds.confidence)
            what = f"{name} ({metric.title}): "
            yield no_worse(name, found, bounds.decisions, bounds.days, "gate.decisions", what)
