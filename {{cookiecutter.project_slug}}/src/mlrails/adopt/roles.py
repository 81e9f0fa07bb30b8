"""What each column is for: what the user said of it, else what its values and its name say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..core.errors import UsageError, nearest
from ..core.params import Split, Task
from ..data.schema import Column, Kind
from ..data.validation import TARGETS
from . import kinds
from .division import Division
from .plan import By, Planned, Role
from .seen import Seen
from .target import Target

ANSWER = "it is the answer itself"
_OUT = {
    "identifier": "it names rows or what they are of, and is never seen again",
    "clock": "no feature reads such a writing; make a number of it in source.py, as minutes",
    "free text": "it is free text, which no feature reads",
    "constant": "it is the same in every row",
    "time": "it is a time beside the one that the rows are ordered by",
}


@dataclass(frozen=True)
class Wishes:
    """What the user said of the columns."""

    target: str
    task: Task | None = None
    time: str | None = None
    group: str | None = None
    ids: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    weight: str | None = None
    positive: str | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    by: By | None = None
    """How the rows are divided, where the project has chosen that already."""
    split: Split | None = None
    """The project's parts, which stay while its rows are divided in the same way."""

    def check(self, there: Sequence[str], where: str) -> None:
        """Raise UsageError for a column that is not there, or is to be two things."""
        single = {"--target": self.target, "--time": self.time, "--group": self.group}
        single |= {"--weight": self.weight}
        said = [(option, it) for option, it in single.items() if it is not None]
        said += [("--id", it) for it in self.ids] + [("--drop", it) for it in self.drop]
        before = dict[str, str]()
        for option, name in said:
            if name not in there:
                raise UsageError(
                    f"{where}: there is no column {name!r}, which {option} names"
                    f"{nearest(name, there)}; it has {_listed(there)}"
                )
            if before.setdefault(name, option) != option:
                raise UsageError(
                    f"{where}: column {name!r} is named by {before[name]} and by {option}; say one"
                )


def _listed(there: Sequence[str]) -> str:
    shown = ", ".join(map(repr, there[:10]))
    return f"{shown} and {len(there) - 10:,} more" if len(there) > 10 else shown


def planned(
    columns: Mapping[str, Seen], target: Target, divided: Division, wishes: Wishes
) -> tuple[Planned, ...]:
    """Return what `schema.py` says of each column; one that no schema can hold is left away."""
    named: dict[str, Role] = {target.name: "target"}
    named |= dict.fromkeys((*wishes.ids, *wishes.drop), "left out")
    for name, role in ((divided.time, "time"), (divided.group, "group"), (wishes.weight, "weight")):
        if name is not None:
            named[name] = role  # type: ignore[assignment]
    found = tuple(
        _column(seen, named.get(name), target, wishes)
        for name, seen in columns.items()
        if seen.why != kinds.UNREADABLE
    )
    if not any(it.role in {"number", "category", "time"} for it in found):
        raise UsageError(
            "no column is left to predict from: all others are constant, free text, or names of "
            "rows; add some, or say less with --drop and --id"
        )
    return found


def _column(seen: Seen, role: Role | None, target: Target, wishes: Wishes) -> Planned:
    if role == "target":
        return _target(seen, target)
    leaks = None
    if role is None and seen.what in _OUT:
        role, leaks = "left out", _OUT[seen.what]
    elif role == "left out":
        leaks = _OUT["identifier"] if seen.name in wishes.ids else "it was left out in adoption"
    elif role == "weight" and (seen.kind != "number" or (seen.minimum or 0) < 0):
        raise UsageError(
            f"column {seen.name!r}: --weight names it, and its values are no weights ({seen.why}); "
            "name a column of numbers that are not below zero"
        )
    role = role or ("category" if seen.kind == "category" else "number")
    kind: Kind = "category" if role == "group" else seen.kind
    column = Column(
        seen.name, kind, bool(seen.missing), _minimum(seen) if kind == "number" else None,
        leaks=leaks, known=wishes.known.get(seen.name),
    )  # fmt: skip
    why = "; ".join(filter(None, (seen.why, _missing(seen), seen.note)))
    return Planned(column, role, why, _range(seen))


def _target(seen: Seen, target: Target) -> Planned:
    kind = TARGETS[target.task]
    number = kind == "number"
    column = Column(seen.name, kind, minimum=_minimum(seen) if number else None, leaks=ANSWER)
    return Planned(column, "target", target.why, _range(seen) if number else None)


def _missing(seen: Seen) -> str:
    return f"{seen.missing / seen.rows:.0%} missing" if seen.missing else ""


def _range(seen: Seen) -> tuple[float, float] | None:
    if seen.kind != "number" or seen.minimum is None or seen.maximum is None:
        return None
    return seen.minimum, seen.maximum


def _minimum(seen: Seen) -> float | None:
    """Return 0 for numbers that reach down to about zero and not below; a tighter bound is a guess.

    Temperatures of a summer stay above zero as well, and so have none.
    """
    if seen.minimum is None or seen.maximum is None or seen.minimum < 0 or seen.maximum == 0:
        return None
    return 0.0 if seen.minimum <= seen.maximum / 100 else None
