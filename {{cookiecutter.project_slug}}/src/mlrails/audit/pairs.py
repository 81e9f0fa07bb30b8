"""What two columns tell of the target only together: parts of it, or that they are equal.

A count and its two parts, readings of a meter before and after, what was due and what was paid:
each column alone may tell nothing. Sums, differences, products and ratios of numbers are looked at,
whether texts are equal, and which of two cells are there, or of two flags are set.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from . import strength
from .finding import Finding
from .strength import Strength
from .table import Floats, Mask, Table, is_number
from .table import numbers as as_numbers

_MOST = 300
"""Pairs that are looked at: of very many columns those that stand near each other."""
_SCREENED = 1_000
_LINE, _EXACT = 0.99999, 0.9995
"""Pearson's and Spearman's correlations of what is the target in other units, up to rounding."""
_PERFECT, _LIKELY, _BEYOND = 0.98, 0.9, 0.05
_SELDOM = 0.02


class Pair(NamedTuple):
    """Two columns, and in which way they are looked at together."""

    columns: tuple[str, str]
    way: str
    scores: Floats


def findings(
    table: Table, names: Sequence[str], every: Callable[[], Strength]
) -> Iterator[Finding]:
    """Yield the pairs that tell the target, each column in one of them.

    `every` says what all columns tell one by one, added up.
    """
    taken = set[str]()
    for pair in _pairs(table, names):
        if taken & {*pair.columns} or {*pair.columns} <= {*table.roles.known}:
            continue
        told = _told(pair.scores, table)
        if any(_tells_alone(table, it) for it in pair.columns):
            continue  # What is beside it adds nothing, and it is asked about alone.
        if table.roles.numbers:
            beside, is_shown = "", told.low > _EXACT
        elif is_shown := told.low > _PERFECT:
            apart = every()
            beside = f", all columns one by one {apart.said(False)}"
            is_shown = told.low > apart.high + _BEYOND
        if is_shown:
            taken |= {*pair.columns}
            yield _finding(pair, f"{told.said(table.roles.numbers)}{beside}")


def _tells_alone(table: Table, name: str) -> bool:
    """Tell whether a number is the target alone; of what is answered less is enough."""
    if not table.roles.numbers:
        return False
    bound = _PERFECT if name in table.roles.known else _EXACT
    return _told(as_numbers(table.frame[name]), table).low > bound


def _finding(pair: Pair, figures: str) -> Finding:
    one, other = map(repr, pair.columns)
    return Finding(
        "target in two columns",
        pair.columns,
        f"{pair.way.format(one, other)} tells the target: {figures}; are both known when one "
        'predicts? If not, leave one out; if so, say why in schema.py (known="…")',
        "stop",
    )


def _pairs(table: Table, names: Sequence[str]) -> Iterator[Pair]:
    """Yield what pairs may tell, where some rows say so."""
    some = table.sampled(_SCREENED)
    target = some.target if table.roles.numbers else some.scores
    for look in (_numbers, _flags, _texts):
        whole = look(table, names)
        part = look(some, [*whole])
        for columns in _near([it for it in whole if it in part]):
            one, other = (part[it] for it in columns)
            for way, join in _WAYS[look]:
                if _is_likely(join(one, other), target, table.roles.numbers):
                    yield Pair(columns, way, join(*(whole[it] for it in columns)))


def _near(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs, those first that stand near each other."""
    place = {name: at for at, name in enumerate(names)}
    wide = next((it for it in range(1, len(names)) if it * len(names) >= _MOST), len(names))
    pairs = (
        combinations(names, 2)
        if wide >= len(names)
        else ((one, other) for at, one in enumerate(names) for other in names[at + 1 : at + wide])
    )
    yield from sorted(pairs, key=lambda it: place[it[1]] - place[it[0]])[:_MOST]


def _is_likely(scores: Floats, target: Floats, by_number: bool) -> bool:
    there = ~np.isnan(scores)
    if there.sum() < len(scores) / 2 or np.ptp(scores[there]) == 0:
        return False
    for wanted in target[there].T:
        if by_number:
            with np.errstate(all="ignore"):
                if abs(np.corrcoef(scores[there], wanted)[0, 1]) > _LINE:
                    return True
        elif (found := strength.delong(scores[there], wanted > 0)) and abs(found.value) > _LIKELY:
            return True
    return False


def _told(scores: Floats, table: Table) -> Strength:
    """Return what scores tell among the rows that have them all."""
    there = ~np.isnan(scores)
    part = table.where(there)
    columns = scores[there][:, None] + np.zeros(part.scores.shape[1])
    return max(strength.of_scores(columns, part), strength.of_scores(-columns, part))


def _numbers(table: Table, names: Sequence[str]) -> Mapping[str, Floats]:
    return {
        it: as_numbers(table.frame[it])
        for it in names
        if is_number(table.frame[it]) and table.distinct(it) > 2
    }


def _flags(table: Table, names: Sequence[str]) -> Mapping[str, Floats]:
    """Return columns of two values as 0 and 1, and of others which cells are there."""
    found = dict[str, Floats]()
    for name in names:
        column = table.frame[name]
        missing: Mask = column.isna().to_numpy()
        if table.distinct(name) == 2 and not missing.any():
            found[name] = (table.codes(name) == table.codes(name).max()).astype(np.float64)
        elif _SELDOM < missing.mean() < 1 - _SELDOM:
            found[name] = missing.astype(np.float64)
    return found


def _texts(table: Table, names: Sequence[str]) -> Mapping[str, Floats]:
    """Return columns of words as numbers that are equal where words are."""
    import pandas as pd

    columns = {
        it: table.frame[it]
        for it in names
        if table.frame[it].dtype.kind not in "iufbM" and table.distinct(it) > 2
    }
    if len(columns) < 2:
        return {}
    known = pd.factorize(pd.concat([it.astype("str") for it in columns.values()]))[0]
    parts = np.split(known.astype(np.float64), len(columns))
    return {
        name: np.where(column.isna(), np.nan, part)
        for (name, column), part in zip(columns.items(), parts, strict=True)
    }


def _ratio(one: Floats, other: Floats) -> Floats:
    with np.errstate(all="ignore"):
        found = one / other
    return np.where(np.isfinite(found), found, np.nan)


def _equal(one: Floats, other: Floats) -> Floats:
    found = (one == other).astype(np.float64)
    return np.where(np.isnan(one + other), np.nan, found)


_WAYS = {
    _numbers: (
        ("the sum of {} and {}", np.add),
        ("the difference of {} and {}", np.subtract),
        ("how far {} and {} are apart", lambda one, other: np.abs(one - other)),
        ("the product of {} and {}", np.multiply),
        ("the ratio of {} and {}", _ratio),
    ),
    _flags: (("which of {} and {} is there or set", lambda one, other: np.abs(one - other)),),
    _texts: (("whether {} and {} are equal", _equal),),
}
