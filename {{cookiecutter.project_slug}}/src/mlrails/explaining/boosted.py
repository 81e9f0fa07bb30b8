"""Shapley values of boosted trees of scikit-learn, exactly and at once: from their leaves.

A leaf is reached by a mixture of a row and a typical one where each column that its path asks for
is the row's or the typical row's, whichever fits; so in each leaf the Shapley value of a column has
a closed form, and the trees' are the sums (interventional TreeSHAP: Lundberg and others 2020,
doi:10.1038/s42256-019-0138-9). That holds for numbers. Of events and classes trees add up
log-odds, whose shares are none of the probability, and carrying them over was measured to be far
worse than drawing orders: there the trees only say which columns they never ask for.

How to change this: it rests on parts that scikit-learn keeps for itself. `read` and `asked` return
None where they find them otherwise, and `shares` where the sums are not what the model says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.arrays import Matrix, Vector
from .shapley import Owners, Shares

_TOLERANCE = 1e-8

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Reach = tuple[float, float, bool]
"""What is asked of a feature: it is above the first, not above the second, or may be missing."""


@dataclass(frozen=True)
class Leaves:
    """The leaves of all trees, and what the way to each asks for, a line per leaf and feature."""

    value: Vector
    """What a leaf adds, (leaves,)."""
    baseline: float
    leaf: Numbers
    """The leaf of each line, (lines,)."""
    feature: Numbers
    low: Vector
    high: Vector
    missing: Mask

    def holds(self, row: Vector) -> Mask:
        """Tell which lines hold for an encoded row, (lines,)."""
        values = row[self.feature]
        between = (values > self.low) & (values <= self.high)
        found: Mask = between | (np.isnan(values) & self.missing)
        return found

    def sum(self, row: Vector) -> float:
        """Return what all trees say to an encoded row."""
        failed = np.bincount(self.leaf[~self.holds(row)], minlength=len(self.value)) > 0
        return self.baseline + float(self.value[~failed].sum())


def asked(estimator: Any) -> Numbers | None:
    """Return the features that any tree asks for; None where the estimator is no such trees."""
    try:
        trees = [tree.nodes for each in estimator._predictors for tree in each]
        found = [nodes["feature_idx"][nodes["is_leaf"] == 0] for nodes in trees]
        return np.unique(np.concatenate(found)) if estimator._preprocessor is None else None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None  # Another estimator, or another scikit-learn.


def read(estimator: Any, level: Sequence[float] = ()) -> Leaves | None:
    """Read the leaves of trees that predict a number, and split on numbers alone; else None.

    `level` is what the model adds to what they say, if anything.
    """
    try:
        trees = [tree.nodes for (tree,) in estimator._predictors]
        plain = type(estimator._loss.link).__name__ == "IdentityLink"
        if not plain or any(nodes["is_categorical"].any() for nodes in trees):
            return None
        baseline = float(np.asarray(estimator._baseline_prediction).item())
        return _gathered(trees, baseline + sum(level))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _gathered(trees: list[np.ndarray], baseline: float) -> Leaves:
    lines: list[tuple[int, int, float, float, bool]] = []
    values: list[float] = []
    for nodes in trees:
        names = nodes.dtype.names or ()
        told = [dict(zip(names, it, strict=True)) for it in nodes.tolist()]
        waiting: list[tuple[int, dict[int, Reach]]] = [(0, {})]
        while waiting:
            place, path = waiting.pop()
            if told[place]["is_leaf"]:
                lines += [(len(values), name, *reach) for name, reach in path.items()]
                values.append(told[place]["value"])
            else:
                waiting += [
                    (told[place][it], _below(path, told[place], it)) for it in ("right", "left")
                ]
    leaf, feature, low, high, missing = (np.array(it) for it in zip(*lines, strict=True))
    return Leaves(np.array(values), baseline, leaf, feature, low, high, missing.astype(bool))


def _below(path: dict[int, Reach], node: dict[str, Any], side: str) -> dict[int, Reach]:
    """Return what is asked for on one side of a node, by feature."""
    low, high, missing = path.get(node["feature_idx"], (-np.inf, np.inf, True))
    at, to_left = node["num_threshold"], bool(node["missing_go_to_left"])
    if side == "left":
        return {**path, node["feature_idx"]: (low, min(high, at), missing and to_left)}
    return {**path, node["feature_idx"]: (max(low, at), high, missing and not to_left)}


def shares(
    leaves: Leaves, row: Vector, typical: Matrix, owners: Owners, scored: Vector
) -> Shares | None:
    """Return the shares of the columns of an encoded row (features,).

    `scored` are what the model itself says to the typical rows and, last, the row; None where the
    leaves say something else.
    """
    columns = int(owners.max()) + 1
    sums = np.array([leaves.sum(it) for it in (*typical, row)])
    if not np.allclose(sums, scored, _TOLERANCE, _TOLERANCE):
        return None
    # What a path asks of all features of one column is asked of that column.
    pairs, line = np.unique(leaves.leaf * columns + owners[leaves.feature], return_inverse=True)
    leaf, column = np.divmod(pairs, columns)
    ours, values = _all(leaves.holds(row), line, len(pairs)), np.zeros(columns)
    for other in typical:
        theirs = _all(leaves.holds(other), line, len(pairs))
        weights = _weights(ours, theirs, leaf, len(leaves.value))
        values += np.bincount(column, weights * leaves.value[leaf], columns)
    base = float(scored[:-1].mean())
    return Shares(base, float(scored[-1]), values / len(typical), np.zeros(columns))


def _all(holds: Mask, line: Numbers, count: int) -> Mask:
    found: Mask = np.bincount(line[~holds], minlength=count) == 0
    return found


def _weights(ours: Mask, theirs: Mask, leaf: Numbers, count: int) -> Vector:
    """Return the share of its leaf that each pair of leaf and column has, (pairs,).

    Where `a` columns must be the row's and `b` the typical row's, a column of the first kind is the
    one that opens the leaf with the chance 1 / (a + b) / C(a + b - 1, b), and one of the second
    kind the one that closes it with 1 / (a + b) / C(a + b - 1, a).
    """
    only_ours, only_theirs = ours & ~theirs, theirs & ~ours
    a, b = (np.bincount(leaf[it], minlength=count)[leaf] for it in (only_ours, only_theirs))
    dead = np.bincount(leaf[~ours & ~theirs], minlength=count)[leaf] > 0
    whole = np.maximum(a + b, 1)
    # Where there is none of a kind, its chance is not asked for.
    ways = _ways(int(whole.max(initial=1)))
    opens, closes = (1 / (whole * np.maximum(ways[whole - 1, it], 1)) for it in (b, a))
    found: Vector = np.where(dead, 0.0, only_ours * opens - only_theirs * closes)
    return found


def _ways(most: int) -> Matrix:
    """Return the number of ways to choose from each number below, up to `most` of them."""
    return np.array([[comb(n, k) for k in range(most + 1)] for n in range(most)], np.float64)
