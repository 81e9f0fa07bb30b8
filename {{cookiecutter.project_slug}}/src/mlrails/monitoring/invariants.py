"""What no row should ever be like, and what no day was like yet: said at once, without a test.

These are faults of the data, not changes of the world: a unit, a sensor, a default, a file that did
not come. A rule of `schema.py` that is broken counts whatever its number; a share counts where it
is further beyond all days that were seen than those are from the usual one, and by ten points.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..data.arrays import Vector
from .days import Daily, Runs


class Kind(StrEnum):
    """What is wrong."""

    GONE = "gone"
    TYPE = "type"
    RANGE = "range"
    EMPTY = "empty"
    MISSING = "missing"
    REPEATED = "repeated"
    UNSEEN = "unseen"
    NO_ROWS = "no rows"
    FEW_ROWS = "few rows"
    MANY_ROWS = "many rows"
    LATE = "outcomes late"
    SKEW = "served otherwise"


@dataclass(frozen=True)
class Fault:
    """Something that is wrong of a column, or of all rows, from one day on."""

    kind: Kind
    column: str
    first: int
    last: int
    rows: int = 0
    share: float | None = None
    """The largest of a day, and the largest of any day before."""
    before: float | None = None


LEAST_ROWS = 50
"""Of a day or a window, whose shares say something."""
_LEAST_RUNS = 10
"""Days that were seen before: fewer do not tell what is usual."""
_BEYOND = 0.1
UNSEEN = 0.05
"""The share of a day's rows with an unknown category, from which on that is a fault."""
_WEEK, _WEEKS, _LEAST_WEEKS = 7, 8, 4
_FEW, _MANY, _LEAST_USUAL = 0.5, 2.0, 30


def units(rows: Vector, length: int, known: int) -> Runs:
    """Return the runs of days that shares are told of: days, or windows where days are small."""
    usual = rows[:known][rows[:known] > 0]
    size = 1 if len(usual) and float(np.median(usual)) >= LEAST_ROWS else length
    first = known % size
    starts = np.arange(first, len(rows) - size + 1, size)
    return np.stack([starts, starts + size], axis=1).astype(np.int64)


def of_columns(columns: Iterable[Daily], runs: Runs, known: int) -> Iterator[Fault]:
    """Yield what is wrong of each column in runs that begin after the days that are `known`."""
    for column in columns:
        yield from _of_column(column, runs, runs[:, 0] >= known)


def _of_column(column: Daily, runs: Runs, new: np.ndarray) -> Iterator[Fault]:
    found = column.of(runs)
    outside, empty = found.outside, found.missing
    if outside[new].any() and not outside[~new].any():
        yield _first(Kind.RANGE, column.name, runs, new & (outside > 0), outside)
    if not column.nullable and empty[new].any():
        yield _first(Kind.EMPTY, column.name, runs, new & (empty > 0), empty)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = [
            (Kind.MISSING, found.missing, found.missing / found.rows, found.rows),
            (Kind.REPEATED, found.repeated, found.repeated / found.known, found.known),
        ]
    for kind, rows, share, of in shares:
        if kind is Kind.MISSING and not column.nullable:
            continue
        yield from _beyond(kind, column.name, runs, new, rows, share, of)
    if column.kind == "category":
        yield from _unseen(column, runs, new)


def _beyond(
    kind: Kind, name: str, runs: Runs, new: np.ndarray, rows: Vector, share: Vector, of: Vector
) -> Iterator[Fault]:
    told = of >= LEAST_ROWS
    usual = share[told & ~new]
    if len(usual) < _LEAST_RUNS:
        return
    most = float(usual.max())
    bound = most + max(_BEYOND, most - float(np.median(usual)))
    wrong = told & new & (share > min(bound, 1 - _BEYOND if most < 1 - _BEYOND else np.inf))
    if wrong.any():
        yield _first(kind, name, runs, wrong, rows, float(share[wrong].max()), most)


def _unseen(column: Daily, runs: Runs, new: np.ndarray) -> Iterator[Fault]:
    first = int(runs[new][0, 0]) if new.any() else 0
    seen = column.of(np.array([[0, first]])).bins[0] > 0
    if not seen.any():
        return
    found = column.of(runs)
    unknown = found.bins[:, ~seen].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = unknown / found.known
    wrong = new & (found.known >= LEAST_ROWS) & (share > UNSEEN)
    if wrong.any():
        yield _first(Kind.UNSEEN, column.name, runs, wrong, unknown, float(share[wrong].max()), 0.0)


def _first(
    kind: Kind,
    name: str,
    runs: Runs,
    wrong: np.ndarray,
    rows: Vector,
    share: float | None = None,
    before: float | None = None,
) -> Fault:
    places = runs[wrong]
    return Fault(
        kind,
        name,
        int(places[0, 0]),
        int(places[-1, 1]) - 1,
        int(rows[wrong].sum()),
        share,
        before,
    )


def unknown(columns: Iterable[Daily], known: int) -> Iterator[tuple[str, list[str], int]]:
    """Yield which categories of a column came after the known days, and in how many rows."""
    for column in columns:
        days = len(column.counts.missing)
        if column.kind != "category" or known >= days:
            continue
        before, after = column.of(np.array([[0, known], [known, days]])).bins
        new = (before == 0) & (after > 0)
        if before.any() and new.any():
            names = [column.labels[it] for it in np.flatnonzero(new).tolist()]
            yield column.name, names, int(after[new].sum())


def of_volume(rows: Vector, known: int) -> Iterator[Fault]:
    """Yield days without rows, with far too few or far too many, by the weekday's last eight."""
    for kind, wrong in _volumes(rows, known).items():
        if wrong:
            yield Fault(kind, "", wrong[0], wrong[-1], int(rows[wrong].sum()))


def _volumes(rows: Vector, known: int) -> dict[Kind, list[int]]:
    """Return the days of each kind; what is wrong is no past of the days after it."""
    found: dict[Kind, list[int]] = {Kind.NO_ROWS: [], Kind.FEW_ROWS: [], Kind.MANY_ROWS: []}
    past: list[list[float]] = [[] for _ in range(_WEEK)]
    for day, count in enumerate(rows.tolist()):
        same = past[day % _WEEK]
        kind = _volume(count, same[-_WEEKS:]) if day >= known else None
        if kind:
            found[kind].append(day)
        else:
            same.append(count)
    return found


def _volume(count: float, same: Sequence[float]) -> Kind | None:
    """Return what is wrong with the rows of a day, by those of the same weekday before."""
    usual = [it for it in same if it > 0]
    if len(usual) < max(_LEAST_WEEKS, len(same) - len(same) // _LEAST_WEEKS):
        return None
    if not count:
        return Kind.NO_ROWS
    if min(usual) < _LEAST_USUAL:
        return None
    if count < _FEW * min(usual):
        return Kind.FEW_ROWS
    return Kind.MANY_ROWS if count > _MANY * max(usual) else None


def late(outcomes: Daily, known: int, due: int) -> Iterator[Fault]:
    """Yield that outcomes are missing where their time has come: of days before `due`."""
    days = np.arange(min(due, len(outcomes.counts.missing)))
    runs = np.stack([days, days + 1], axis=1)
    found = outcomes.of(runs)
    told = found.rows > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = found.missing / found.rows
    usual = share[told & (days < known)]
    if len(usual) < _LEAST_RUNS:
        return
    most = float(usual.max())
    wrong = told & (days >= known) & (share > most + max(_BEYOND, most - float(np.median(usual))))
    if wrong.any():
        lost = found.missing
        yield _first(Kind.LATE, outcomes.name, runs, wrong, lost, float(share[wrong].max()), most)


def standing(faults: Sequence[Fault], start: int, end: int) -> list[Fault]:
    """Return the faults of some days, the gravest kinds first."""
    order = list(Kind)
    found = [it for it in faults if it.first < end and it.last >= start]
    return sorted(found, key=lambda it: (order.index(it.kind), it.column))
