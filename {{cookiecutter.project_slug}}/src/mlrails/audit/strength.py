"""How well a column alone tells the target, out of fold and with an interval.

All is on one scale from 0 to 1, so that classes and numbers have the same bounds: 2·AUC − 1 of an
event (of several classes the one that is told best, against the rest), Spearman's correlation of a
number. Intervals are DeLong's (DeLong, DeLong and Clarke-Pearson 1988) and Fisher's.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .table import (
    FOLDS,
    Codes,
    Floats,
    Mask,
    Table,
    binned,
    codes,
    is_number,
    is_time,
    mean_ranks,
    ranks,
)
from .table import numbers as as_numbers

_SURE = 2.58
"""Standard errors of an interval of 99 %: many columns are looked at."""
_SMOOTHING = 3.0
_RIDGE = 1e-2
_FEWEST, _FEWEST_OF_CLASS = 40, 5
"""Fewer rows say nothing of a column, or of a class."""


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
    target = table.scores if rows is None else table.scores[rows]
    scores = scores if rows is None else scores[rows]
    if table.roles.numbers:
        return _spearman(scores[:, 0], target[:, 0])
    return _best(delong(scores[:, it], target[:, it] > 0) for it in range(target.shape[1]))


def _best(each: Iterable["Strength | None"]) -> Strength:
    return max((it for it in each if it), key=lambda it: it.low, default=NOTHING)


def delong(scores: Floats, event: Mask) -> Strength | None:
    """Return 2·AUC − 1 of scores for an event, None where either class has under five rows."""
    if min(int(event.sum()), int((~event).sum())) < _FEWEST_OF_CLASS:
        return None
    distinct, place = np.unique(scores, return_inverse=True)
    of_event = np.bincount(place[event], minlength=len(distinct))
    return _of_counts(of_event, np.bincount(place, minlength=len(distinct)) - of_event)


def _of_counts(events: Floats | Codes, others: Floats | Codes) -> Strength | None:
    """Return the same of how many rows of both classes each score has, the lowest score first."""
    count, rest = float(events.sum()), float(others.sum())
    if min(count, rest) < _FEWEST_OF_CLASS:
        return None
    of_event = (np.cumsum(others) - others / 2) / rest
    of_other = 1 - (np.cumsum(events) - events / 2) / count
    area = float(events @ of_event) / count
    spread = float(events @ (of_event - area) ** 2) / (count - 1) / count
    spread += float(others @ (of_other - area) ** 2) / (rest - 1) / rest
    # Where the classes are apart no placement varies: the rule of three in its place.
    error = max(float(np.sqrt(spread)), 1 / min(count, rest) / _SURE)
    return _interval(2 * area - 1, 2 * _SURE * error)


def _interval(value: float, width: float) -> Strength:
    return Strength(value, max(value - width, -1.0), min(value + width, 1.0))


def _spearman(scores: Floats, target: Floats) -> Strength:
    rows = len(scores)
    if rows < 10 or np.ptp(scores) == 0 or np.ptp(target) == 0:
        return NOTHING
    return _fisher(float(np.corrcoef(ranks(scores), ranks(target))[0, 1]), rows)


def _fisher(value: float, rows: int) -> Strength:
    middle, width = (
        np.arctanh(np.clip(value, -0.999999, 0.999999)),
        _SURE * 1.03 / np.sqrt(rows - 3),
    )
    return Strength(value, float(np.tanh(middle - width)), float(np.tanh(middle + width)))


def out_of_fold(found: Codes, table: Table) -> Floats:
    """Return for each row the mean score of the other folds' rows with the same code."""
    groups = _Groups.of(found, table)
    return np.asarray(groups.scores[groups.places])


class _Groups(NamedTuple):
    """The rows of each code in each fold: all have one score, that of the code's other folds."""

    places: Codes
    """Which of them each row is in."""
    rows: Codes
    sums: Floats
    """The sums of the target's scores, (groups, as many as the target has)."""
    scores: Floats

    @classmethod
    def of(cls, found: Codes, table: Table) -> "_Groups":
        """Return those of codes; a missing one is a code as well."""
        target = table.scores
        levels = int(found.max(initial=0)) + 2
        places = (found % levels) * FOLDS + table.folds
        rows = np.bincount(places, minlength=levels * FOLDS)
        each = [np.bincount(places, it, len(rows)) for it in target.T]
        sums = np.asarray(np.column_stack(each), dtype=np.float64)
        prior = _SMOOTHING * target.mean(0)
        scores = (_of_other_folds(sums) + prior) / (_of_other_folds(rows[:, None]) + _SMOOTHING)
        return cls(places, rows, sums, scores)


def _of_other_folds(sums: Floats | Codes) -> Floats:
    folds = sums.reshape(-1, FOLDS, sums.shape[1])
    return np.asarray((folds.sum(1, keepdims=True) - folds).reshape(sums.shape), dtype=np.float64)


def of_codes(found: Codes, table: Table) -> Strength:
    """Return how well codes tell the target: `of_scores(out_of_fold(…))`, by groups of rows."""
    groups = _Groups.of(found, table)
    there = groups.rows > 0
    rows, sums, scores = groups.rows[there], groups.sums[there], groups.scores[there]
    if table.roles.numbers:
        return _spearman_of_groups(rows, sums[:, 0], scores[:, 0], table.scores[:, 0])
    each = list[Strength | None]()
    for column in range(sums.shape[1]):
        distinct, place = np.unique(scores[:, column], return_inverse=True)
        events = np.bincount(place, sums[:, column], len(distinct))
        every = np.bincount(place, rows, len(distinct))
        each.append(_of_counts(events, every - events))
    return _best(each)


def _spearman_of_groups(rows: Codes, sums: Floats, scores: Floats, ranked: Floats) -> Strength:
    """Return Spearman's of scores that groups of rows share, and targets that are ranks."""
    distinct, place = np.unique(scores, return_inverse=True)
    if len(ranked) < 10 or len(distinct) == 1 or np.ptp(ranked) == 0:
        return NOTHING
    held, total = np.bincount(place, rows), np.bincount(place, sums)
    ranks_of = mean_ranks(held)
    off = ranks_of - held @ ranks_of / held.sum()
    left = ranked - ranked.mean()
    return _fisher(float(off @ total / np.sqrt((held @ off**2) * (left @ left))), len(ranked))


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
    found = of_codes(coded(part, name), part)
    column = part.frame[name]
    if (is_number(column) or is_time(column)) and part.scores.shape[1] == 1:
        plain = of_scores(as_numbers(column)[:, None], part)
        return max(found, plain, _turned(plain))
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
