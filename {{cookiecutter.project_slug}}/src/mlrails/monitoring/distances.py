"""How far days are from others, column by column: one figure for each respect in which it moves.

A distribution's is Kolmogorov and Smirnov's D of a number, at the edges of its bins, and the total
variation of a category; then there is the share that is missing, and the share of a day's commonest
number, which alone sees a sensor that is stuck within its range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..data.arrays import Matrix, Vector
from .days import Counts, Daily, Runs


class Respect(StrEnum):
    """In which respect a column moves."""

    VALUES = "values"
    MISSING = "missing"
    REPEATED = "repeated"


@dataclass(frozen=True)
class Measure:
    """One figure of one column."""

    column: str
    respect: Respect


def measures(columns: Sequence[Daily]) -> list[Measure]:
    """Return what is measured, in the order of the rows of `between`."""
    return [Measure(it.name, respect) for it in columns for respect in _respects(it)]


def _respects(column: Daily) -> tuple[Respect, ...]:
    repeated = (Respect.REPEATED,) if column.kind == "number" else ()
    return (Respect.VALUES, Respect.MISSING, *repeated)


def between(columns: Sequence[Daily], current: Runs, reference: Runs) -> Matrix:
    """Return the distances (measures, runs) of runs of days from others.

    A distance is NaN where one of both has no rows.
    """
    found = [
        it for column in columns for it in _of(column, column.of(current), column.of(reference))
    ]
    return np.array(found).reshape(-1, len(current))


def each_from_the_rest(
    columns: Sequence[Daily], window: Runs, reference: Runs, runs: Runs
) -> Matrix:
    """Return the distances (measures, 1 + runs) of a window and of runs among other days.

    Each is told from all others of the window and these days, `reference`, together.
    """
    found = []
    for column in columns:
        ours = column.of(np.concatenate([window, runs]))
        whole = column.of(window) + column.of(reference)
        found += _of(column, ours, whole - ours)
    return np.array(found).reshape(-1, 1 + len(runs))


def _of(column: Daily, ours: Counts, theirs: Counts) -> list[Vector]:
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = ours.bins / ours.known[:, None] - theirs.bins / theirs.known[:, None]
        if column.kind == "number":
            values = np.abs(gaps.cumsum(axis=1)).max(axis=1, initial=0)
        else:
            values = np.abs(gaps).sum(axis=1) / 2
        missing = np.abs(ours.missing / ours.rows - theirs.missing / theirs.rows)
        repeated = np.abs(ours.repeated / ours.known - theirs.repeated / theirs.known)
    return [values, missing, repeated][: len(_respects(column))]
