"""Simple models, so that the figure of the real one means something.

Each is fitted on the matrix of `features.py` and gives scores as the estimator does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .arrays import Matrix, Vector
from .labelled import units
from .protocols import Encoder
from .task import Task

Scorer = Callable[[Matrix], Vector]

_LEAST_ROWS = 20.0
"""A group's mean is drawn towards the overall mean by as many rows; small groups say little."""


@dataclass(frozen=True)
class Groups:
    """The mean of the target in each group of one column, for groups numbered from 0."""

    column: int
    width: float
    """How much of the column makes one group: 60 for the hour of a minute of the day."""
    means: tuple[float, ...]
    otherwise: float

    def scores(self, matrix: Matrix) -> Vector:
        """Return each row's group mean (rows,)."""
        group, known = _groups(matrix[:, self.column], self.width, len(self.means))
        return np.where(known, np.asarray(self.means)[group], self.otherwise)


def _groups(values: Vector, width: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(values) & (values < count * width)
    return np.where(known, values // width, 0).astype(np.int64), known


def fit_groups(column: int, width: float, count: int, matrix: Matrix, target: Vector) -> Groups:
    """Fit one column's group means, small groups shrunk towards the overall mean."""
    overall = float(target.mean())
    group, known = _groups(matrix[:, column], width, count)
    total = np.bincount(group[known], target[known], count) + _LEAST_ROWS * overall
    rows = np.bincount(group[known], minlength=count) + _LEAST_ROWS
    return Groups(column, width, tuple((total / rows).tolist()), overall)


def fit(task: Task, encoder: Encoder, matrix: Matrix, target: Vector) -> Mapping[str, Scorer]:
    """Fit every baseline on the training rows (rows, features) and (rows,); by its title."""
    fitted = {name: _constant(middle(target)) for name, middle in MIDDLES[task].items()}
    for it in [it for it in _grouped_columns(encoder) if it.width != 1][:1]:
        groups = fit_groups(it.column, it.width, it.number, matrix, target)
        fitted[f"{_MEAN[task]} by {it.title}"] = groups.scores
    fitted[_LINEAR[task][0]] = _fit_linear(task, encoder, matrix, target)
    return fitted


def hindsight(task: Task, target: Vector) -> Mapping[str, Vector]:
    """Return the constant that only these rows themselves could tell, by its title.

    The rate of the training rows is a weak rival where the world has moved on since: what a model
    gains over it may be no more than that its own mean has moved as well.
    """
    return {HINDSIGHT[task]: np.full(len(target), target.mean())}


def _constant(value: float) -> Scorer:
    return lambda matrix: np.full(len(matrix), value)


def _fit_linear(task: Task, encoder: Encoder, matrix: Matrix, target: Vector) -> Scorer:
    """Fit a linear model on numbers, missing ones as the mean, and on means of groups."""
    grouped = _grouped_columns(encoder)
    groups = [fit_groups(it.column, it.width, it.number, matrix, target) for it in grouped]
    numbers = sorted({*range(len(encoder.names))} - {it.column for it in grouped})

    def inputs(matrix: Matrix) -> Matrix:
        means = [group.scores(matrix) for group in groups]
        return np.column_stack([matrix[:, numbers], *means])

    learnt = inputs(matrix)
    center, spread = units(learnt)

    def standard(matrix: Matrix) -> Matrix:
        scaled: Matrix = (inputs(matrix) - center) / spread
        return np.nan_to_num(scaled, nan=0.0)

    score = _LINEAR[task][1](standard(matrix), target)
    return lambda matrix: np.asarray(score(standard(matrix)))


class _Grouped(NamedTuple):
    title: str
    column: int
    width: float
    number: int


def _grouped_columns(encoder: Encoder) -> Sequence[_Grouped]:
    """Return what falls into groups, such as hours, weekdays and categories."""
    found = []
    for column, name in enumerate(encoder.names):
        if name in encoder.groups:
            title, width, count = encoder.groups[name]
            found.append(_Grouped(title, column, width, max(count, 1)))
    return found


def _logistic(inputs: Matrix, target: Vector) -> Scorer:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(solver="newton-cholesky").fit(inputs, target > 0)
    return lambda inputs: np.asarray(fitted.predict_proba(inputs)[:, 1])


def _ridge(inputs: Matrix, target: Vector) -> Scorer:
    from sklearn.linear_model import Ridge

    fitted = Ridge(solver="cholesky").fit(inputs, target)
    return lambda inputs: np.asarray(fitted.predict(inputs))


MIDDLES: Mapping[Task, Mapping[str, Callable[[Vector], float]]] = {
    Task.CLASSIFICATION: {"constant rate": np.mean},
    # Squared error asks for the mean, absolute error for the median: neither is enough alone.
    Task.REGRESSION: {"constant mean": np.mean, "constant median": np.median},
}
HINDSIGHT = {
    Task.CLASSIFICATION: "rate of these rows",
    Task.REGRESSION: "mean of these rows",
}
"""The titles of what is known in hindsight alone."""
_MEAN = {Task.CLASSIFICATION: "rate", Task.REGRESSION: "mean"}
_LINEAR = {
    Task.CLASSIFICATION: ("logistic regression", _logistic),
    Task.REGRESSION: ("ridge regression", _ridge),
}
