"""What so many rows ask for: hyperparameters, numbers of the gate, and what it could see at all.

The smallest visible difference is that of two models on the same test rows which an interval would
tell from none: (z of the gate's confidence + z of the power) standard errors of the difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log2, sqrt
from typing import Any

import numpy as np

from ..core.errors import counted
from ..core.params import Task

CONFIDENCE, POWER = 0.98, 0.8
"""Of the gate's interval as the template sets it, and how often a difference is to be seen."""
AGREE = 0.9
"""The correlation of two models' errors on a row: that of two trainings of one recipe."""
_Z = {0.98: 2.3263, 0.8: 0.8416}
_AUC = 0.75
_LEAF = 200
_STEPS, _LONGEST = 2_000, 100
DAYS = 35
"""So many days of test rows let the gate decide about skewed days, too."""
_SLICE, SMALLEST_SLICE = 500, 50
GATES: Mapping[Task, Mapping[str, Any]] = {
    Task.CLASSIFICATION: {
        "margin": 0.01,
        "slice_margin": 0.05,
        "bias": 0.02,
        "first_bias": 0.1,
        "calibration": 0.02,
        "decisions": 0.02,
        "floors": {"roc_auc": 0.6},
    },
    Task.MULTICLASS: {
        "margin": 0.01,
        "slice_margin": 0.1,
        "bias": 0.02,
        "first_bias": 0.1,
        "calibration": 0.02,
        "decisions": 0.02,
        "floors": {"roc_auc": 0.6},
    },
    Task.REGRESSION: {
        "margin": 0.01,
        "slice_margin": 0.07,
        "bias": 0.05,
        "first_bias": 0.25,
        "calibration": None,
        "decisions": None,
        "floors": {"r2": 0.05},
    },
}
"""The gate's numbers for a task; of a number to predict, in its standard deviations."""
_MOST_MARGIN = {Task.CLASSIFICATION: 0.03, Task.REGRESSION: 0.05, Task.MULTICLASS: 0.05}


@dataclass(frozen=True)
class Sight:
    """How much of a difference can be seen, in the unit of the primary metric."""

    difference: float
    error: float
    """The standard error of a difference."""
    sentence: str


def estimator(rows: int) -> Mapping[str, Any]:
    """Return hyperparameters for so many training rows, of trees and of networks.

    A leaf grows with the root of the rows, so that a table of 100 rows is divided at all; a network
    is given as many steps as it needs, whatever an epoch has.
    """
    batch = 2 ** int(np.clip(round(log2(max(rows, 2) / 50)), 5, 10))
    epochs = int(np.clip(ceil(_STEPS / max(1, rows / batch)), 10, _LONGEST))
    return {
        "min_samples_leaf": int(np.clip(round(sqrt(rows) / 3), 3, _LEAF)),
        "batch_size": batch,
        "epochs": epochs,
        "patience": max(3, epochs // 10),
    }


def auc_error(rate: float, rows: int) -> float:
    """Return the standard error of an area under ROC of .75, with so many test rows.

    Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747.
    """
    events, others = max(rate * rows, 1.0), max((1 - rate) * rows, 1.0)
    one, two = _AUC / (2 - _AUC), 2 * _AUC**2 / (1 + _AUC)
    spread = _AUC * (1 - _AUC) + (events - 1) * (one - _AUC**2) + (others - 1) * (two - _AUC**2)
    return sqrt(spread / (events * others))


def rmse_error(spread: float, rows: int) -> float:
    """Return the standard error of a root mean squared error, of errors that are normal.

    Those of the square are 2σ⁴/n (the variance of a χ²), those of the root σ²/2n (delta method).
    """
    return spread / sqrt(2 * max(rows, 1))


def loss_error(shares: np.ndarray, rows: int) -> float:
    """Return the standard error of a mean log-loss, by the spread that mere guesses have."""
    losses = -np.log(shares)
    mean = float((shares * losses).sum())
    spread = sqrt(float((shares * (losses - mean) ** 2).sum()))
    return max(spread, 0.5 * mean) / sqrt(max(rows, 1))


def paired(error: float, agree: float = AGREE) -> float:
    """Return the standard error of the difference of two figures on the same rows.

    Hanley and McNeil 1983, doi:10.1148/radiology.148.3.6878708: √(2(1 − r)) of one's own.
    """
    return error * sqrt(2 * (1 - agree))


def effective(rows: int, blocks: int, alike: float) -> float:
    """Return how many rows on their own tell as much as so many in blocks (Kish 1965)."""
    size = rows / max(blocks, 1)
    return rows / (1 + max(size - 1, 0) * alike)


def sight(task: Task, shares: np.ndarray, spread: float | None, rows: float) -> Sight:
    """Return what could be seen with so many effective test rows.

    `shares` are those of the classes, of an event's the event first.
    """
    number = max(1, int(rows))
    if task is Task.CLASSIFICATION:
        error, unit = auc_error(float(shares[0]), number), "in area under ROC"
    elif task is Task.REGRESSION:
        error, unit = rmse_error(spread or 1.0, number), "in root mean squared error, at the most"
    else:
        error, unit = loss_error(shares, number), "in log-loss"
    difference = (_Z[CONFIDENCE] + _Z[POWER]) * paired(error)
    sentence = (
        f"{counted(number, 'test row')} of their own let the gate see a difference of "
        f"{difference:.2g} {unit} between two models; smaller ones stay undecided"
    )
    return Sight(difference, paired(error), sentence)


def gate(seen: Sight, task: Task, held: int, blocks: int, spread: float) -> Mapping[str, float]:
    """Return the gate's numbers for so many test rows, in the units of `params.yaml`.

    A margin that no interval could ever keep within would leave every later model undecided; it is
    widened up to a bound, and a bias that chance alone makes is no reason to refuse a first model.
    `spread` is the standard deviation of the target, of an event's 0 and 1.
    """
    usual, unit = GATES[task], spread if task is Task.REGRESSION else 1.0
    least, most = usual["margin"] * unit, _MOST_MARGIN[task] * unit
    margin = float(np.clip(_Z[CONFIDENCE] * seen.error, least, most))
    chance = 3 * spread / sqrt(max(held, 1))
    return {
        "margin": _rounded(margin),
        "bias": _rounded(max(usual["bias"] * unit, chance)),
        "first_bias": _rounded(max(usual["first_bias"] * unit, chance)),
        "slice_rows": int(np.clip(held // 100, SMALLEST_SLICE, _SLICE)),
        "days": int(np.clip(int(blocks * 0.8), 2, DAYS)),
    }


def _rounded(value: float) -> float:
    """Return a number as a person would write it: two digits."""
    return float(f"{value:.2g}")


def alike(numbers: np.ndarray, codes: np.ndarray) -> float:
    """Return how alike the rows of a group are: the intraclass correlation ICC(1), at least 0.

    From the mean squares between and within groups (Shrout and Fleiss 1979,
    doi:10.1037/0033-2909.86.2.420), with the mean group size of unequal ones.
    """
    sizes = np.bincount(codes)
    there = sizes > 0
    if not there.all():
        sizes, codes = sizes[there], (np.cumsum(there) - 1)[codes]
    rows, groups = len(numbers), len(sizes)
    if groups < 2 or rows <= groups:
        return 0.0
    means = np.bincount(codes, numbers) / sizes
    between = float((sizes * (means - numbers.mean()) ** 2).sum()) / (groups - 1)
    within = float(((numbers - means[codes]) ** 2).sum()) / (rows - groups)
    size = (rows - float((sizes.astype(float) ** 2).sum()) / rows) / (groups - 1)
    total = between + (size - 1) * within
    return max(0.0, (between - within) / total) if total > 0 else 0.0
