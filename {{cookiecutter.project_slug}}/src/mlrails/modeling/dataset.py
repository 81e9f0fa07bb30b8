"""Rows as a fit is given them, and what is seen of them before anything is learnt."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..data.arrays import Matrix, Rows, Vector

_LEAST_ROWS = 100
"""Fewer rows without a category say little of one that is unknown."""
_ROUNDING = 1e-12
"""A spread that is smaller against its mean is that of rounded sums."""


@dataclass(frozen=True)
class Labelled:
    """A matrix (rows, features), its target (rows,), and how much each row counts (rows,).

    Weights are 1 on the average, and None where all rows count alike.
    """

    matrix: Matrix
    target: Vector
    weight: Vector | None = None

    def __iter__(self) -> Iterator[Any]:
        """Unpack as matrix and target, as an estimator does that knows no weights."""
        return iter((self.matrix, self.target))

    def in_units(self, center: Vector | float, spread: Vector | float) -> list[np.ndarray]:
        """Return what a network learns from: the matrix, the target in units, weights if any.

        All but the matrix in 32 bits, and the target only after it is in units.
        """
        target = (self.target - center) / spread
        counted = [target] if self.weight is None else [target, self.weight]
        return [self.matrix, *(it.astype(np.float32) for it in counted)]


def weights(rows: Rows, column: str | None) -> Vector | None:
    """Return how much each row counts (rows,), 1 on the average; None where all count alike."""
    if column is None:
        return None
    found = np.asarray(rows[column], np.float64)
    alike = not len(found) or found.min() == found.max()
    return None if alike else found / found.mean()


class Units(NamedTuple):
    """The mean and the standard deviation of each column, (columns,)."""

    center: Vector
    spread: Vector


def units(values: Matrix) -> Units:
    """Return the units in which the columns (rows, columns) are of one size.

    A column without any number has the mean 0, one that never changes the deviation 1. In 64 bits:
    32 cannot tell the seconds of a day apart that are counted from 1970.
    """
    # Sums along rows are pairwise, and so exact enough, where a column lies in one piece.
    values = np.asfortranarray(values)
    rows = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    center = np.nansum(values, axis=0) / rows
    spread = np.sqrt(np.nansum(np.square(values - center), axis=0) / rows)
    return Units(center, np.where(spread > _ROUNDING * np.abs(center), spread, 1.0))


def unknown(codes: Vector, size: int) -> Vector:
    """Return of what an unknown category is made: the share (1 + size,) of each row of a table.

    The first row of the table is its own, and learns from rows without a category. The fewer there
    are, the less; so it is drawn to the known ones, each as often as it is there.
    """
    known = (codes >= 0) & (codes < size)
    counts = np.bincount(np.where(known, codes + 1, 0).astype(np.int64), minlength=size + 1)
    own = counts[0] / (counts[0] + _LEAST_ROWS)
    return np.append(own, (1 - own) * counts[1:] / max(counts[1:].sum(), 1))
