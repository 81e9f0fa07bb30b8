"""Fits of a network on the tests' rows, or on a few of one's own."""

import os
import subprocess
import sys
from collections.abc import Sequence

import rows

from flight_delays import estimator as seam
from mlrails.core.params import Task, of_estimator
from mlrails.data.arrays import Matrix
from mlrails.modeling import classes
from mlrails.modeling.dataset import Labelled
from mlrails.modeling.epochs import Watch


def matrix(task: Task) -> Matrix:
    return rows.fitted(task).encoder.encode(rows.parts()["test"])


def labelled(task: Task, part: str) -> Labelled:
    frame = {str(name): frame for name, frame in rows.parts().items()}[part]
    known, target = rows.fitted(task).classes, frame[rows.parameters(task).data.target]
    return classes.labelled(rows.fitted(task).encoder.encode(frame), target, known)


def hyperparameters(**changes: object) -> seam.Hyperparameters:
    """Return the project's own ones, with some changed."""
    return seam.Hyperparameters(**{**of_estimator(rows.parameters()), **changes})


def fit(task: Task, watch: Watch, **changes: object) -> seam.Network:
    train, validation = labelled(task, "train"), labelled(task, "validation")
    sizes = rows.fitted(task).encoder.sizes
    return seam.fit(task, hyperparameters(**changes), 7, sizes, train, validation, watch)


def taught(
    train: Labelled, sizes: Sequence[int], task: Task = Task.REGRESSION, **changes: object
) -> seam.Network:
    """Fit on rows, and stop where nothing is gained on the same."""
    return seam.fit(task, hyperparameters(**changes), 7, sizes, train, train, Watch())


def numbers() -> Matrix:
    """Return the training rows' columns that are no categories."""
    sizes = rows.fitted(Task.REGRESSION).encoder.sizes
    return labelled(Task.REGRESSION, "train").matrix[:, [not size for size in sizes]]


def said(code: str, *words: str, **variables: str) -> list[str]:
    """Run code in a process of its own, where the network's library has not begun; in words."""
    environment = os.environ | {"PYTHONPATH": str(rows.ROOT / "src"), **variables}
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


PLATFORM = f"from {rows.PACKAGE} import estimator; print(estimator.platform())"
