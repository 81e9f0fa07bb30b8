"""What the rows of one entity tell of each other, held against what all others tell of them.

A split that tears an entity apart lets a model know it again: the test rows then show the first
figure, and the next entity that comes the second.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from . import clusters, strength
from .strength import Strength
from .table import FOLDS, Codes, Floats, Table

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
    near = clusters.neighbours(middle, most)[1]
    other = near != np.arange(len(sizes))[:, None]
    weight = other / np.maximum(other.sum(1, keepdims=True), 1)
    found = np.einsum("ij,ijk->ik", weight, mean[near])
    return np.asarray(found[label])


def _by_columns(table: Table, names: tuple[str, ...]) -> list[Floats]:
    return [strength.added(table, names)] if names else []


def _kept_whole(table: Table, label: Codes) -> Table:
    """Return the table with folds that keep entities whole."""
    frame = table.frame.assign(**{_LABEL: label})
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
    return float((clusters.nearest(shuffled) <= within).mean()) > _CHANCE * share


def same_target(table: Table, label: Codes) -> bool:
    """Tell whether nearly all rows of an entity have the very same target."""
    target = np.unique(table.target, axis=0, return_inverse=True)[1].ravel()
    inside = np.bincount(label)[label] > 1
    joint = np.unique(label * (target.max() + 2) + target)
    pure = np.bincount(joint // (target.max() + 2), minlength=int(label.max()) + 1) == 1
    return bool(pure[label[inside]].mean() > _SAME)
