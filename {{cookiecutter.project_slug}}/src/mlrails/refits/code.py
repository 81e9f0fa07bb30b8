"""The project's own code that fits a model, found by its package's name."""

import sys
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ..core.errors import ProjectError, UsageError
from ..evaluation.own import OwnMetric


@dataclass(frozen=True)
class Code:
    """What a project fits with, and the metrics of its own."""

    fit: Any
    hyperparameters: Any
    metrics: tuple[OwnMetric, ...]


def of_project(root: Path, package: str) -> Code:
    """Import it from a project's folder; raises UsageError where it has no fit."""
    sys.path.insert(0, str(root / "src"))
    train = import_module(f"{package}.steps.train")
    if not callable(fit := getattr(train, "fit", None)):
        raise UsageError(
            f"src/{package}/steps/train.py: it has no `fit(params, hyperparameters, rows, watch)`, "
            "which trials and refits call as the stage does; write one"
        )
    seam = import_module(f"{package}.estimator")
    return Code(fit, seam.Hyperparameters, _own(package))


def in_words(error: Exception) -> str:
    """Return what has ended a fit of it, without a value that it may quote."""
    if isinstance(error, ProjectError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory"
    traceback.print_exception(error)  # Into the file of this process: it may quote values.
    return f"{type(error).__name__} in the project's code"


def _own(package: str) -> tuple[OwnMetric, ...]:
    try:
        return tuple(import_module(f"{package}.metrics").METRICS)
    except ModuleNotFoundError as error:
        if error.name != f"{package}.metrics":
            raise
        return ()
