"""Rows that are there more than once, and what that means for the highest figures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .table import Codes, Table, codes, is_number, is_time
from .table import numbers as as_numbers

Hashes = npt.NDArray[np.uint64]

_EVEN, _ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


class Copies(NamedTuple):
    """What is equal in some columns."""

    rows: int
    """How many rows are there again."""
    distinct: int
    """How many different ones they are."""
    contradictory: int
    """How many rows have another target than most of their equals."""
    ceiling: float
    """The share of rows that one can be right about, at the most, if all else were known."""


def hashes(table: Table, names: Sequence[str]) -> dict[str, Hashes]:
    """Return a hash of each value; their sum is a row's, so one column is easily left out."""
    return {name: _mixed(_bits(table, name), number) for number, name in enumerate(names)}


def _bits(table: Table, name: str) -> Hashes:
    column = table.frame[name]
    if is_number(column) or is_time(column) or column.dtype.kind == "b":
        values = as_numbers(column) + 0.0  # One zero, not two.
        return np.where(np.isnan(values), 0.5, values).view(np.uint64)
    return codes(column).astype(np.uint64)


def _mixed(bits: Hashes, number: int) -> Hashes:
    """Spread bits over 64, another way for each column (after SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        found = (bits + np.uint64(number + 1) * _EVEN) * _ODD
        found ^= found >> _SHIFT
        found = found * _EVEN
        return found ^ (found >> _SHIFT)


def summed(each: dict[str, Hashes], without: str | None = None) -> Hashes:
    """Return the hash of each row, of all columns but one."""
    with np.errstate(over="ignore"):
        found = [it for name, it in each.items() if name != without]
        return np.asarray(np.sum(found, axis=0, dtype=np.uint64))


def equal(rows: Hashes) -> Codes:
    """Return a number for each set of equal rows."""
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def counted(row: Codes, target: Codes) -> Copies:
    """Return how many rows are there again, and how many of them contradict their equals."""
    sizes = np.bincount(row)
    again = sizes[row] > 1
    if not again.any():
        return Copies(0, 0, 0, 1.0)
    width = int(target.max(initial=0)) + 2
    joint, counts = np.unique(row * width + target + 1, return_counts=True)
    most = np.zeros(len(sizes), dtype=np.int64)
    np.maximum.at(most, joint // width, counts)
    wrong = int((sizes - most).sum())
    return Copies(int(again.sum()), int((sizes > 1).sum()), wrong, 1 - wrong / len(row))
