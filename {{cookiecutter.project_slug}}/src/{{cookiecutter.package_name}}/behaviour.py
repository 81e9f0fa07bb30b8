"""How the model behaves on the test rows: what the report draws beside the figures."""

from collections.abc import Callable, Mapping
from typing import Any

from . import diagnostics
from .arrays import Vector
from .task import Task

_DIGITS = 6


def behaviour(
    task: Task, target: Vector, score: Vector, threshold: float | None
) -> Mapping[str, Any]:
    """Return curves, calibration and confusion of events, or residuals of numbers."""
    return _BEHAVIOUR[task](target, score, threshold)


def _of_events(target: Vector, score: Vector, threshold: float | None) -> Mapping[str, Any]:
    return {
        "roc": diagnostics.roc(target, score),
        "precision_recall": diagnostics.precision_recall(target, score),
        "average_precision": round(diagnostics.average_precision(target, score), _DIGITS),
        **_calibration(target, score, bins=10),
        "threshold": threshold,
        "confusion": diagnostics.confusion(target, score, 0.5 if threshold is None else threshold),
    }


def _of_numbers(target: Vector, score: Vector, _: float | None) -> Mapping[str, Any]:
    return {
        "residuals": diagnostics.residuals(target, score),
        **_calibration(target, score, bins=20),
    }


def _calibration(target: Vector, score: Vector, bins: int) -> Mapping[str, Any]:
    curve = diagnostics.calibration(target, score, bins)
    return {
        "mean_score": round(float(score.mean()), _DIGITS),
        "calibration": curve,
        "calibration_error": round(diagnostics.calibration_error(curve), _DIGITS),
    }


_BEHAVIOUR: Mapping[Task, Callable[[Vector, Vector, float | None], Mapping[str, Any]]] = {
    Task.CLASSIFICATION: _of_events,
    Task.REGRESSION: _of_numbers,
}
