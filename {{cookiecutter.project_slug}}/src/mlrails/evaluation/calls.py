"""What is called of scores: the thresholds of the model and of the baselines beside it."""

from collections.abc import Mapping

import numpy as np

from ..core.params import Evaluation
from ..data.arrays import Vector
from .diagnostics import choose_threshold
from .metrics import Metric

_AT = 0.5
"""The threshold of a model that has chosen none."""


def at(threshold: float | None) -> float:
    """Return a model's threshold."""
    return _AT if threshold is None else threshold


def called(score: Vector, threshold: float) -> Vector:
    """Return what is called (rows,), 0 or 1, of scores from a threshold on."""
    return np.where(score >= threshold, 1.0, 0.0)


def thresholds(
    metric: Metric,
    rules: Evaluation,
    target: Vector,
    scores: Mapping[str, Vector],
    weight: Vector | None = None,
) -> dict[str, float]:
    """Return the threshold of each of some models, by their scores of validation rows (rows,).

    It is chosen by the rule that the model's is chosen by. A constant calls everybody or nobody, as
    is better by the metric.
    """

    def threshold(score: Vector) -> float:
        if score.min() < score.max():
            return choose_threshold(rules.threshold, target, score, rules.costs)
        return -np.inf if metric.hardest_call(target, weight)[0] else np.inf

    return {name: threshold(score) for name, score in scores.items()}
