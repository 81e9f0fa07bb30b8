"""Where a change is: between which values of a column, and in which slice of the rows most."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.arrays import Vector
from .days import Daily, Runs

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 50
"""Of a slice, in the window and before it."""
_MORE = 1.5
"""How many times as far as all rows a slice must be, to be named."""
_LEAST_SHIFT = 0.02
_NAMED = 3


@dataclass(frozen=True)
class Shift:
    """A share that has changed: of a category, as told by its name."""

    label: str
    before: float
    now: float


def shifts(column: Daily, now: Runs, before: Runs) -> list[Shift]:
    """Return the categories whose shares have changed the most, of two runs of days (1, 2)."""
    ours, theirs = column.of(now), column.of(before)
    if column.kind != "category" or not ours.known[0] or not theirs.known[0]:
        return []
    shares = ours.bins[0] / ours.known[0], theirs.bins[0] / theirs.known[0]
    apart = shares[0] - shares[1]
    order = np.argsort(-np.abs(apart), kind="stable")[:_NAMED]
    return [
        Shift(column.labels[it], float(shares[1][it]), float(shares[0][it]))
        for it in order
        if abs(apart[it]) >= _LEAST_SHIFT
    ]


@dataclass(frozen=True)
class Slice:
    """A group of rows in which a change is much larger than in all."""

    column: str
    value: str
    change: float
    of_all: float


def slice_of(
    values: "pd.Series[Any]", slices: "pd.DataFrame", now: np.ndarray, before: np.ndarray
) -> Slice | None:
    """Return the slice in which a column has moved much farther than in all rows, if in any.

    `values` are the column's (rows,), `now` and `before` masks (rows,).
    """
    whole = apart(values[now], values[before])
    found = [
        Slice(name, value, apart(values[now & of], values[before & of]), whole)
        for name, value, of in _groups(slices, now, before)
        if name != values.name
    ]
    farthest = max(found, key=lambda it: it.change, default=None)
    return farthest if farthest and farthest.change >= _MORE * whole else None


def slice_of_mean(
    off: Vector, slices: "pd.DataFrame", now: np.ndarray, before: np.ndarray
) -> Slice | None:
    """Return the slice in which a mean (rows,) has moved much farther than in all rows, if any."""
    whole = float(off[now].mean() - off[before].mean())
    found = [
        Slice(name, value, float(off[now & of].mean() - off[before & of].mean()), whole)
        for name, value, of in _groups(slices, now, before)
    ]
    same = [it for it in found if it.change * whole > 0]
    farthest = max(same, key=lambda it: abs(it.change), default=None)
    return farthest if farthest and abs(farthest.change) >= _MORE * abs(whole) else None


def _groups(
    slices: "pd.DataFrame", now: np.ndarray, before: np.ndarray
) -> Iterator[tuple[str, str, np.ndarray]]:
    for name in slices.columns:
        codes, values = slices[name].factorize()
        ours, theirs = (
            np.bincount(codes[it & (codes >= 0)], minlength=len(values)) for it in (now, before)
        )
        for place in np.flatnonzero((ours >= LEAST_ROWS) & (theirs >= LEAST_ROWS)).tolist():
            yield str(name), str(values[place]), codes == place


def apart(ours: "pd.Series[Any]", theirs: "pd.Series[Any]") -> float:
    """Return how far two samples of one column are apart, what is missing left out."""
    one, other = ours.dropna().to_numpy(), theirs.dropna().to_numpy()
    if not len(one) or not len(other):
        return 0.0
    if one.dtype.kind not in "fiub":
        return _total_variation(one, other)
    every = np.sort(np.concatenate([one, other]))
    shares = (np.searchsorted(np.sort(it), every, side="right") / len(it) for it in (one, other))
    below, others = shares
    return float(np.abs(below - others).max())


def _total_variation(one: Sequence[Any] | np.ndarray, other: Sequence[Any] | np.ndarray) -> float:
    names, codes = np.unique(np.concatenate([one, other]).astype(str), return_inverse=True)
    ours, theirs = codes[: len(one)], codes[len(one) :]
    shares = (np.bincount(it, minlength=len(names)) / len(it) for it in (ours, theirs))
    first, second = shares
    return float(np.abs(first - second).sum() / 2)
