"""The decision rule: may a new model take the champion's place?

The question is non-inferiority with a margin (Piaggio et al. 2012, doi:10.1001/jama.2012.87802):
promote when the lower end of the paired difference is above −margin, reject when the upper end is
below, else say how much more would decide. Decision 0010 tells how often this rule is wrong.

How to change this: a new check is a function in `checks.py`; `tests/test_gate_rates.py` holds the
promise about the rates.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .comparison import Comparison


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

    def reasons(self) -> Sequence[str]:
        """Return the reasons of the checks in the way; a rejection tells doubts from failures."""
        doubt = " (undecided)" if self.answer is Answer.REJECT else ""
        return [
            f"{check.name}{doubt if check.passed is None else ''}: {check.reason}"
            for check in self.checks
            if not check.passed
        ]

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
            "differences": {name: asdict(it) for name, it in self.differences.items()},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Verdict":
        """Return the verdict that `to_json` told; raises KeyError, TypeError or ValueError."""
        from .comparison import Comparison

        return cls(
            Answer(told["verdict"]),
            told["challenger"],
            told["champion"],
            [Check(**check) for check in told["checks"]],
            {name: Comparison(**it) for name, it in told["differences"].items()},
            *(told[name] for name in ("metric", "margin", "slice_margin")),
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


def no_worse(name: str, difference: "Comparison", margin: float, least_days: int) -> Check:
    """Decide whether a model is no worse than another by more than the margin."""
    passed = _stands(difference, margin) if difference.days >= least_days else None
    words = _words(difference, margin, least_days)
    return Check(name, passed, known(difference.value), -margin, words)


def known(value: float) -> float | None:
    """Return a figure, or None where there is none: JSON knows no NaN."""
    return value if math.isfinite(value) else None


def _stands(difference: "Comparison", margin: float) -> bool | None:
    if difference.low > -margin:
        return True
    return False if difference.high < -margin else None


def _words(difference: "Comparison", margin: float, least_days: int) -> str:
    seen = f"on {difference.days} days ({difference.rows:,} rows)"
    per_day = difference.rows / max(difference.days, 1)
    if difference.days < least_days:
        more = f"about {least_days * per_day:,.0f} rows" if per_day else "and rows of them"
        return f"seen {seen} only, too few to tell; {least_days} days are needed, {more}"
    if not math.isfinite(difference.low):
        return f"cannot be told {seen}, which have one outcome only"
    words = f"{difference.value:+.4f} ({difference.low:+.4f} to {difference.high:+.4f}) {seen}"
    match _stands(difference, margin):
        case True:
            return f"{words}, a loss of {margin:g} is ruled out"
        case False:
            return f"{words}, worse by more than {margin:g}"
    days = difference.days_to_decide(margin)
    if math.isinf(days):
        return f"{words}, right at the margin {margin:g}: no number of days would decide"
    return f"{words}; about {days:,.0f} days ({days * per_day:,.0f} rows) would decide"
