"""Rows that belong together though no column says so: copies, or many rows of one patient.

Each row's neighbours are looked at by distance. Where a few of them are far nearer than the next
one, by a gap that chance leaves once in a thousand, they are of one cluster. Whether that harms is
then shown by the target: a row's own cluster is held against what all others tell of it. A split
that tears an entity apart lets a model know it again: the test rows then show the first figure, and
the next entity that comes the second.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from . import strength
from .strength import Strength
from .table import FOLDS, Codes, Floats, Table, is_number, is_time, is_whole
from .table import numbers as as_numbers

_NEIGHBOURS = 64
_LARGEST = 60
"""Larger clusters are no entity: so many rows are a category."""
_RARE = 1e-3
_FAR = 1_000.0
"""Standard deviations between two categories: they are never near."""
_UNIQUE = 0.95
_DIMENSIONS = 8.0
_WIDE, _BLOCK = 10, 128
"""In so many dimensions a tree looks at every point, and products of blocks are quicker."""
_CANCELS = 1e-6
"""Squares of so small a part of their terms have lost digits."""
_NEAREST = 10
_SHARE, _FEWEST = 0.05, 50
_CHANCE = 0.5
"""Clusters that half as many rows would be in by chance are none."""
_HARM = 0.2
"""On the scale of `strength`: a tenth of area under ROC."""
_STRONG = 0.3
_SAME = 0.85
_LABEL = "\0entity"
"""No column of a file is called so."""


def usable(table: Table) -> tuple[str, ...]:
    """Return the features that tell rows apart by what they are: no number of a row, no time."""
    return tuple(name for name in table.features if not numbers_rows(table, name))


def numbers_rows(table: Table, name: str) -> bool:
    """Tell times, and what is another whole number or text in nearly each row."""
    column = table.frame[name]
    if is_time(column):
        return True
    if column.dtype.kind == "b" or table.unique_share(name) <= _UNIQUE:
        return False
    if not is_number(column):
        return True
    return is_whole(as_numbers(table.sampled_values(name)))


def coordinates(table: Table, names: tuple[str, ...]) -> Floats:
    """Return rows as points: numbers by their standard deviation, categories far apart."""
    rng = np.random.default_rng(table.seed)
    found = [_axis(table, name, rng) for name in names]
    return np.column_stack(found) if found else np.zeros((len(table), 0))


def _axis(table: Table, name: str, rng: np.random.Generator) -> Floats:
    column = table.frame[name]
    values = as_numbers(column)
    if is_number(column):
        low, high = np.nanquantile(values, [0.05, 0.95]) if not np.isnan(values).all() else (0, 0)
        scale = (high - low) / 3.29 or np.nanstd(values) or 1.0
        scaled = (values - low) / scale
        return np.where(np.isnan(scaled), -_FAR, np.clip(scaled, -50, 50))
    places = rng.permutation(int(np.nanmax(values, initial=0)) + 2).astype(np.float64)
    return np.where(np.isnan(values), -1.0, places[np.nan_to_num(values).astype(np.int64)]) * _FAR


def slab(table: Table, names: tuple[str, ...], most: int) -> Table:
    """Return so many rows that lie side by side in one column, so what is near stays together."""
    if len(table) <= most:
        return table
    by_name = {it: as_numbers(table.frame[it]) for it in names if is_number(table.frame[it])}
    name = max(by_name, key=table.unique_share, default=None)
    axis = by_name[name] if name else np.random.default_rng(table.seed).random(len(table))
    axis = np.where(np.isnan(axis), np.inf, axis)
    first = (int((~np.isinf(axis)).sum()) - most) // 2
    chosen = (
        np.argpartition(axis, (first, first + most - 1))[first : first + most]
        if first > 0
        else np.argsort(axis)[:most]
    )
    return Table(table.frame.iloc[np.sort(chosen)], table.roles, table.seed)


def clusters(points: Floats) -> tuple[Codes, float]:
    """Return the cluster of each point, and within which distance most find one of theirs."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(points)
    most = min(_NEIGHBOURS, count - 1)
    far, near = neighbours(points, most + 1)
    far, near = _without_self(far, near)
    inside = _gap(far)
    linked = np.arange(most)[None, :] < inside[:, None]
    start = np.repeat(np.arange(count), inside)
    links = coo_array((np.ones(len(start), bool), (start, near[linked])), shape=(count, count))
    both = links.tocsr()
    both = both.multiply(both.T)
    label = connected_components(both, directed=False)[1].astype(np.int64)
    sizes = np.bincount(label)
    big = sizes[label] > _LARGEST
    label = np.where(big, label.max(initial=0) + 1 + np.arange(count), label)
    in_one = np.bincount(label)[label] > 1
    return label, float(np.quantile(far[in_one, 0], 0.9)) if in_one.any() else 0.0


def _without_self(far: Floats, near: Codes) -> tuple[Floats, Codes]:
    """Return neighbours without the point itself, which comes anywhere among its equals."""
    rows, most = near.shape
    own = near == np.arange(rows)[:, None]
    own[~own.any(1), -1] = True
    return far[~own].reshape(rows, most - 1), near[~own].reshape(rows, most - 1)


def nearest(points: Floats) -> Floats:
    """Return the distance to the nearest other point."""
    return np.asarray(neighbours(points, 2)[0][:, 1])


def neighbours(points: Floats, count: int) -> tuple[Floats, Codes]:
    """Return the distances and the places of so many nearest points of each, itself among them."""
    from scipy.spatial import cKDTree

    if points.shape[1] <= _WIDE:
        far, near = cKDTree(points).query(points, k=count)
        return far, near
    points = points - points.mean(0)
    sizes = np.einsum("ij,ij->i", points, points)
    parts = np.array_split(np.arange(len(points)), len(points) // _BLOCK + 1)
    each = [_nearest_of(it, points, sizes, count) for it in parts]
    return np.concatenate([far for far, _ in each]), np.concatenate([near for _, near in each])


def _nearest_of(some: Codes, points: Floats, sizes: Floats, count: int) -> tuple[Floats, Codes]:
    """Return the nearest points of some by products, and by differences where these cancel."""
    squares = points[some] @ points.T
    squares *= -2  # In place, as is all that follows: a block of products fits a cache.
    squares += sizes[some, None]
    squares += sizes
    squares[np.arange(len(some)), some] = 0
    near = np.argpartition(squares, count - 1, axis=1)[:, :count]
    squares = np.take_along_axis(squares, near, axis=1)
    inexact = (squares < _CANCELS * (sizes[some, None] + sizes[near])) & (near != some[:, None])
    for row in np.flatnonzero(inexact.any(1)):
        at = inexact[row]
        squares[row, at] = ((points[near[row, at]] - points[some[row]]) ** 2).sum(1)
    order = np.argsort(squares, axis=1, kind="stable")
    far = np.sqrt(np.take_along_axis(squares, order, axis=1))
    return far, np.take_along_axis(near, order, axis=1)


def _gap(far: Floats) -> Codes:
    """Return how many neighbours come before the first wide gap, 0 where none is wide."""
    most = far.shape[1]
    floor = max(float(np.median(far[:, -1])) * 1e-9, 1e-12)
    log = np.log(np.maximum(far, floor))
    half = most // 2
    with np.errstate(divide="ignore"):
        each = (log[:, -1:] - log[:, half:-1]).mean(1)
        dimension = np.clip(1 / np.median(np.maximum(each, 1e-9)), 1.0, _DIMENSIONS)
    steps = np.diff(log, axis=1)
    sizes = np.arange(1, most)
    rarity = -dimension * sizes[None, :] * steps
    # The first one: around copies there may be a wider gap, of the rows of one category.
    wide = rarity < np.log(_RARE)
    return np.where(wide.any(1), np.argmax(wide, axis=1) + 1, 0)


class Torn(NamedTuple):
    """What a split that tears entities apart would show, and what is so."""

    inside: Strength
    outside: Strength
    rows: int
    entities: int

    @property
    def harms(self) -> bool:
        """Whether the figures would be too good, beyond both intervals."""
        return self.inside.low > max(_STRONG, self.outside.high + _HARM)


def torn(table: Table, label: Codes, names: tuple[str, ...], points: Floats) -> Torn | None:
    """Return what entities tell of their own rows, None where that is little, or rows are few."""
    sizes = np.bincount(label)
    inside = sizes[label] > 1
    rows, entities = int(inside.sum()), int((sizes > 1).sum())
    if rows < max(_FEWEST, _SHARE * len(table)) or entities < FOLDS * 2:
        return None
    widening = float(np.sqrt(rows / entities))
    own = _wider(strength.of_scores(_others_of_one(table.scores, label), table, inside), widening)
    if own.low <= _STRONG:
        return None  # Whatever the others tell, there is no harm; and asking them takes longer.
    whole = _kept_whole(table, label)
    apart = [_by_neighbours(table.scores, label, points), *_by_columns(whole, names)]
    best = max(strength.of_scores(it, table, inside) for it in apart)
    return Torn(own, _wider(best, widening), rows, entities)


def _others_of_one(scores: Floats, label: Codes) -> Floats:
    """Return the mean score of the other rows of each row's entity."""
    sizes = np.bincount(label)[label]
    sums = np.column_stack([np.bincount(label, it)[label] for it in scores.T])
    alone = scores.mean(0)
    found = (sums - scores) / np.maximum(sizes - 1, 1)[:, None]
    return np.where((sizes > 1)[:, None], found, alone[None, :])


def _by_neighbours(scores: Floats, label: Codes, points: Floats) -> Floats:
    """Return the mean score of the entities that lie nearest to each one's middle."""
    sizes = np.maximum(np.bincount(label), 1).astype(np.float64)
    if not points.shape[1]:
        return np.zeros_like(scores)
    middle = np.column_stack([np.bincount(label, it) / sizes for it in points.T])
    mean = np.column_stack([np.bincount(label, it) / sizes for it in scores.T])
    most = min(_NEAREST + 1, len(sizes))
    near = neighbours(middle, most)[1]
    other = near != np.arange(len(sizes))[:, None]
    weight = other / np.maximum(other.sum(1, keepdims=True), 1)
    found = np.einsum("ij,ijk->ik", weight, mean[near])
    return np.asarray(found[label])


def _by_columns(table: Table, names: tuple[str, ...]) -> list[Floats]:
    return [strength.added(table, names)] if names else []


def _kept_whole(table: Table, label: Codes) -> Table:
    """Return the table with folds that keep entities whole."""
    # A copy has its columns in one piece, where pandas would warn of a hundred.
    frame = table.frame.copy()
    frame[_LABEL] = label
    return Table(frame, replace(table.roles, group=_LABEL), table.seed)


def _wider(found: Strength, by: float) -> Strength:
    low, high = (
        found.value - (found.value - found.low) * by,
        found.value + (found.high - found.value) * by,
    )
    return Strength(found.value, max(low, -1.0), min(high, 1.0))


def by_chance(points: Floats, label: Codes, within: float, seed: int) -> bool:
    """Tell whether rows whose columns are shuffled apart come as near about as often."""
    rng = np.random.default_rng(seed)
    shuffled = np.column_stack([rng.permutation(it) for it in points.T])
    share = float((np.bincount(label)[label] > 1).mean())
    return float((nearest(shuffled) <= within).mean()) > _CHANCE * share


def same_target(table: Table, label: Codes) -> bool:
    """Tell whether nearly all rows of an entity have the very same target."""
    target = np.unique(table.target, axis=0, return_inverse=True)[1].ravel()
    inside = np.bincount(label)[label] > 1
    joint = np.unique(label * (target.max() + 2) + target)
    pure = np.bincount(joint // (target.max() + 2), minlength=int(label.max()) + 1) == 1
    return bool(pure[label[inside]].mean() > _SAME)
