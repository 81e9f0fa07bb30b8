"""All boosted trees of scikit-learn as one, for few rows: the same leaves, added in the same order.

scikit-learn walks one tree after the other, and each walk costs more to begin than to go: most of
the time of one row. Here a column says which tree is meant, and a root above all of them leads
there, so that one walk of rows times trees finds every leaf.

How to change this: it rests on parts that scikit-learn keeps for itself, so `joined` compares the
bits on rows of its own making, and leaves the estimator as it is where anything is otherwise.
"""

from typing import Any

import numpy as np

_MOST_ROWS = 64
"""With more, the rows that are written once for each tree cost more than is won."""
_MOST_TREES = 4_096
"""With so many, the rows are all written at once; with more, fewer of them."""
_TRIED_ROWS = 256


def join(estimator: Any) -> bool:
    """Let an estimator of boosted trees find all leaves in one walk; tell whether it does."""
    try:
        found = _Joined(estimator)
        alike = found.is_the_same()
    except (AttributeError, TypeError, ValueError, IndexError, KeyError):
        return False  # Another estimator, or another scikit-learn.
    if alike:
        estimator._predict_iterations = found
    return alike


class _Joined:
    """Takes the place of an estimator's `_predict_iterations`."""

    def __init__(self, estimator: Any) -> None:
        self._one_by_one = estimator._predict_iterations
        trees = [tree for each in estimator._predictors for tree in each]
        if len(trees) < 2:
            raise ValueError("there is nothing to join")
        # Of several classes each iteration has a tree for each.
        self._classes = len(trees) // len(estimator._predictors)
        self.most_rows = max(1, _MOST_ROWS * min(_MOST_TREES, len(trees)) // len(trees))
        self._count, self._features = len(trees), int(estimator.n_features_in_)
        bitsets, f_idx_map = estimator._bin_mapper.make_known_categories_bitsets()
        self._known = bitsets
        self._map = np.append(f_idx_map, f_idx_map[-1:] * 0)
        self._tree = type(trees[0])(*_nodes(trees, self._features))
        self._baseline = estimator._baseline_prediction

    def __call__(
        self, matrix: Any, predictors: Any, raw_predictions: Any, is_binned: bool, n_threads: int
    ) -> None:
        """Add the values of all leaves to what is there, a tree at a time."""
        rows = len(matrix)
        if is_binned or not 0 < rows <= self.most_rows:
            self._one_by_one(matrix, predictors, raw_predictions, is_binned, n_threads)
            return
        wide = np.empty((rows, self._count, self._features + 1), dtype=np.float64)
        wide[:, :, :-1] = matrix[:, None, :]
        wide[:, :, -1] = np.arange(self._count)
        flat = wide.reshape(rows * self._count, -1)
        leaves = self._tree.predict(flat, self._known, self._map, n_threads)
        # A running sum adds in order, which a sum in pairs would not.
        leaves = leaves.reshape(rows, -1, self._classes)
        table = np.concatenate([raw_predictions[:, None, :], leaves], axis=1)
        raw_predictions[:] = np.cumsum(table, axis=1)[:, -1]

    def is_the_same(self) -> bool:
        """Tell whether the bits are those of scikit-learn, at every threshold and between them."""
        nodes = self._tree.nodes
        inner = nodes[(nodes["is_leaf"] == 0) & (nodes["feature_idx"] < self._features)]
        chance = np.random.default_rng(0)
        rows = np.full((_TRIED_ROWS, self._features), np.nan)
        for feature in range(self._features):
            known = inner["num_threshold"][inner["feature_idx"] == feature]
            known = known[np.isfinite(known)] if len(known) else np.zeros(1)
            values = np.concatenate([known, np.nextafter(known, np.inf), [np.nan, 0.0, 1.0, 2.0]])
            rows[:, feature] = chance.choice(values, _TRIED_ROWS)
        for start in range(0, _TRIED_ROWS, _MOST_ROWS):
            part = rows[start : start + self.most_rows]
            shape = len(part), self._classes
            found, expected = (
                np.zeros(shape, dtype=self._baseline.dtype, order="F") + self._baseline
                for _ in range(2)
            )
            self(part, None, found, False, 1)
            self._one_by_one(part, self._one_by_one.__self__._predictors, expected, False, 1)
            if not np.array_equal(found, expected):
                return False
        return True


def _nodes(trees: list[Any], feature: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nodes of all trees below one root, and their sets of categories.

    The root's own nodes come first: each halves the trees by their number, which is a feature.
    """
    sizes = [len(tree.nodes) for tree in trees]
    above = len(trees) - 1
    starts = above + np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    sets = np.cumsum([0, *(len(tree.raw_left_cat_bitsets) for tree in trees)])
    nodes = np.zeros(above + sum(sizes), dtype=trees[0].nodes.dtype)
    for tree, start, first in zip(trees, starts, sets[:-1], strict=True):
        part = tree.nodes.copy()
        inner = part["is_leaf"] == 0
        for side in ("left", "right"):
            part[side][inner] += np.uint32(start)
        part["bitset_idx"][part["is_categorical"] == 1] += np.uint32(first)
        nodes[start : start + len(part)] = part
    _halve(nodes, starts, feature)
    binned, raw = (
        np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("binned_left_cat_bitsets", "raw_left_cat_bitsets")
    )
    return nodes, binned, raw


def _halve(nodes: np.ndarray, starts: np.ndarray, feature: int) -> None:
    """Write the nodes that lead to a tree by its number."""
    waiting, free = [(0, 0, len(starts))], 1
    while waiting:
        place, low, high = waiting.pop()
        middle = (low + high) // 2
        node = nodes[place : place + 1]
        node["feature_idx"], node["num_threshold"] = feature, middle - 0.5
        for side, first, last in (("left", low, middle), ("right", middle, high)):
            if last - first == 1:
                node[side] = starts[first]
            else:
                node[side] = free
                waiting.append((free, first, last))
                free += 1
