"""Is a column the mean of the target itself, taken over rows that include the row's own?

Such means agree with the target better than chance allows. Where a column is only a good guess,
the mean target of the rows with one value scatters about it by p(1 − p)/n or s²/n; a mean that was
computed from these very rows does not scatter at all. So what is tested is the lower tail: an
honest column, however strong, scatters as it must. Smoothing towards the overall mean changes the
line for each number of rows, which is why a line is fitted for each.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from .table import Codes, Floats, Table, codes, is_number
from .table import numbers as as_numbers

_RARE = 1e-8
"""Under which chance is ruled out: thousands of columns may be looked at."""
_LEVELS = 5
_STRATA = 20
_INNER = 0.02, 0.98
_STILL = 0.25
"""Standard errors within which a level's mean agrees; by chance a fifth does, at most two."""
_BY_CHANCE = 0.4
_MANY = 25
_EXPLAINED = 0.8
_DIGITS = 1, 2, 3
_MOST_KEYS = 8


class Scatter(NamedTuple):
    """The mean target of each level of a column."""

    rows: Floats
    value: Floats
    mean: Floats
    spread: Floats
    """The variance of the target within."""


class Encoded(NamedTuple):
    """How a column was shown to hold the target."""

    levels: int
    by: tuple[str, ...]
    """The columns over whose values the mean is taken; none where the column shows it alone."""


def found(table: Table, name: str) -> Encoded | None:
    """Return how a column of numbers is shown to be the target's mean, None where it is not."""
    if not is_number(table.frame[name]):
        return None
    values = as_numbers(table.frame[name])
    there = ~np.isnan(values)
    values, target = values[there], table.target[there]
    if len(values) < 2 * _MANY or np.ptp(values) == 0:
        return None
    for by, level in _groupings(table, name, values, there):
        for column in range(target.shape[1]):
            each = scatter(level, values, target[:, column])
            if len(each.rows) >= _LEVELS and _agrees(each, table.roles.numbers):
                return Encoded(len(each.rows), by)
    return None


def _groupings(
    table: Table, name: str, values: Floats, there: "np.ndarray"
) -> Iterator[tuple[tuple[str, ...], Codes]]:
    """Yield what the mean may have been taken over: equal values, rounded ones, other columns."""
    yield (), np.unique(values, return_inverse=True)[1]
    if len(np.unique(values)) > len(values) / 2:
        unit = np.ptp(values)
        yield from (
            ((), np.unique(np.round(values / unit, it), return_inverse=True)[1]) for it in _DIGITS
        )
    keys = list(_keys(table, name))[:_MOST_KEYS]
    held = {it: codes(table.frame[it])[there] for it in keys}
    yield from (((it,), held[it]) for it in keys)
    for one, other in combinations(keys, 2):
        joint = held[one] * (held[other].max() + 2) + held[other]
        yield (one, other), np.unique(joint, return_inverse=True)[1]


def _keys(table: Table, name: str) -> Iterator[str]:
    """Yield the columns that may name groups: text and whole numbers with rows of one value."""
    for other in table.frame.columns:
        column = table.frame[other]
        if other in (name, table.roles.target) or column.dtype.kind in "Mb":
            continue
        distinct = column.nunique()
        if not _LEVELS <= distinct <= len(column) / 2:
            continue
        if is_number(column) and not _whole(as_numbers(column)):
            continue
        yield other


def _whole(values: Floats) -> bool:
    return bool(np.all(np.isnan(values) | (values == np.floor(values))))


def scatter(level: Codes, values: Floats, target: Floats) -> Scatter:
    """Return the levels that have two rows and more."""
    level = np.where(level < 0, level.max(initial=0) + 1, level)
    rows = np.bincount(level).astype(np.float64)
    several = rows >= 2
    safe = np.maximum(rows, 1)
    value, mean = np.bincount(level, values) / safe, np.bincount(level, target) / safe
    spread = np.bincount(level, (target - mean[level]) ** 2) / np.maximum(rows - 1, 1)
    return Scatter(rows[several], value[several], mean[several], spread[several])


def _agrees(each: Scatter, numbers: bool) -> bool:
    """Tell whether the means scatter less than chance, about the values or about fitted lines."""
    for expected, fitted in _lines(each):
        weights = each.rows / each.rows.sum()
        total = float(weights @ (each.mean - weights @ each.mean) ** 2)
        left = float(weights @ (each.mean - expected) ** 2)
        if total <= 0 or left > (1 - _EXPLAINED) * total:
            continue
        chance = _of_numbers(each, expected) if numbers else _of_events(each, expected, fitted)
        if chance < _RARE:
            return True
    return False


def _lines(each: Scatter) -> Iterator[tuple[Floats, int]]:
    """Yield what the means may follow, and how many numbers were fitted for it."""
    yield each.value, 0
    cuts = np.unique(np.quantile(each.rows, np.linspace(0, 1, _STRATA + 1)[1:-1]))
    few = len(np.unique(each.rows)) <= _STRATA
    stratum = (
        np.unique(each.rows, return_inverse=True)[1] if few else np.searchsorted(cuts, each.rows)
    )
    expected, fitted = each.mean.copy(), 0
    for number in np.unique(stratum):
        here = stratum == number
        if len(np.unique(each.value[here])) < _LEVELS:
            expected[here] = each.value[here]
            continue
        fitted += 2
        slope, base = _line(each.value[here], each.mean[here], each.rows[here])
        expected[here] = base + slope * each.value[here]
    yield expected, fitted


def _line(value: Floats, mean: Floats, rows: Floats) -> tuple[float, float]:
    middle, height = np.average(value, weights=rows), np.average(mean, weights=rows)
    spread = float(rows @ (value - middle) ** 2)
    slope = float(rows @ ((value - middle) * (mean - height))) / spread if spread > 0 else 0.0
    return slope, float(height - slope * middle)


def _of_events(each: Scatter, expected: Floats, fitted: int) -> float:
    """Return how rarely shares scatter so little: the lower tail of chi², half a row at least."""
    from scipy.special import gammainc

    inner = (expected > _INNER[0]) & (expected < _INNER[1])
    freedom = int(inner.sum()) - fitted
    if freedom < _LEVELS - 1:
        return 1.0
    share, rows = expected[inner], each.rows[inner]
    off = np.maximum(np.abs(each.mean[inner] - share) * rows, 0.5)
    return float(gammainc(freedom / 2, float(np.sum(off**2 / (rows * share * (1 - share)))) / 2))


def _of_numbers(each: Scatter, expected: Floats) -> float:
    """Return how rarely so many means agree: by the levels' own scatter, so no outlier counts."""
    from scipy.special import bdtrc

    vary = each.spread > 0
    levels = int(vary.sum())
    if levels < _MANY:
        return 1.0
    errors = np.sqrt(each.spread[vary] / each.rows[vary])
    still = int((np.abs(each.mean - expected)[vary] <= _STILL * errors).sum())
    return float(bdtrc(still - 1, levels, _BY_CHANCE)) if still else 1.0
