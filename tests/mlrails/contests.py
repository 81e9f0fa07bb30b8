"""Contests of made-up models for the tests of the gate: how good each is, is chosen."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlrails.core.params import Gate, Task
from mlrails.evaluation.scored import Scored
from mlrails.gate.checks import Contest
from mlrails.gate.verdict import CONSTANT

DIGESTS = ("a" * 64, "b" * 64)
"""Of the challenger and the champion."""


def bounds(**what: Any) -> Gate:
    """Return bounds that models of `contest` can meet."""
    usual = {
        "margin": 0.5,
        "slice_margin": 1.0,
        "slice_rows": 100,
        "days": 20,
        "bias": 0.5,
        "megabytes": 10,
        "confidence": 0.95,
        "resamples": 200,
    }
    return Gate.model_validate(usual | what)


def contest(errors: Mapping[str, float], days: int = 40, rows_of_day: int = 40) -> Contest:
    """Return a regression; each model's RMSE is about what is given, the constant's about 10.

    Slices are `halves` and `tenths` of the rows.
    """
    rng = np.random.default_rng(1)
    rows = days * rows_of_day
    target, noise = 10 * rng.normal(size=rows), rng.normal(size=rows)
    scores = {name: target + error * noise for name, error in errors.items()}
    return of_scores(target, {CONSTANT: np.full(rows, target.mean()), **scores}, days)


def of_scores(
    target: np.ndarray,
    scores: dict[str, np.ndarray],
    days: int = 40,
    task: Task = Task.REGRESSION,
    seed: int = 1,
) -> Contest:
    """Return a contest of these scores, the rows of which are spread over the days."""
    place = np.arange(len(target))
    times = np.datetime64("2013-09-01") + (place % max(days, 1)).astype("timedelta64[D]")
    slices = {"half": place // days % 2, "tenth": place // days % 10} if days else {}
    named = {name: labels.astype(str) for name, labels in slices.items()}
    return Contest(task, Scored(target, times, scores), named, seed)
