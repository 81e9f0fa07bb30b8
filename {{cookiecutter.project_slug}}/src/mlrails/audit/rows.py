"""What is told by which rows there are: copies, entities that a split tears apart, their order."""

from collections.abc import Iterator

import numpy as np

from . import clusters, words
from .clusters import Torn
from .finding import Finding
from .strength import delong
from .table import LEVELS, Codes, Floats, Mask, Table, codes, dense, is_number, is_time
from .table import numbers as as_numbers

TORN, _COPIES = "groups torn apart", "duplicates across parts"
MOST = 6_000
_OWN = 0.9
"""What differs in so many rows is each copy's own."""
_DECIMALS = 5
"""No measurement repeats so exactly by chance."""
_SMALLEST, _LARGEST = 2, 60
_ENTITIES = 20
_FIXED = 0.95
_SORTED = 0.9
_PANEL, _SURE = 0.8, 3.0
_EARLY, _TORN = 0.8, 0.05
"""The share of rows before a test by time, and of those whose entity is on both sides."""


def of_table(table: Table, most: int = MOST) -> Iterator[Finding]:
    """Yield what copies, entities and the order of the rows tell."""
    yield from shared(table, most)
    yield from _ordered(table)


def shared(table: Table, most: int = MOST) -> Iterator[Finding]:
    """Yield that rows of one entity, or copies of one row, would be in two parts."""
    unnamed = list(_unnamed(table, most))
    named = [] if any(it.rule == _COPIES for it in unnamed) else list(_named_groups(table))
    yield from named or unnamed


def _unnamed(table: Table, most: int) -> Iterator[Finding]:
    """Yield rows that belong together though no column says so, by all columns or by some."""
    names = clusters.usable(table)
    repeated = tuple(it for it in names if table.unique_share(it) < _OWN)
    each = [_clustered(table, it, most) for it in dict.fromkeys((names, repeated))]
    found = max((it for it in each if it), key=lambda it: it[1].rows, default=None)
    if found is not None:
        yield found[0]


def _clustered(table: Table, names: tuple[str, ...], most: int) -> tuple[Finding, Torn] | None:
    if not names or len(table) < _SMALLEST * _ENTITIES:
        return None
    part = clusters.slab(table, names, most)
    points = clusters.coordinates(part, names)
    label, within = clusters.clusters(points)
    if (found := clusters.torn(part, label, names, points)) is None or not found.harms:
        return None
    if not _is_split(part, label) or clusters.by_chance(points, label, within, table.seed):
        return None
    make = _copied if clusters.same_target(part, label) else _torn
    return make(part, found), found


def _is_split(table: Table, label: Codes) -> bool:
    """Tell whether the planned split tears such entities: one by groups may keep them whole."""
    roles = table.roles
    several = np.bincount(label)[label] > 1
    if roles.by == "time" and roles.time in table.frame:
        when = as_numbers(table.frame[roles.time])
        late = when > np.nanquantile(when, _EARLY)
        earlier = np.bincount(label, ~late) > 0
        return bool((late & several & earlier[label]).sum() > _TORN * late.sum())
    if roles.by != "group" or roles.group is None or roles.group not in table.frame:
        return True
    group = codes(table.frame[roles.group])
    pairs = len(np.unique(label * (group.max(initial=0) + 2) + group + 1))
    return bool(pairs - len(np.unique(label)) > _TORN * several.sum())


def _copied(table: Table, found: Torn) -> Finding:
    return Finding(
        _COPIES,
        (),
        f"{found.rows:,} of {len(table):,} rows are copies of {found.entities:,}, the same or "
        "nearly, so tested rows are in training as well: their copies tell "
        f"{_said(table, found)}; keep one of each in source.py, or name what they share "
        "(data.group; --group of adopt)",
        "stop",
    )


def _torn(table: Table, found: Torn) -> Finding:
    by_time = table.roles.by == "time"
    return Finding(
        TORN,
        (),
        f"{found.rows:,} of {len(table):,} rows belong to {found.entities:,} groups that no "
        f"column names, such as visits of one patient, and a {table.roles.by} split tears them: "
        f"rows of the same group tell {_said(table, found)}; add the column that names them and "
        "split by it (data.group; --group of adopt)",
        "question" if by_time else "stop",
    )


def _said(table: Table, found: Torn) -> str:
    by = table.roles.numbers
    return f"{found.inside.said(by)}, all other rows {found.outside.said(by)}"


def _named_groups(table: Table) -> Iterator[Finding]:
    """Yield columns whose values name entities with a few rows each."""
    if table.roles.by == "group":
        return
    part = table.sampled(MOST * 4)
    names = clusters.usable(part)
    points = clusters.coordinates(part, names)
    found = [
        it for it in (_by_name(part, name, names, points) for name in map(str, part.frame)) if it
    ]
    if found:
        yield min(found, key=lambda it: it.level != "stop")


def _by_name(table: Table, name: str, names: tuple[str, ...], points: Floats) -> Finding | None:
    """Return that a column's values name entities which a split tears apart."""
    if name in (table.roles.target, table.roles.time) or not _may_name(table, name):
        return None
    label = codes(table.frame[name])
    label = np.where(label < 0, label.max() + 1 + np.arange(len(label)), label)
    # What a number's trend tells is no knowledge of an entity.
    rest = tuple(it for it in names if it != name or is_number(table.frame[name]))
    found = clusters.torn(table, label, rest, points[:, [names.index(it) for it in rest]])
    return _group(table, name, found, label) if found and found.harms else None


def _may_name(table: Table, name: str) -> bool:
    column = table.frame[name]
    if is_time(column) or column.dtype.kind == "b":
        return False
    distinct = table.distinct(name)
    there = len(column) / max(distinct, 1)
    return bool(distinct >= _ENTITIES and _SMALLEST <= there <= _LARGEST)


def _is_precise(table: Table, name: str) -> bool:
    """Tell whether a column's numbers have more decimals than would meet again by chance."""
    if not is_number(table.frame[name]):
        return False
    values = as_numbers(table.frame[name])
    values = values[~np.isnan(values)]
    return bool(np.mean(values != np.round(values, _DECIMALS)) > 0.5)


def _group(table: Table, name: str, found: Torn, label: Codes) -> Finding:
    is_entity = bool(words.of_name(name) & words.ENTITIES) or _is_precise(table, name)
    knows = name in table.roles.features or any(
        _fixed(table, it, label) for it in table.roles.features if it != name
    )
    is_shown = is_entity and knows and table.roles.by == "random" and name not in table.roles.known
    return Finding(
        TORN,
        (name,),
        f"{found.entities:,} values of column {name!r} have "
        f"{found.rows / found.entities:.0f} rows each, and a {table.roles.by} split tears them: "
        f"rows of the same {name!r} tell {_said(table, found)}; split by it (data.group: {name}), "
        f"unless every {name!r} to come is known already",
        "stop" if is_shown else "question",
    )


def _fixed(table: Table, name: str, label: Codes) -> bool:
    """Tell whether a column is the same in all rows of an entity, and so names it."""
    found = codes(table.frame[name])
    pairs = np.unique(label * (found.max(initial=0) + 2) + found + 1)
    return len(np.unique(found)) >= _ENTITIES and len(np.unique(label)) >= _FIXED * len(pairs)


def _ordered(table: Table) -> Iterator[Finding]:
    """Yield that the order of the rows tells the target, and which columns follow the order."""
    if table.roles.numbers or len(table) < MOST / 100:
        return
    place = np.arange(len(table), dtype=np.float64)
    each = [delong(place, it > 0) for it in table.scores.T]
    told = max((abs(it.value) - (it.high - it.value) for it in each if it), default=0.0)
    if told < _SORTED:
        return
    yield Finding(
        "order of the rows",
        (),
        "the rows are sorted by the target (AUC of the row's number "
        f"{(1 + told) / 2:.2f} at the least): a number of a row tells it, and rows must be "
        "shuffled before they are split",
        "note",
    )
    for name in table.asked:
        column = table.frame[name]
        if is_number(column) and _counts_rows(as_numbers(column)):
            yield Finding(
                "identifier",
                (name,),
                f"column {name!r} counts the rows, which are sorted by the target: it tells the "
                "target of these rows and of no others; leave it out",
                "stop",
            )


def _counts_rows(values: Floats) -> bool:
    steps = np.diff(values)
    return bool(
        len(steps)
        and np.all(steps != 0)
        and np.median(np.abs(steps)) == 1
        and np.ptp(np.sign(steps)) == 0
    )


def panel(table: Table, names: tuple[str, ...], there: Mask, level: Codes) -> list[Codes]:
    """Return the columns that come again in each level, as stores do each week.

    Where none does and all levels have as many rows, what comes again is in no column: one code.
    """
    others = (it for it in map(str, table.frame) if it not in {*names, table.roles.target})
    several = (it for it in others if LEVELS <= table.distinct(it) <= len(table) / 2)
    found = [it for it in (table.codes(it)[there] for it in several) if crossed(level, it)]
    rows = np.bincount(dense(level - level.min()))
    by_chance = rows.mean() * (1 - _SURE * (2 / len(rows)) ** 0.5)
    return found or [np.zeros_like(level)] * bool(rows.var() <= max(by_chance, 0.0))


def crossed(one: Codes, other: Codes) -> bool:
    """Tell a panel, as of countries by years: pairs of values come again less than by chance."""
    by_chance = _again(one) * _again(other) / max(_again(np.zeros_like(one)), 1.0)
    joint = (one + 1) * (int(other.max(initial=0)) + 2) + other + 1
    return bool(_again(joint) < _PANEL * by_chance - _SURE * by_chance**0.5)


def _again(found: Codes) -> float:
    """Return how many pairs of rows have the same code."""
    rows = np.bincount(dense(found - found.min(initial=0)))
    return float(rows @ (rows - 1)) / 2


def without(shared: list[Codes], target: Floats) -> Floats:
    """Return a target less its mean for each value of some columns, one after the other."""
    for it in shared:
        rows = np.maximum(np.bincount(it + 1), 1)
        target = target - (np.bincount(it + 1, target) / rows)[it + 1]
    return target
