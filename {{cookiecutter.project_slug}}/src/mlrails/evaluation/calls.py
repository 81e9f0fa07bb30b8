"""What is called of scores: thresholds of the model and of baselines, and what calls cost."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.params import Costs, Evaluation
from ..data.arrays import Vector
from .catalogue import cost
from .diagnostics import above_all, choose_threshold
from .metrics import Metric

_POINTS = 200
_DIGITS = 6

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
            return choose_threshold(rules.threshold, target, score, rules.costs, weight)
        return -np.inf if metric.hardest_call(target, weight)[0] else np.inf

    return {name: threshold(score) for name, score in scores.items()}


def costs_at_thresholds(
    target: Vector, score: Vector, threshold: float, costs: Costs, weight: Vector | None = None
) -> Mapping[str, Any]:
    """Return what calls cost for each row of these (rows,), at the threshold and at others.

    Were every probability right, the cheapest threshold would be where what a call costs if it is
    wrong meets what it saves if it is right (Elkan 2001, "The foundations of cost-sensitive
    learning"). `cost_curve` is over all thresholds.
    """
    marks = np.unique(np.append(score, above_all(score)))
    marks = marks[np.unique(np.linspace(0, len(marks) - 1, _POINTS).round().astype(int))]
    cuts = {
        "model": threshold,
        "balance": costs.false_alarm / (costs.false_alarm + costs.miss),
        "everybody": float(score.min()),
        "nobody": above_all(score),
        "hindsight": choose_threshold("cost", target, score, costs, weight),
    }

    def at_threshold(cut: float) -> Mapping[str, float]:
        return _at_threshold(target, called(score, cut), cut, costs, weight)

    return {
        **costs.model_dump(),
        "thresholds": {name: at_threshold(cut) for name, cut in cuts.items()},
        "cost_curve": {
            "x": marks.tolist(),
            "y": [at_threshold(cut)["cost"] for cut in marks],
        },
    }


def _at_threshold(
    target: Vector, made: Vector, cut: float, costs: Costs, weight: Vector | None
) -> Mapping[str, float]:
    return {
        "threshold": round(float(cut), _DIGITS),
        "false_alarms": int(np.sum((target <= 0) & (made > 0))),
        "missed": int(np.sum((target > 0) & (made <= 0))),
        "cost": round(cost(costs).whole(target, made, weight), _DIGITS),
    }
