"""What is wrong, since when, in which slice, and what to do: alarms in words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..core.errors import counted
from ..core.params import FILE
from . import labels
from .distances import Respect
from .drift import Look, Mover
from .invariants import Fault, Kind
from .labels import Change
from .performance import OutcomeLook
from .where import Shift, Slice


class Source(StrEnum):
    """What has alarmed."""

    FAULT = "fault"
    ROWS = "rows"
    OUTCOMES = "outcomes"


@dataclass(frozen=True)
class Alarm:
    """One alarm, from its first day to its last."""

    source: Source
    since: int
    until: int
    what: str
    remedy: str
    columns: Sequence[str] = ()
    where: str = ""
    chance: float | None = None
    of_level: bool = False
    """Whether the order of rows is kept, and only how high predictions are has moved."""


def percent(share: float | None) -> str:
    """Write a share in per cent, with a decimal where it is small."""
    if share is None:
        return "–"
    return f"{100 * share:.1f}%" if share < 0.1 else f"{100 * share:.0f}%"


_SOURCE = "look at the source: as it stands, the rows are not what the model was made for"
_FAULTS: Mapping[Kind, tuple[Callable[[Fault], str], str]] = {
    Kind.GONE: (lambda it: f"the column {it.column!r} is missing", _SOURCE),
    Kind.TYPE: (lambda it: f"{it.column!r} is not what schema.py says", _SOURCE),
    Kind.RANGE: (
        lambda it: f"{it.column!r} is outside of what schema.py allows in {_rows(it)}",
        f"{_SOURCE}; a unit may have changed",
    ),
    Kind.EMPTY: (
        lambda it: f"{it.column!r} is missing in {_rows(it)}, and schema.py says it never is",
        _SOURCE,
    ),
    Kind.MISSING: (
        lambda it: (
            f"{it.column!r} is missing in up to {percent(it.share)} of the rows of a day, "
            f"which was {percent(it.before)} at the most"
        ),
        _SOURCE,
    ),
    Kind.REPEATED: (
        lambda it: (
            f"one value of {it.column!r} is in up to {percent(it.share)} of the rows of a "
            f"day, which was {percent(it.before)} at the most"
        ),
        f"{_SOURCE}; a sensor may be stuck, or a default be filled in",
    ),
    Kind.UNSEEN: (
        lambda it: (
            f"up to {percent(it.share)} of the rows of a day have a {it.column!r} that was "
            "never seen"
        ),
        "see whether it is only written in another way; else train with rows that have it",
    ),
    Kind.NO_ROWS: (
        lambda it: "no rows came on days that always had some",
        "see whether the source delivers; nothing else is told of days without rows",
    ),
    Kind.FEW_ROWS: (
        lambda it: "fewer than half as many rows came as on any such weekday of eight weeks",
        "see whether the source delivers all of them",
    ),
    Kind.MANY_ROWS: (
        lambda it: "more than twice as many rows came as on any such weekday of eight weeks",
        "see whether rows were delivered twice",
    ),
    Kind.LATE: (
        lambda it: (
            f"outcomes are missing though their time is over, of up to {percent(it.share)} "
            "of the rows of a day"
        ),
        f"see whether they come later now: `monitor.horizon` in {FILE} says how long they take",
    ),
    Kind.SKEW: (
        lambda it: (
            f"the server's answers are not those that the same version gives here, in {_rows(it)} "
            f"({percent(it.share)} of those that it has answered)"
        ),
        "compare the packages of the server with those of the model's lock, and what stands "
        "between callers and it; `nox -s image` makes a server anew",
    ),
}


def _rows(fault: Fault) -> str:
    return counted(fault.rows, "row")


def of_faults(faults: Sequence[Fault]) -> Iterator[Alarm]:
    """Yield what is said of faults; columns with one fault on the same days are one alarm."""
    groups: dict[tuple[Kind, int, int], list[Fault]] = {}
    for it in faults:
        groups.setdefault((it.kind, it.first, it.last), []).append(it)
    for (kind, first, last), same in groups.items():
        say, remedy = _FAULTS[kind]
        worst = max(same, key=lambda it: (it.share or 0, it.rows))
        others = [repr(it.column) for it in same if it is not worst]
        what = f"{say(worst)}{f'; the same of {_and(others)}' if others else ''}"
        columns = [it.column for it in same if it.column]
        yield Alarm(Source.FAULT, first, last, what, remedy, columns)


_RESPECTS = {
    Respect.VALUES: "",
    Respect.MISSING: " (what is missing)",
    Respect.REPEATED: " (its commonest value)",
}
_NAMED, _LONGEST = 4, 40
"""How many columns are named, and how many letters of a value."""


def of_look(look: Look, since: int, predictions: Sequence[str], where: str = "") -> Alarm:
    """Return what is said of a window whose rows stand out; `predictions` are the model's own."""
    movers = look.movers
    names = list(dict.fromkeys(it.measure.column for it in movers))
    told = [_mover(it, predictions) for it in movers[:_NAMED]]
    more = len(movers) - len(told)
    what = f"{_and(told)}{f' and {more} more' if more else ''} changed more than in any of "
    what += counted(look.past, "past window")
    return Alarm(
        Source.ROWS,
        since,
        look.end - 1,
        what,
        _remedy(movers, predictions),
        names,
        where,
        look.chance,
    )


def _mover(mover: Mover, predictions: Sequence[str]) -> str:
    name = mover.measure.column
    shown = "the model's prediction" if name in predictions else repr(name)
    figures = f"{mover.distance:.2f}, usually {mover.usual:.2f}"
    return f"{shown}{_RESPECTS[mover.measure.respect]} ({figures})"


def _remedy(movers: Sequence[Mover], predictions: Sequence[str]) -> str:
    if any(it.measure.respect is not Respect.VALUES for it in movers):
        return f"{_SOURCE}; do not train on rows that are broken"
    if {it.measure.column for it in movers} <= {*predictions}:
        return "no column explains it alone: see in which rows, and wait for their outcomes"
    return (
        "ask whether the world has changed or only the source; outcomes say whether the model is "
        "worse for it, and then run `nox -s retrain`"
    )


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def of_outcomes(look: OutcomeLook, since: int, where: str = "") -> Alarm:
    """Return what is said of outcomes that are not as those of the reference."""
    found = look.strongest
    moved = [_change(it) for it in found.changes if it.moved]
    what = f"{_and(moved or ['all figures together have moved'])}, by {counted(found.days, 'day')}"
    what += " with outcomes"
    of_level = labels.sure({it.name: it.moved for it in found.changes})
    days, advice = (since, look.end - 1), _OF_LEVEL if of_level else _OF_OUTCOMES
    return Alarm(Source.OUTCOMES, *days, what, advice, (), where, found.chance, of_level)


def _change(of: Change) -> str:
    if of.name == labels.BIAS:
        return f"predictions are {_beside(of.now)} what came (were {_beside(of.before)} it)"
    return f"the {of.title} is {_number(of.now)} (was {_number(of.before)})"


def _beside(off: float) -> str:
    return f"{_number(abs(off))} {'above' if off > 0 else 'below'}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


_OF_LEVEL = (
    "rows are still put in the right order, so what is off is the level: run "
    "`nox -s retrain -- --recalibrate`, which moves it towards the newest labelled rows before the "
    "test rows, and says whether it is nearer then"
)
_OF_OUTCOMES = "run `nox -s retrain`; its gate says whether that is better"


def in_words(found: Slice | None, changes: Sequence[Shift]) -> str:
    """Return where a change is: in which values, and in which slice."""
    return "; ".join(_places(found, changes))


def _places(found: Slice | None, changes: Sequence[Shift]) -> Iterator[str]:
    if changes:
        told = (
            f"{it.label:.{_LONGEST}} {percent(it.before)} → {percent(it.now)}" for it in changes
        )
        yield ", ".join(told)
    if found:
        figures = f"{_number(found.change)}, all rows {_number(found.of_all)}"
        yield f"most in {found.column} = {found.value:.{_LONGEST}} ({figures})"
