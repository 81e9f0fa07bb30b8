"""The decision rule: may a new model take the champion's place?

The question is non-inferiority with a margin (Piaggio et al. 2012, doi:10.1001/jama.2012.87802):
promote when the lower end of the paired difference is above −margin, reject when the upper end is
below, else say how much more would decide. Decisions 0010 and 0027 tell how often this rule is
wrong.

How to change this: a new check is a function in `checks.py`; the engine's
`gate/test_rates.py` holds the promise about the rates.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..core import formats
from ..core.errors import counted
from ..core.params import FILE, Unit
from .looks import Looks

if TYPE_CHECKING:
    from ..evaluation.comparison import Comparison


CHALLENGER, CHAMPION, BEST, CONSTANT = "challenger", "champion", "best champion", "constant"
"""The names of the models among the scores; champion and best may be missing."""


class Answer(StrEnum):
    """What the gate says."""

    PROMOTE = "promote"
    REJECT = "reject"
    UNCHANGED = "unchanged"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `passed` is None where nobody can tell yet."""

    name: str
    passed: bool | None
    value: float | None
    bound: float | None
    reason: str
    worse: str = ""
    """What is shown to be worse, and within its bound: it passes, and has to be told."""


@dataclass(frozen=True)
class Verdict:
    """The answer, and all that it rests on."""

    answer: Answer
    challenger: str
    champion: str | None
    checks: Sequence[Check]
    differences: "Mapping[str, Comparison]"
    """What the picture shows, by title: the champion and the best first, then the slices."""
    metric: str = ""
    """The title of the metric in whose unit differences and margins are."""
    margin: float = 0.0
    slice_margin: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    """The metric of each model, by its role."""
    undecided_slices: Mapping[str, str] = field(default_factory=dict)
    """Why a slice tells nothing yet, by title."""
    remarks: Sequence[str] = ()
    """What else a reader has to know, such as a margin of another unit than the target's."""
    looks: Looks | None = None
    fairness: Sequence[Mapping[str, Any]] = ()
    """What was found of the gaps of groups of sensitive columns, as plain values."""

    def reasons(self) -> Sequence[str]:
        """Return the reasons of the checks in the way; a rejection tells doubts from failures."""
        doubt = " (undecided)" if self.answer is Answer.REJECT else ""
        return [
            f"{check.name}{doubt if check.passed is None else ''}: {check.reason}"
            for check in self.checks
            if not check.passed
        ]

    def worse(self) -> Sequence[str]:
        """Return what is shown worse and passes all the same, the champion's figure first."""
        return [check.worse for check in self.checks if check.passed and check.worse]

    def notes(self) -> Sequence[str]:
        """Return what is told of every verdict: the figures, what is worse, what is not known."""
        return list(_notes(self))

    def to_json(self, registry: str, bounds: str) -> dict[str, Any]:
        """Return what `reports/verdict.json` holds."""
        return {
            "verdict": self.answer.value,
            "registry": registry,
            "challenger": self.challenger,
            "champion": self.champion,
            "bounds": bounds,
            "checks": [asdict(check) for check in self.checks],
            "metric": self.metric,
            "margin": self.margin,
            "slice_margin": self.slice_margin,
            "differences": {name: it.to_json() for name, it in self.differences.items()},
            "figures": dict(self.figures),
            "undecided_slices": dict(self.undecided_slices),
            "remarks": list(self.remarks),
            "looks": self.looks.to_json() if self.looks else None,
            **({"fairness": list(self.fairness)} if self.fairness else {}),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Verdict":
        """Return the verdict that `to_json` told; raises KeyError, TypeError or ValueError.

        One that was told before there were figures, slices that are undecided, remarks and looks
        has none.
        """
        from ..evaluation.comparison import Comparison

        looks = told.get("looks")
        return cls(
            Answer(told["verdict"]),
            told["challenger"],
            told["champion"],
            [Check(**check) for check in told["checks"]],
            {name: Comparison.from_json(it) for name, it in told["differences"].items()},
            told["metric"],
            told["margin"],
            told["slice_margin"],
            figures=told.get("figures", {}),
            undecided_slices=told.get("undecided_slices", {}),
            remarks=tuple(told.get("remarks", ())),
            looks=Looks(**looks) if looks else None,
            fairness=tuple(told.get("fairness", ())),
        )


def unchanged(digest: str) -> Verdict:
    """Return the verdict on a challenger that is the champion."""
    return Verdict(Answer.UNCHANGED, digest, digest, [], {})


def answer(checks: Iterable[Check]) -> Answer:
    """Reject for one failure, wait for one doubt, else promote."""
    passed = [check.passed for check in checks]
    if any(it is False for it in passed):
        return Answer.REJECT
    return Answer.UNDECIDED if None in passed else Answer.PROMOTE


_LEAST_ALIKE = 300
"""Rows without a difference in any draw, below which that says nothing."""
_SHOWN = 5
"""Names that are told one by one; all of them are in `verdict.json`."""


def _notes(verdict: Verdict) -> Iterator[str]:
    yield from verdict.worse()
    ours, theirs = (verdict.figures.get(role) for role in (CHALLENGER, CHAMPION))
    if ours is not None:
        rival = "" if theirs is None else f", champion {theirs:.4f}"
        found = verdict.differences.get(CHAMPION)
        gain = f": {_told(found)} {_seen(found)}" if found else ""
        yield f"{verdict.metric} {ours:.4f}{rival}{gain}"
    if verdict.undecided_slices:
        yield f"slices that are undecided: {listed(verdict.undecided_slices)}"
    yield from verdict.remarks
    if verdict.looks and verdict.looks.challengers > 1:
        yield verdict.looks.told()


def listed(slices: Mapping[str, str]) -> str:
    """Name slices with what is said of each, the first ones of many."""
    words = [f"{name} ({why})" for name, why in slices.items()]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def no_worse(
    name: str,
    difference: "Comparison",
    margin: float,
    least: int,
    key: str = "gate.margin",
    what: str = "",
) -> Check:
    """Decide whether a model is no worse than another by more than the margin.

    `least` is how many days, groups or rows, whichever are drawn, must be seen; `key` is where the
    margin stands, and `what` says what would be worse where it is not the champion's figure.
    """
    seen = difference.size >= least and not _is_blind(difference)
    passed = _stands(difference, margin) if seen else None
    worse = ""
    if passed and difference.high < 0:
        by = formats.plain(difference.value)
        worse = f"{what}shown worse by {by}, within the margin {margin:.4g}"
    words = _words(difference, margin, least, key)
    return Check(name, passed, known(difference.value), -margin, words, worse)


def known(value: float) -> float | None:
    """Return a figure, or None where there is none: JSON knows no NaN."""
    return value if math.isfinite(value) else None


def _stands(difference: "Comparison", margin: float) -> bool | None:
    if difference.low > -margin:
        return True
    return False if difference.high < -margin else None


def _is_blind(difference: "Comparison") -> bool:
    """Tell whether no draw differs, on rows too few for that to say anything.

    Models that make no error on some rows have an interval of no width there, on two rows as well
    as on a million. Where none of n rows differs, at most 3/n of all do, at 95 % (Hanley and
    Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031): here, one in a hundred.
    """
    return difference.low == difference.high and difference.rows < _LEAST_ALIKE


def _seen(difference: "Comparison") -> str:
    rows = counted(difference.rows, Unit.ROW)
    if difference.unit is Unit.ROW:
        return f"on {rows}"
    return f"on {counted(difference.size, difference.unit)} ({rows})"


def _told(difference: "Comparison") -> str:
    return formats.difference(difference.value, difference.low, difference.high)


def too_few(difference: "Comparison", least: int) -> str:
    """Say that too little was seen, and how much is needed."""
    needed = f"{least} {difference.unit.plural} are needed"
    if difference.unit is not Unit.ROW:
        each = difference.rows / max(difference.size, 1)
        needed += f", about {least * each:,.0f} rows" if each else " and rows of them"
    way = "" if difference.rows else f"; {_WAY_OUT[difference.unit]}"
    return f"seen {_seen(difference)} only, too few to tell; {needed}{way}"


_WAY_OUT = {
    Unit.DAY: "no test row is later than all that the champion has seen: bring later rows, and "
    f"move `data.until` in {FILE} on",
    Unit.GROUP: "groups without a time cannot tell which of them the champion has seen, once their "
    "split has changed: take the change back, or begin a project of another name, whose first "
    "model meets the floors alone",
    Unit.ROW: "rows without a time cannot tell which of them the champion has seen, once they or "
    f"their split have changed: name their time as `data.time` in {FILE}, take the change back, or "
    "begin a project of another name, whose first model meets the floors alone",
}
"""What to do where no test row is known to be new, by what is drawn of them."""


def _words(difference: "Comparison", margin: float, least: int, key: str) -> str:
    if difference.size < least:
        return too_few(difference, least)
    if not math.isfinite(difference.low):
        return f"cannot be told {_seen(difference)}, which have one outcome only"
    words = f"{_told(difference)} {_seen(difference)}"
    if _is_blind(difference):
        return f"{words}, where both are as good in every draw; {_LEAST_ALIKE} rows would tell"
    match _stands(difference, margin):
        case True:
            return f"{words}, a loss of {margin:.4g} is ruled out"
        case False:
            return f"{words}, worse by more than {margin:.4g}"
    return f"{words}; {enough(difference, margin)}; what may be lost is `{key}` in {FILE}"


def enough(difference: "Comparison", margin: float) -> str:
    """Say how much would decide, should the difference be what was seen."""
    needed = difference.to_decide(margin)
    if math.isinf(needed):
        nothing = difference.unit.plural
        return f"right at the margin {margin:.4g}: no number of {nothing} would decide"
    amount = f"{needed:,.0f} {difference.unit.plural}"
    if difference.unit is not Unit.ROW:
        each = difference.rows / max(difference.size, 1)
        amount += f" ({needed * each:,.0f} rows)"
    return f"about {amount} would decide, with a power of 80 %"
