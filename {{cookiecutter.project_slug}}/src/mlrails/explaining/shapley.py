"""Shapley values of one prediction: what each column moves it by, away from typical rows.

A set of columns is worth the mean prediction where these are the row's and the others are those of
a typical row; a column's Shapley value is what it adds, averaged over the orders in which columns
can come (Shapley 1953; interventional, as Janzing and others 2020, arXiv:1910.13413). The values
add up to the prediction minus the mean prediction of the typical rows, whatever the model.

All sets are asked where they are few; else orders are drawn, each with its reverse (Mitchell and
others 2022, arXiv:2104.12199), as often for each typical row, and what that leaves open is told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from ..data.arrays import Matrix, Vector

MOST_SCORED = 2**14
"""Rows that the model is asked for at the most to explain one, where its columns are not many."""
MOST_COLUMNS = 500
"""Orders of more columns would ask for more rows than anybody waits for."""
_CELLS = 2**21
"""Of the rows that the model is given at once."""

Score = Callable[[Matrix], Vector]
"""The number that is explained, (rows,) of encoded rows (rows, features)."""
Owners = npt.NDArray[np.int64]
"""The place of the raw column that each feature is made of, (features,)."""


@dataclass(frozen=True)
class Shares:
    """What each column moves the prediction by, (columns,), from the base to the prediction."""

    base: float
    prediction: float
    values: Vector
    errors: Vector
    """The standard error of each value: what drawing the orders has left open."""
    drawn: int = 0
    """How many orders were drawn; 0 where nothing was left to chance."""


def shares(score: Score, row: Vector, typical: Matrix, owners: Owners, seed: int) -> Shares:
    """Return the shares of the columns of an encoded row (features,).

    `typical` are encoded rows (typical rows, features).
    """
    columns = int(owners.max()) + 1
    if len(typical) * 2**columns <= MOST_SCORED:
        return enumerated(score, row, typical, owners)
    return sampled(score, row, typical, owners, seed)


def enumerated(score: Score, row: Vector, typical: Matrix, owners: Owners) -> Shares:
    """Return the shares by their definition, from every set of columns."""
    columns = int(owners.max()) + 1
    sets = np.arange(2**columns)
    of_row = (sets[:, None] >> np.arange(columns) & 1).astype(bool)
    worth = _scored(score, row, typical, of_row[None], owners).mean(axis=0)
    sizes, values = of_row.sum(axis=1), np.empty(columns)
    weights = np.array([1 / (columns * comb(columns - 1, it)) for it in range(columns)])
    for column in range(columns):
        without = sets[~of_row[:, column]]
        added = worth[without | 1 << column] - worth[without]
        values[column] = weights[sizes[without]] @ added
    return Shares(float(worth[0]), float(worth[-1]), values, np.zeros(columns))


def sampled(
    score: Score, row: Vector, typical: Matrix, owners: Owners, seed: int, most: int = MOST_SCORED
) -> Shares:
    """Return the shares as the means over drawn orders, with their standard errors.

    Each order begins at one typical row and ends at the row, so what its columns add sums up to the
    difference of the two, however few orders there are.
    """
    columns, count = int(owners.max()) + 1, len(typical)
    chance, ends = np.random.default_rng(seed), score(np.concatenate([typical, row[None]]))
    rounds = max(1, most // (2 * max(1, columns - 1) * count))
    added = np.stack(
        [
            _round(score, row, typical, owners, chance.permuted(ranks, axis=1), ends)
            for ranks in np.broadcast_to(np.arange(columns), (rounds, count, columns))
        ]
    )
    values, drawn = added.mean(axis=(0, 1)), 2 * rounds * count
    return Shares(float(ends[:-1].mean()), float(ends[-1]), values, _errors(added), drawn)


def _round(
    score: Score,
    row: Vector,
    typical: Matrix,
    owners: Owners,
    ranks: npt.NDArray[np.int64],
    ends: Vector,
) -> Matrix:
    """Return what each column adds (typical rows, columns) in one order and its reverse.

    `ranks` are the places of columns in the order of each typical row, `ends` the scores of the
    typical rows and of the row.
    """
    columns = ranks.shape[1]
    steps = np.arange(1, columns)[:, None]
    of_row = np.concatenate(
        [ranks[:, None, :] < steps, ranks[:, None, :] >= columns - steps], axis=1
    )
    scores = _scored(score, row, typical, of_row, owners).reshape(len(typical), 2, columns - 1)
    first = np.broadcast_to(ends[:-1, None, None], (len(typical), 2, 1))
    last = np.full((len(typical), 2, 1), ends[-1])
    added = np.diff(np.concatenate([first, scores, last], axis=2), axis=2)
    back = np.take_along_axis(added[:, 1], columns - 1 - ranks, axis=1)
    found: Matrix = (np.take_along_axis(added[:, 0], ranks, axis=1) + back) / 2
    return found


def _errors(added: npt.NDArray[np.float64]) -> Vector:
    """Return standard errors of the means of (rounds, typical rows, columns).

    Each typical row counts as often as another, so only what differs among its own orders is luck;
    where each has one order alone, all differences are taken for it.
    """
    rounds, count, columns = added.shape
    if rounds == 1:
        return added[0].std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.zeros(columns)
    within = added.var(axis=0, ddof=1).mean(axis=0)
    found: Vector = np.sqrt(within / (rounds * count))
    return found


def _scored(
    score: Score, row: Vector, typical: Matrix, of_row: npt.NDArray[np.bool_], owners: Owners
) -> Matrix:
    """Return scores (typical rows, sets) where a set's columns are the row's.

    `of_row` are (typical rows, sets, columns), or (1, sets, columns) where the sets are all alike.
    """
    count, sets = len(typical), of_row.shape[1]
    of_row = np.broadcast_to(of_row, (count, *of_row.shape[1:]))
    found = np.empty((count, sets))
    most = max(1, min(sets, _CELLS // len(row)))
    step = max(1, _CELLS // (most * len(row)))
    for first in range(0, count, step):
        for start in range(0, sets, most):
            some = slice(first, first + step), slice(start, start + most)
            rows = np.where(of_row[some][:, :, owners], row, typical[some[0], None])
            found[some] = score(rows.reshape(-1, len(row))).reshape(rows.shape[:2])
    return found
