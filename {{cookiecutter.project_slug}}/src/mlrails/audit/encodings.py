"""Is a column the mean of the target itself, taken over rows that include the row's own?

Such means agree with the target better than chance allows. Where a column is only a good guess,
the mean target of the rows with one value scatters about it by p(1 − p)/n or s²/n; a mean that was
computed from these very rows does not scatter at all. So what is tested is the lower tail: an
honest column, however strong, scatters as it must. Smoothing towards the overall mean changes the
line for each number of rows, which is why a line is fitted for each. In a panel the same countries
come again each year, and their mean scatters less: there it must be the column, up to a line, or,
of levels without an order, agree with what years leave of the target.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .rows import panel, without
from .strength import chernoff
from .table import (
    LEVELS,
    SAMPLE,
    Codes,
    Floats,
    Keys,
    Mask,
    Table,
    binned,
    dense,
    is_number,
    numbers,
)

_RARE = 1e-6
"""Under which chance is ruled out: thousands of columns may be looked at."""
_STRATA = 20
_INNER = 0.02, 0.98
_LEAST = 0.01
_STILL = 0.25
"""Standard errors within which a level's mean agrees; by chance a fifth does, at most two."""
_BY_CHANCE = 0.4
_EQUAL, _MANY = 1e-3, 25
_EXPLAINED, _DIFFER = 0.8, 0.5
"""Means of groups differ by chance at the least."""
_DIGITS = 1, 2, 3
_CLUMP, _FEW_LEVELS = 1 / 300, 40
_DEGREES = 1, 3
_MOST_LEVELS, _MOST_ROWS = 200, 100_000
_DENOMINATORS = 8, 16, 30
_TREND = 5
"""The levels on either side that tell the trend."""


class Scatter(NamedTuple):
    """The mean target of each level of a column."""

    rows: Floats
    value: Floats
    mean: Floats
    spread: Floats
    """The variance of the target within, by chance."""


class Encoded(NamedTuple):
    """How a column was shown to hold the target: `by` the values of columns, or by its own."""

    levels: int
    by: tuple[str, ...]


def found(table: Table, keys: Keys, name: str) -> Encoded | None:
    """Return how a column of numbers is shown to be the target's mean, None where it is not."""
    if not is_number(table.frame[name]):
        return None
    values = numbers(table.frame[name])
    there = ~np.isnan(values)
    values, target = values[there], table.target[there]
    if len(values) < 2 * _MANY or np.ptp(values) == 0:
        return None
    by_number = table.roles.numbers
    for by, level in _groupings(table, keys, name, values, there):
        is_ordered = not by or any(is_number(table.frame[it]) for it in by)
        for column in target.T:
            each = scatter(*some(level, values, column), by_number)
            if len(each.rows) < LEVELS or not _agrees(each, by_number):
                continue
            shared = panel(table, (name, *by), there, level)
            left = scatter(*some(level, values, without(shared, column)), by_number=True)
            if not shared or _equals(each) or (not is_ordered and _agrees(left, by_number=True)):
                return Encoded(len(each.rows), by)
    return None


def some(level: Codes, values: Floats, target: Floats) -> tuple[Codes, Floats, Floats]:
    """Return of many rows those of some levels, whole."""
    if len(level) <= 2 * SAMPLE:
        return level, values, target
    rows = np.bincount(level + 1)
    chosen = np.random.default_rng(0).permutation(len(rows))
    enough = max(int(np.searchsorted(np.cumsum(rows[chosen]), SAMPLE)) + 1, _FEW_LEVELS)
    keep = np.zeros(len(rows), dtype=bool)
    keep[chosen[:enough]] = True
    here = keep[level + 1]
    return level[here], values[here], target[here]


def _groupings(
    table: Table, keys: Keys, name: str, values: Floats, there: Mask
) -> Iterator[tuple[tuple[str, ...], Codes]]:
    """Yield what the mean may have been taken over: equal values, rounded ones, other columns."""
    yield (), np.unique(values, return_inverse=True)[1]
    if len(np.unique(values)) > len(values) / 2:
        unit = np.ptp(values)
        order = np.argsort(values, kind="stable")
        clump = np.cumsum(np.diff(values[order], prepend=values.min()) > unit * _CLUMP)
        yield (), clump[np.argsort(order, kind="stable")].astype(np.int64)
        yield from (
            ((), np.unique(np.round(values / unit, it), return_inverse=True)[1]) for it in _DIGITS
        )
    for by in keys.sets(name):
        joint = table.codes(by[0])[there]
        for other in by[1:]:
            second = table.codes(other)[there]
            joint = dense((joint + 1) * (second.max() + 2) + second + 1)
        yield by, joint


def scatter(level: Codes, values: Floats, target: Floats, by_number: bool) -> Scatter:
    """Return the levels that have two rows and more, and how their means would scatter.

    Where values differ within a level, what they explain of the target there is no chance.
    """
    level = np.where(level < 0, level.max(initial=0) + 1, level)
    rows = np.bincount(level).astype(np.float64)
    several = rows >= 2
    safe = np.maximum(rows, 1)
    value, mean = np.bincount(level, values) / safe, np.bincount(level, target) / safe
    if by_number:
        off, left = values - value[level], target - mean[level]
        slope = float(off @ left) / max(float(off @ off), 1e-300)
        spread = np.bincount(level, (left - slope * off) ** 2) / np.maximum(rows - 1, 1)
    else:
        found = binned(values)
        share = (np.bincount(found, target) / np.maximum(np.bincount(found), 1))[found]
        spread = np.bincount(level, share * (1 - share)) / safe
    return Scatter(rows[several], value[several], mean[several], spread[several])


def _agrees(each: Scatter, by_number: bool) -> bool:
    """Tell whether the means agree closer than chance allows, with a line, in order, or in shares.

    One of these is enough, each with its own chance.
    """
    weights = each.rows / each.rows.sum()
    differ = float(weights @ (each.mean - weights @ each.mean) ** 2)
    if differ < _DIFFER * float(weights @ (each.spread / each.rows)):
        return False  # As in a design where each group has as many events.
    if not by_number and _of_shares(each) < _RARE:
        return True
    return _in_order(each) < _RARE or any(
        _explained(part, expected)
        and (_of_numbers(part, expected) if by_number else _of_events(part, expected, fitted))
        < _RARE
        for part, expected, fitted in _lines(each)
    )


def _equals(each: Scatter) -> bool:
    """Tell whether most of the means are on a line, up to rounding."""
    most = _EQUAL * each.mean.std()
    return any(np.mean(np.abs(it.mean - line) <= most) > 0.5 for it, line, _ in _lines(each))


def _explained(each: Scatter, expected: Floats) -> bool:
    """Tell whether a line leaves little of how the means differ."""
    weights = each.rows / max(each.rows.sum(), 1)
    total = float(weights @ (each.mean - weights @ each.mean) ** 2)
    left = float(weights @ (each.mean - expected) ** 2)
    return total > 0 and left <= (1 - _EXPLAINED) * total


def _lines(each: Scatter) -> Iterator[tuple[Scatter, Floats, int]]:
    """Yield the means that may follow a line, what it says, and how many numbers were fitted."""
    yield each, each.value, 0
    for degree in _DEGREES:
        if len(np.unique(each.value)) > 3 * degree:
            scaled = (each.value - each.value.mean()) / each.value.std()
            weights = np.sqrt(each.rows)
            terms = np.polynomial.polynomial.polyfit(scaled, each.mean, degree, w=weights)
            yield each, np.polynomial.polynomial.polyval(scaled, terms), degree + 1
    few = len(np.unique(each.rows)) <= _STRATA
    cuts = np.unique(np.quantile(each.rows, np.linspace(0, 1, _STRATA + 1)[1:-1]))
    stratum = each.rows if few else np.searchsorted(cuts, each.rows)
    expected, fitted = np.full(len(each.rows), np.nan), 0
    for number in np.unique(stratum):
        here = stratum == number
        if len(np.unique(each.value[here])) >= LEVELS:
            fitted += 2
            slope, base = _line(each.value[here], each.mean[here], each.rows[here])
            expected[here] = base + slope * each.value[here]
    there = ~np.isnan(expected)
    if there.any():
        yield Scatter(*(it[there] for it in each)), expected[there], fitted


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
    if freedom < LEVELS - 1:
        return 1.0
    rows, spread = each.rows[inner], np.maximum(each.spread[inner], _LEAST)
    off = np.maximum(np.abs(each.mean[inner] - expected[inner]) * rows, 0.5)
    return float(gammainc(freedom / 2, float(np.sum(off**2 / (rows * spread))) / 2))


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


def _of_shares(each: Scatter) -> float:
    """Return how rarely the shares of so many rows are such simple fractions.

    Shops of seven rows that share a value have a multiple of a seventh as events, however many
    they are; other rows have any number of events. So the smoothing need not be known.
    """
    rows, events = each.rows.astype(np.int64), np.rint(each.rows * each.mean).astype(np.int64)
    inner = (events > 0) & (events < rows)
    rows, events = rows[inner], events[inner]
    if len(rows) < LEVELS:
        return 1.0
    common = int(np.gcd.reduce(np.concatenate([rows, events])))  # All rows may be there twice.
    rows, events = rows // common, events // common
    return min(_simple(rows, events, most) for most in _DENOMINATORS) * len(_DENOMINATORS)


def _simple(rows: Codes, events: Codes, most: int) -> float:
    """Return how rarely so many denominators are at most a number, of rows that could have more."""
    large = np.flatnonzero((rows >= 3 * most) & (rows <= _MOST_ROWS))[:_MOST_LEVELS]
    if not len(large):
        return 1.0
    chances = [_of_fraction(int(rows[it]), int(events[it]), most) for it in large]
    small = rows[large] // np.gcd(rows[large], events[large]) <= most
    seen, expected = int(small.sum()), float(np.sum(chances))
    return chernoff(seen, expected) if seen > expected else 1.0


@lru_cache(2**16)
def _of_fraction(rows: int, events: int, most: int) -> float:
    """Return the chance that a binomial number of events makes so small a denominator."""
    from scipy.special import gammaln

    shares = (range(0, rows + 1, rows // it) for it in range(1, most + 1) if rows % it == 0)
    simple = np.array(sorted({count for each in shares for count in each}))
    share = events / rows
    log = gammaln(rows + 1) - gammaln(simple + 1) - gammaln(rows - simple + 1)
    chance = np.exp(log + simple * np.log(share) + (rows - simple) * np.log(1 - share))
    return float(chance.sum())


def _in_order(each: Scatter) -> float:
    """Return how rarely the means of levels that stand in order are so seldom out of it.

    By chance the next mean is lower as often as the noise of two means outweighs the trend.
    """
    from scipy.special import ndtr

    order = np.argsort(each.value, kind="stable")
    value, mean = each.value[order], each.mean[order]
    noise = (each.spread / each.rows)[order]
    steps = (np.diff(value) > 0) & (np.diff(mean) != 0)
    if steps.sum() < _MANY:
        return 1.0
    wide = min(_TREND, len(mean) // 2)
    padded = np.pad(mean, (wide, wide), mode="edge")
    trend = np.convolve(padded, np.ones(2 * wide + 1) / (2 * wide + 1), mode="valid")
    errors = np.sqrt(np.maximum(noise[1:] + noise[:-1], 1e-300))
    down = np.clip(ndtr(-np.abs(np.diff(trend)) / errors), 1e-12, 0.5)[steps]
    lower, expected = int((np.diff(mean)[steps] < 0).sum()), float(down.sum())
    lower = min(lower, int(steps.sum()) - lower)
    return chernoff(lower, expected) if lower < expected else 1.0
