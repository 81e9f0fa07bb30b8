"""What two columns tell of the target only together: parts of it, or that they are equal.

A count and its two parts, readings of a meter before and after, what was due and what was paid:
each column alone may tell nothing. Sums, differences, products and ratios of numbers are looked at,
whether texts are equal, and which of two cells are there, or of two flags are set.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from . import strength
from .finding import Finding
from .strength import Strength
from .table import Floats, Mask, Table, is_number, ranks
from .table import numbers as as_numbers

_MOST = 300
"""Pairs that are looked at, and all neighbours: of very many columns those that stand near."""
_SCREENED = 1_000
_LINE, _EXACT = 0.99999, 0.9995
"""Pearson's and Spearman's correlations of what is the target in other units, up to rounding."""
_PERFECT, _LIKELY, _BEYOND = 0.98, 0.9, 0.05
_SELDOM = 0.02
_SEVERAL = 5
"""Fewer rows of a class say nothing."""
_VARIED = 10
"""Of fewer numbers that are no usual one, such as zero, two columns have the same by chance."""


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
    for pair in _pairs(table, names) if _is_varied(table) else ():
        if taken & {*pair.columns} or {*pair.columns} <= {*table.roles.known}:
            continue
        if figures := _figures(pair, table, every):
            taken |= {*pair.columns}
            yield _finding(pair, figures)


def _is_varied(table: Table) -> bool:
    """Tell whether chance is ruled out by the rows; of classes their intervals do."""
    if not table.roles.numbers:
        return True
    counts = np.unique(table.target, return_counts=True)[1]
    return len(table) - int(counts.max()) >= _VARIED


def _figures(pair: Pair, table: Table, every: Callable[[], Strength]) -> str | None:
    """Return what a pair tells and columns do not one by one, None where that is not all."""
    told = _told(pair.scores, table)
    if table.roles.numbers:
        # What is beside a column that tells all adds nothing, and that one is asked about alone.
        is_shown = told.low > _EXACT and not any(_tells_alone(table, it) for it in pair.columns)
        return told.said(True) if is_shown else None
    if told.low <= _PERFECT or told.low <= (apart := every()).high + _BEYOND:
        return None
    return f"{told.said(False)}, all columns one by one {apart.said(False)}"


def _tells_alone(table: Table, name: str) -> bool:
    """Tell whether a number is the target alone; of what is answered less is enough."""
    bound = _PERFECT if name in table.roles.known else _EXACT
    return _told(as_numbers(table.frame[name]), table).low > bound


def _finding(pair: Pair, figures: str) -> Finding:
    one, other = map(repr, pair.columns)
    return Finding(
        "target in two columns",
        pair.columns,
        f"{pair.way.format(one, other)} tells the target: {figures}; are both known when one "
        'predicts? If not, leave one out; if so, say why at both in schema.py (known="…")',
        "stop",
    )


def _pairs(table: Table, names: Sequence[str]) -> Iterator[Pair]:
    """Yield what pairs may tell, where some rows say so."""
    some = table.sampled(_SCREENED)
    for look, ways in _WAYS.items():
        whole = look(table, names)
        part = look(some, [*whole])
        for columns in _near([it for it in whole if it in part]):
            for way, join in ways:
                if _is_likely(_joined(part, columns, join), some.target, table.roles.numbers):
                    yield Pair(columns, way, _joined(whole, columns, join))


def _near(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs, those first that stand near each other."""
    pairs = (
        (names[at], names[at + far])
        for far in range(1, len(names))
        for at in range(len(names) - far)
    )
    yield from islice(pairs, max(_MOST, len(names) - 1))


def _joined(
    values: Mapping[str, Floats], columns: tuple[str, str], join: Callable[[Any, Any], Any]
) -> Floats:
    """Return what is made of two columns, NaN where that is no number."""
    with np.errstate(all="ignore"):
        found = join(*(values[it] for it in columns))
    return np.where(np.isfinite(found), found, np.nan)


def _is_likely(scores: Floats, target: Floats, by_number: bool) -> bool:
    there = ~np.isnan(scores)
    scores, target = scores[there], target[there]
    if 2 * len(scores) < len(there) or np.ptp(scores) == 0:
        return False
    with np.errstate(all="ignore"):
        if by_number:
            return bool(abs(np.corrcoef(scores, target[:, 0])[0, 1]) > _LINE)
        # AUC twice, less one, of all classes at once: the scores are sorted once.
        ranked, rows = ranks(scores), target.sum(0)
        area = ranked @ target / rows - ranked @ (1 - target) / (len(target) - rows)
    several = np.minimum(rows, len(target) - rows) >= _SEVERAL
    return bool((several & (2 * np.abs(area) > _LIKELY)).any())


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


def _apart(one: Floats, other: Floats) -> Floats:
    return np.abs(one - other)


def _equal(one: Floats, other: Floats) -> Floats:
    return np.where(np.isnan(one + other), np.nan, one == other)


_WAYS = {
    _numbers: (
        ("the sum of {} and {}", np.add),
        ("the difference of {} and {}", np.subtract),
        ("how far {} and {} are apart", _apart),
        ("the product of {} and {}", np.multiply),
        ("the ratio of {} and {}", np.divide),
        ("the ratio of {1} and {0}", lambda one, other: np.divide(other, one)),
    ),
    _flags: (("which of {} and {} is there or set", _apart),),
    _texts: (("whether {} and {} are equal", _equal),),
}
