"""How well a column alone tells the target, out of fold and with an interval.

All is on one scale from 0 to 1, so that classes and numbers have the same bounds: 2·AUC − 1 of an
event (of several classes the one that is told best, against the rest), Spearman's correlation of a
number. Intervals are DeLong's (DeLong, DeLong and Clarke-Pearson 1988) and Fisher's.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .table import FOLDS, Codes, Floats, Mask, Table, binned, codes, is_number, is_time, ranks
from .table import numbers as as_numbers

_SURE = 2.58
"""Standard errors of an interval of 99 %: many columns are looked at."""
_SMOOTHING = 3.0
_RIDGE = 1e-2
_FEWEST = 40
"""Fewer rows say nothing of a column."""


class Strength(NamedTuple):
    """How well something tells the target, from 0 to 1, with an interval of 99 %."""

    value: float
    low: float
    high: float

    def said(self, numbers: bool) -> str:
        """Return the figure as people know it."""
        if numbers:
            return f"rank correlation {self.value:.2f} ({self.low:.2f} to {self.high:.2f})"
        value, low, high = ((1 + it) / 2 for it in self)
        return f"AUC {value:.2f} ({low:.2f} to {high:.2f})"


NOTHING = Strength(0.0, 0.0, 0.0)


def of_scores(scores: Floats, table: Table, rows: Mask | None = None) -> Strength:
    """Return how well scores, (rows, as many as the target has), tell the target."""
    here = np.ones(len(table), dtype=bool) if rows is None else rows
    target = table.scores[here]
    if table.roles.numbers:
        return _spearman(scores[here, 0], target[:, 0])
    each = (delong(scores[here, it], target[:, it] > 0) for it in range(target.shape[1]))
    return max((it for it in each if it), key=lambda it: it.low, default=NOTHING)


def delong(scores: Floats, event: Mask) -> Strength | None:
    """Return 2·AUC − 1 of scores for an event, None where either class has under five rows."""
    count, others = int(event.sum()), int((~event).sum())
    if min(count, others) < 5:
        return None
    every = ranks(scores) * len(scores)
    of_event = (every[event] - ranks(scores[event]) * count) / others
    of_others = 1 - (every[~event] - ranks(scores[~event]) * others) / count
    area = float(of_event.mean())
    error = np.sqrt(of_event.var(ddof=1) / count + of_others.var(ddof=1) / others)
    # Where the classes are apart no placement varies: the rule of three in its place.
    error = max(float(error), 1 / min(count, others) / _SURE)
    return _interval(2 * area - 1, 2 * _SURE * error)


def _interval(value: float, width: float) -> Strength:
    return Strength(value, max(value - width, -1.0), min(value + width, 1.0))


def _spearman(scores: Floats, target: Floats) -> Strength:
    rows = len(scores)
    if rows < 10 or np.ptp(scores) == 0 or np.ptp(target) == 0:
        return NOTHING
    value = float(np.corrcoef(ranks(scores), ranks(target))[0, 1])
    middle, width = (
        np.arctanh(np.clip(value, -0.999999, 0.999999)),
        _SURE * 1.03 / np.sqrt(rows - 3),
    )
    return Strength(value, float(np.tanh(middle - width)), float(np.tanh(middle + width)))


def out_of_fold(found: Codes, table: Table) -> Floats:
    """Return for each row the mean score of the other folds' rows with the same code."""
    target, folds = table.scores, table.folds
    levels = int(found.max(initial=0)) + 2
    places = (found % levels) * FOLDS + folds
    counts = np.bincount(places, minlength=levels * FOLDS).reshape(levels, FOLDS)
    others = (counts.sum(1, keepdims=True) - counts).ravel()[places]
    scores = np.empty_like(target)
    for column in range(target.shape[1]):
        sums = np.bincount(places, target[:, column], levels * FOLDS).reshape(levels, FOLDS)
        without = (sums.sum(1, keepdims=True) - sums).ravel()[places]
        prior = target[:, column].mean()
        scores[:, column] = (without + _SMOOTHING * prior) / (others + _SMOOTHING)
    return scores


def coded(table: Table, name: str) -> Codes:
    """Return a column's values as codes, numbers and times in bins."""
    column = table.frame[name]
    if is_number(column) or is_time(column):
        return binned(as_numbers(column))
    return codes(column)


def of_values(table: Table, name: str, absent: Mask) -> Strength:
    """Return what the values of a column tell, among the rows that have one."""
    there = ~absent
    if there.sum() < _FEWEST:
        return NOTHING
    part = table.where(there)
    found = of_scores(out_of_fold(coded(part, name), part), part)
    column = part.frame[name]
    if (is_number(column) or is_time(column)) and part.scores.shape[1] == 1:
        plain = as_numbers(column)[:, None]
        return max(found, of_scores(plain, part), of_scores(-plain, part))
    return found


def of_mask(mask: Mask, table: Table) -> Strength:
    """Return what a yes or no tells: of several classes, of the one that it tells best."""
    if not 0 < mask.sum() < len(mask):
        return NOTHING
    if table.roles.numbers:
        found = delong(table.scores[:, 0], mask)
        return max(found, _turned(found)) if found else NOTHING
    each = [delong(mask.astype(np.float64), it > 0) for it in table.scores.T]
    return max((max(it, _turned(it)) for it in each if it), default=NOTHING)


def _turned(found: Strength) -> Strength:
    return Strength(-found.value, -found.high, -found.low)


class Together:
    """What columns tell together: each out of fold, and then added up by a ridge.

    Each column is encoded once, and each fold's products are summed once, whatever is left out.
    """

    def __init__(self, table: Table, names: Sequence[str]) -> None:
        self.table, self.places = table, {name: at for at, name in enumerate(names)}
        self._said: dict[tuple[int, ...], Strength] = {}
        encoded = [out_of_fold(coded(table, name), table) for name in names]
        self._each = [_Ridge(encoded, table, it) for it in range(table.scores.shape[1])]

    def told(self, names: Iterable[str]) -> Strength:
        """Return how well some of the columns tell the target together; none tell nothing."""
        places = tuple(self.places[it] for it in names if it in self.places)
        if places not in self._said:
            found = of_scores(self.scores(places), self.table) if places else NOTHING
            self._said[places] = found
        return self._said[places]

    def scores(self, places: Sequence[int]) -> Floats:
        """Return the scores that columns give together, (rows, as many as the target has)."""
        return np.column_stack([it.scores(places) for it in self._each])


class _Ridge:
    """Encoded columns and one score of the target; the weights of a fold come from the others."""

    def __init__(self, encoded: Sequence[Floats], table: Table, column: int) -> None:
        matrix = np.column_stack([it[:, column] for it in encoded])
        self._matrix = (matrix - matrix.mean(0)) / np.maximum(matrix.std(0), 1e-12)
        target = table.scores[:, column]
        target = target - target.mean()
        self._folds = [table.folds == fold for fold in range(FOLDS)]
        parts = [(self._matrix[it], target[it]) for it in self._folds]
        grams = np.stack([it.T @ it for it, _ in parts])
        sums = np.stack([it.T @ wanted for it, wanted in parts])
        seen = np.array([len(target) - it.sum() for it in self._folds])
        self._grams = grams.sum(0) - grams
        self._grams += _RIDGE * seen[:, None, None] * np.eye(matrix.shape[1])
        self._sums = sums.sum(0) - sums

    def scores(self, places: Sequence[int]) -> Floats:
        """Return the sum of the columns at some places."""
        chosen = np.asarray(places)
        scores = np.zeros(len(self._matrix))
        for fold, out in enumerate(self._folds):
            gram = self._grams[fold][np.ix_(chosen, chosen)]
            weights = np.zeros(self._matrix.shape[1])
            weights[chosen] = np.linalg.solve(gram, self._sums[fold][chosen])
            scores[out] = self._matrix[out] @ weights
        return scores


def added(table: Table, names: Sequence[str]) -> Floats:
    """Return the scores that columns give together, (rows, as many as the target has)."""
    return Together(table, names).scores(range(len(names)))


def chernoff(seen: int, expected: float) -> float:
    """Return a bound of how rarely a sum of unequal chances is so far from what is expected.

    Chernoff 1952, for both sides.
    """
    left = seen * np.log(seen / expected) if seen else 0.0
    return float(np.exp(-(expected - seen + left)))
