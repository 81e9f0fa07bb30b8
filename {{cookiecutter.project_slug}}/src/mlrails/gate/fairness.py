"""Whether groups of sensitive columns are further apart than with the champion, or than may be.

As with slices, only what is shown stands in the way, at a confidence for all comparisons at once,
and the best champion is met as well: gaps that widen bit by bit would add up. That one changes when
a clearly better model comes, so `most` bounds the gap of any model, the first one's too. Who is
beyond it and shown narrower than the champion may pass: else the wider one would stay.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from typing import Any, Final, NamedTuple

import numpy as np

from ..core import formats
from ..core.errors import counted
from ..core.params import Gate, Task, Unit
from ..evaluation.by_group import LEAST, MEASURES, Group, Measure, Rates, groups_of
from ..evaluation.comparison import Comparison, Rows
from ..evaluation.scored import Scored
from .slices import RIVALS
from .verdict import CHALLENGER, CHAMPION, Check, known, listed

WIDER: Final = "wider"
MOST: Final = "most"
_KEYS = {WIDER: "gate.fairness.wider", MOST: "gate.fairness.most"}


class Asked(NamedTuple):
    """One gap: a measure of one group against all other rows, by the models' rates."""

    measure: Measure
    group: Group
    rates: Mapping[str, Rates]


@dataclass(frozen=True)
class Gap:
    """What was found of a gap: how much wider it is than a rival's, or how wide it is at all."""

    kind: str
    measure: str
    title: str
    found: Comparison
    bound: float
    failed: bool
    undecided: str
    """Why it tells nothing yet; nothing where it does."""
    excused: bool = False
    """Whether it is beyond its bound, and shown narrower than the champion's."""

    def to_json(self) -> dict[str, Any]:
        """Return what `reports/verdict.json` holds of it."""
        ends = {name: known(getattr(self.found, name)) for name in ("value", "low", "high")}
        told = {"kind": self.kind, "measure": self.measure, "group": self.title, **ends}
        state = "failed" if self.failed else self.undecided or "passed"
        return {**told, "rows": self.found.rows, "bound": self.bound, "state": state}


@dataclass(frozen=True)
class Found:
    """The checks of all measures, each gap, and why other groups tell nothing."""

    checks: Sequence[Check]
    gaps: Sequence[Gap]
    few: Mapping[str, str]
    unbounded: Sequence[str] = ()
    """Measures whose gaps nobody holds a first model to."""

    @property
    def remarks(self) -> Iterator[str]:
        """Yield what a reader has to know of groups that nobody can judge by yet."""
        open_ = {f"{it.measure} of {it.title}": it.undecided for it in self.gaps if it.undecided}
        if found := {**open_, **self.few}:
            yield f"groups that are undecided: {listed(found)}"
        if self.unbounded:
            yield (
                f"nothing holds a first model's gaps in {', '.join(self.unbounded)}: "
                f"`{_KEYS[MOST]}` would"
            )


def judge(
    task: Task, scored: Scored, columns: Mapping[str, np.ndarray], on: Rows, bounds: Gate
) -> Found:
    """Hold every gap against its bounds; `columns` are the groups of rows (rows,), by column."""
    asked = bounds.fairness
    rivals = [it for it in RIVALS if it in scored.scores]
    told, few = _told(task, scored, columns, rivals, bounds)
    compared = [it for it in told if it.measure.name in asked.get(WIDER, {})]
    bounded = [it for it in told if it.measure.name in asked.get(MOST, {})]
    wider = _corrected(bounds.confidence, len(compared) * len(rivals))
    most = _corrected(bounds.confidence, len(bounded))
    gaps = [
        *(_wider(it, rival, scored, on, bounds, wider) for it in compared for rival in rivals),
        *(_most(it, scored, on, bounds, most) for it in bounded),
    ]
    order = [it.title for it in MEASURES[task]]
    gaps.sort(key=lambda it: (it.kind != WIDER, order.index(it.measure)))
    unbounded = [] if rivals else [*(asked.get(WIDER, {}).keys() - asked.get(MOST, {}).keys())]
    return Found(list(_checks(gaps)), gaps, few, unbounded)


def _corrected(confidence: float, number: int) -> float:
    """Return a confidence for so many at once: Bonferroni's correction."""
    return 1 - (1 - confidence) / max(number, 1)


def _told(
    task: Task,
    scored: Scored,
    columns: Mapping[str, np.ndarray],
    rivals: Sequence[str],
    bounds: Gate,
) -> tuple[Sequence[Asked], Mapping[str, str]]:
    """Return the gaps that enough rows tell, and why others tell nothing, by their names."""
    asked = {name for named in bounds.fairness.values() for name in named}
    told, few = list[Asked](), dict[str, str]()
    for measure in MEASURES[task]:
        if measure.name not in asked:
            continue
        rates = {it: Rates.of(measure, scored, it) for it in (CHALLENGER, *rivals)}
        for group in _each(columns):
            if why := _too_few(rates[CHALLENGER], group.keep, bounds.slice_rows):
                few[f"{measure.title} of {group.title}"] = why
            else:
                told.append(Asked(measure, group, rates))
    return told, few


def _each(columns: Mapping[str, np.ndarray]) -> Iterator[Group]:
    """Yield each group; of two in a column the smaller one, since both have one gap."""
    for name, values in columns.items():
        every = groups_of({name: values})
        first = [*islice(every, 3)]
        yield from first[1:] if len(first) == 2 else chain(first, every)


def _too_few(rates: Rates, keep: np.ndarray, least: int) -> str:
    for words, mask in (("", keep), ("other ", ~keep)):
        if (rows := int(mask.sum())) < least:
            return f"{rows:,} {words}rows, {least:,} are asked"
        if (rows := rates.rows(mask)) < LEAST:
            return f"a share of {rows} {words}rows, {LEAST} are asked"
    return ""


def _wider(
    asked: Asked, rival: str, scored: Scored, on: Rows, bounds: Gate, confidence: float
) -> Gap:
    """Tell by how much a gap is wider than a rival's."""
    found = _seen(_widening(asked, rival, on, confidence), asked, scored)
    bound = bounds.fairness[WIDER][asked.measure.name]
    title = f"{asked.group.title}{RIVALS[rival]}"
    why = _unknown(found, bounds.days)
    if not why and found.low <= bound <= found.high:
        why = formats.difference(found.value, found.low, found.high)
    failed = not why and found.low > bound
    return Gap(WIDER, asked.measure.title, title, found, bound, failed, why)


def _widening(asked: Asked, rival: str, on: Rows, confidence: float) -> Comparison:
    ours, theirs = (
        np.abs(asked.rates[it].gap(asked.group.keep, on.sample)) for it in (CHALLENGER, rival)
    )
    return on.compare(ours - theirs, confidence)


def _most(asked: Asked, scored: Scored, on: Rows, bounds: Gate, confidence: float) -> Gap:
    """Tell whether a gap is wider than that of any model may be."""
    values = asked.rates[CHALLENGER].gap(asked.group.keep, on.sample)
    found = _seen(on.compare(values, confidence), asked, scored)
    bound = bounds.fairness[MOST][asked.measure.name]
    why = _unknown(found, bounds.days)
    beyond = not why and (found.low > bound or found.high < -bound)
    if not why and not beyond and not (-bound < found.low and found.high < bound):
        why = formats.difference(found.value, found.low, found.high)
    narrower = beyond and CHAMPION in asked.rates
    narrower = narrower and _widening(asked, CHAMPION, on, confidence).high < 0
    title = asked.group.title
    failed = beyond and not narrower
    return Gap(MOST, asked.measure.title, title, found, bound, failed, why, excused=narrower)


def _seen(found: Comparison, asked: Asked, scored: Scored) -> Comparison:
    """Return what was found with the days, groups or rows of the group, and not of all rows."""
    keep = asked.group.keep & (asked.rates[CHALLENGER].bottom > 0)
    rows, days = int(keep.sum()), scored.times
    size = {
        Unit.DAY: 0 if days is None else len(np.unique(days[keep].astype("datetime64[D]"))),
        Unit.GROUP: 0 if scored.groups is None else len(np.unique(scored.groups[keep])),
        Unit.ROW: rows,
    }[found.unit]
    ends = found.value, found.low, found.high
    return Comparison(*ends, size, rows, found.error, found.unit)


def _unknown(found: Comparison, least: int) -> str:
    if found.size < least:
        return f"{counted(found.size, found.unit)}, {least} are asked"
    return "" if np.isfinite(found.low) else "cannot be told of these rows"


def _checks(gaps: Sequence[Gap]) -> Iterator[Check]:
    for (kind, measure), some in groupby(gaps, key=lambda it: (it.kind, it.measure)):
        yield _check(kind, measure, list(some))


_NAMES = {WIDER: "gap in {}", MOST: "largest gap in {}"}


def _check(kind: str, measure: str, gaps: Sequence[Gap]) -> Check:
    """Fail where a gap is shown to be beyond its bound."""
    name, bound = _NAMES[kind].format(f"{measure[:1].lower()}{measure[1:]}"), gaps[0].bound
    bad = [it for it in gaps if it.failed]
    worst = max(bad or gaps, key=_size)
    than = "wider than before" if kind == WIDER else "apart from all other rows"
    words = f"{worst.title}: {_difference(worst.found)} {than}, {bound:g} is allowed"
    if bad:
        others = f" (so {', '.join(it.title for it in bad if it is not worst)})" if bad[1:] else ""
        words = f"{words}, `{_KEYS[kind]}`{others}"
    elif len(gaps) > 1:
        words = f"the most of {len(gaps)} comparisons: {words}"
    open_ = sum(bool(it.undecided) for it in gaps)
    words += f"; undecided are {open_}" if open_ else ""
    return Check(name, not bad, known(worst.found.value), bound, words, _worse(kind, gaps))


def _size(gap: Gap) -> float:
    value = gap.found.value if gap.kind == WIDER else abs(gap.found.value)
    return value if np.isfinite(value) else -np.inf


def _difference(found: Comparison) -> str:
    if not np.isfinite(found.low):
        return "unknown"
    return formats.difference(found.value, found.low, found.high)


def _worse(kind: str, gaps: Sequence[Gap]) -> str:
    """Name the gaps that are shown wider within their bound, or let through beyond it."""
    if kind == MOST:
        let = {it.title: _difference(it.found) for it in gaps if it.excused}
        words = "wider than any may be, and narrower than the champion's"
        return f"{words}: {gaps[0].measure} of {listed(let)}" if let else ""
    wider = {
        it.title: _difference(it.found) for it in gaps if not it.undecided and it.found.low > 0
    }
    within = f"shown wider within its bound {gaps[0].bound:g}"
    return f"gap in {gaps[0].measure} {within}: {listed(wider)}" if wider else ""
