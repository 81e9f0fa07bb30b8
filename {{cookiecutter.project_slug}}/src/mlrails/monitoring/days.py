"""Rows by day: how many were in each bin of each column, so that any days are added up at once.

Rows of one day share their weather and their queues, so days are what differs, and what is counted
is small however many rows there are. A number falls into bins between quantiles of the days that it
is held against, a category into one of its own; what lies beyond all that was seen has a bin too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..data.arrays import Matrix, Vector

if TYPE_CHECKING:
    import pandas as pd

Days = npt.NDArray[np.int64]
"""The day of each row (rows,), counted from the first."""
Runs = npt.NDArray[np.int64]
"""(runs, 2): the first day of each run of days, and the first one after it."""
Kind = Literal["number", "category"]

_QUANTILES = 64
_CATEGORIES = 200
"""As many have a bin of their own, the commonest first; the others share one."""
OTHERS = "(others)"


@dataclass(frozen=True, eq=False)
class Counts:
    """Rows of one column in several sets of days: by bin (sets, bins), and more (sets,)."""

    bins: Matrix
    missing: Vector
    repeated: Vector
    """Rows with the commonest value of their day."""
    outside: Vector
    """Rows outside of the range that the schema allows."""
    total: Vector
    """What the numbers add up to."""

    def __sub__(self, other: "Counts") -> "Counts":
        pairs = zip(self._parts(), other._parts(), strict=True)
        return Counts(*(ours - theirs for ours, theirs in pairs))

    def __add__(self, other: "Counts") -> "Counts":
        pairs = zip(self._parts(), other._parts(), strict=True)
        return Counts(*(ours + theirs for ours, theirs in pairs))

    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.bins, self.missing, self.repeated, self.outside, self.total

    @property
    def known(self) -> Vector:
        """Rows with a value (sets,)."""
        found: Vector = self.bins.sum(axis=1)
        return found

    @property
    def rows(self) -> Vector:
        """All rows (sets,)."""
        return self.known + self.missing


@dataclass(frozen=True, eq=False)
class Daily:
    """One column by day. `labels` name the bins of a category; `edges` part those of a number."""

    name: str
    kind: Kind
    counts: Counts
    labels: Sequence[str] = ()
    edges: Vector | None = None
    nullable: bool = True

    def of(self, runs: Runs) -> Counts:
        """Return the counts of runs of days, (runs, …)."""
        return Counts(
            *(
                (cumulated := np.concatenate([np.zeros_like(it[:1]), it.cumsum(axis=0)]))[
                    runs[:, 1]
                ]
                - cumulated[runs[:, 0]]
                for it in self.counts._parts()
            )
        )


def number(
    name: str,
    values: Vector,
    day: Days,
    days: int,
    known_until: int,
    *,
    limits: tuple[float | None, float | None] = (None, None),
    nullable: bool = True,
) -> Daily:
    """Count a column of numbers (rows,); its bins are those of the days before `known_until`."""
    there = np.isfinite(values)
    seen = values[there & (day < known_until)]
    edges = np.unique(np.quantile(seen, np.linspace(0, 1, _QUANTILES + 1))) if len(seen) else seen
    if len(edges):  # What lies below all that was seen is not as its smallest value.
        edges = np.append(np.nextafter(edges[0], -np.inf), edges)
    place = np.searchsorted(edges, values[there], side="left")
    counts = Counts(
        _table(day[there], place, days, len(edges) + 1),
        _sums(~there, day, days),
        _commonest(values[there], day[there], days),
        _sums(_outside(values, limits), day, days),
        _sums(np.where(there, values, 0), day, days),
    )
    return Daily(name, "number", counts, edges=edges, nullable=nullable)


def category(
    name: str, values: "pd.Series[Any]", day: Days, days: int, nullable: bool = True
) -> Daily:
    """Count a column of categories (rows,)."""
    codes, names = values.factorize()
    there = codes >= 0
    order = np.argsort(-np.bincount(codes[there], minlength=len(names)), kind="stable")
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.minimum(np.arange(len(names)), _CATEGORIES)
    labels = [str(names[it]) for it in order[:_CATEGORIES]]
    labels += [OTHERS] if len(names) > _CATEGORIES else []
    none = np.zeros(days)
    counts = Counts(
        _table(day[there], place[codes[there]], days, len(labels)),
        _sums(~there, day, days),
        _commonest(codes[there], day[there], days),
        *[none] * 2,
    )
    return Daily(name, "category", counts, labels, nullable=nullable)


def _table(day: Days, place: Days, days: int, bins: int) -> Matrix:
    found = np.bincount(day * bins + place, minlength=days * bins).reshape(days, bins)
    return found.astype(np.float64)


def _sums(of: np.ndarray, day: Days, days: int) -> Vector:
    return np.bincount(day, weights=of, minlength=days).astype(np.float64)


def _outside(values: Vector, limits: tuple[float | None, float | None]) -> np.ndarray:
    low, high = limits
    below = values < low if low is not None else np.zeros(len(values), bool)
    above = values > high if high is not None else np.zeros(len(values), bool)
    return below | above


def _commonest(values: Vector, day: Days, days: int) -> Vector:
    """Return how often the commonest value of each day is there (days,)."""
    if not len(values):
        return np.zeros(days)
    _, code = np.unique(values, return_inverse=True)
    key, times = np.unique(day * (int(code.max()) + 1) + code, return_counts=True)
    found = np.zeros(days)
    np.maximum.at(found, key // (int(code.max()) + 1), times)
    return found
