"""Simple models, so that the figure of the real one means something.

Each is fitted on the matrix that the encoder makes, and gives scores as the estimator does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.params import Task
from ..data.arrays import Matrix, Vector
from ..modeling import classes
from ..modeling.protocols import Encoder

Scorer = Callable[[Matrix], Vector]
"""Gives (rows,) scores, or (rows, classes) ones."""
Middle = Callable[[Vector], float]

_LEAST_ROWS = 20.0
"""A group's mean is drawn towards the overall mean by as many rows; small groups say little."""
_PLACES = 4
"""In the order of weighted values, for each of them."""


class Grouped(NamedTuple):
    """A column of the matrix that falls into groups, such as hours, weekdays or categories."""

    title: str
    column: int
    width: float
    """How much of the column makes one group: 60 for the hour of a minute of the day."""


def fit(
    task: Task,
    encoder: Encoder,
    matrix: Matrix,
    target: Vector,
    weight: Vector | None = None,
    count: int = 0,
) -> Mapping[str, Scorer]:
    """Fit every baseline on the training rows (rows, features) and (rows,); by its title.

    `count` is how many classes the target's numbers stand for, where they stand for some.
    """
    grouped = [
        Grouped(encoder.groups[name][0], column, encoder.groups[name][1])
        for column, name in enumerate(encoder.names)
        if name in encoder.groups
    ]
    if task is Task.MULTICLASS:
        return _fit_classes(grouped, matrix, target, weight, count)
    fitted = {
        name: _constant(weighed(middle, target, weight)) for name, middle in MIDDLES[task].items()
    }
    if hour := next((it for it in grouped if it.width != 1), None):
        means = fit_groups([hour], matrix, target, weight)
        fitted[f"{_MEAN[task]} by {hour.title}"] = lambda matrix: means(matrix)[:, 0]
    fitted[LINEAR[task]] = _fit_linear(task, grouped, matrix, target, weight)
    return fitted


def weighed(middle: Middle, values: Vector, weight: Vector | None) -> float:
    """Return a middle of values (rows,), each of which counts by its weight.

    For another middle than the mean the values stand as often as they weigh, as nearly as so many
    places in their order can tell.
    """
    if weight is None:
        return float(middle(values))
    if middle is np.mean:
        return float(np.average(values, weights=weight))
    places = (np.arange(_PLACES * len(values)) + 0.5) / (_PLACES * len(values))
    return float(middle(np.quantile(values, places, weights=weight, method="inverted_cdf")))


def hindsight(
    task: Task, target: Vector, weight: Vector | None = None, count: int = 0
) -> Mapping[str, Vector]:
    """Return the constant that only these rows themselves could tell, by its title.

    The rate of the training rows is a weak rival where the world has moved on since: what a model
    gains over it may be no more than that its own mean has moved as well.
    """
    if task is Task.MULTICLASS:
        return {HINDSIGHT[task]: np.tile(class_mix(target, count, weight), (len(target), 1))}
    return {HINDSIGHT[task]: np.full(len(target), np.average(target, weights=weight))}


def class_mix(target: Vector, count: int, weight: Vector | None) -> Vector:
    """Return the share of each class (classes,) in rows whose target (rows,) are their numbers."""
    mix: Vector = np.average(classes.indicator(target, count), axis=0, weights=weight)
    return mix


def fit_groups(
    grouped: Sequence[Grouped], matrix: Matrix, target: Vector, weight: Vector | None = None
) -> Callable[[Matrix], Matrix]:
    """Return what gives each row its groups' means of the target, (rows, len(grouped)).

    A small group's is drawn towards the overall mean; a group that was never seen has that one.
    """
    from sklearn.preprocessing import TargetEncoder

    if not grouped:
        return lambda matrix: matrix[:, :0]

    def groups(matrix: Matrix) -> Matrix:
        codes: Matrix = matrix[:, [it.column for it in grouped]] // [it.width for it in grouped]
        return codes

    if weight is not None:
        means = [_Means.fit(column, target, weight) for column in groups(matrix).T]
        return lambda matrix: np.column_stack(
            [mean.of(column) for mean, column in zip(means, groups(matrix).T, strict=True)]
        )
    # Not `fit_transform`, which would give the training rows means of other rows than these.
    encoder = TargetEncoder(target_type="continuous", smooth=_LEAST_ROWS)
    encoder.fit(groups(matrix), target)
    return lambda matrix: np.asarray(encoder.transform(groups(matrix)))


class _Means(NamedTuple):
    """The mean of each group, by weights, which scikit-learn's encoder of targets does not know."""

    groups: Vector
    means: Vector
    overall: float

    @classmethod
    def fit(cls, groups: Vector, target: Vector, weight: Vector) -> "_Means":
        there, place = np.unique(groups, return_inverse=True)
        overall = float(np.average(target, weights=weight))
        total, counted = (np.bincount(place, it) for it in (weight * target, weight))
        means = (total + _LEAST_ROWS * overall) / (counted + _LEAST_ROWS)
        return cls(there, means, overall)

    def of(self, groups: Vector) -> Vector:
        place = np.minimum(np.searchsorted(self.groups, groups), len(self.groups) - 1)
        # A missing group is one of its own, and equal to nothing.
        known = (self.groups[place] == groups) | (np.isnan(self.groups[place]) & np.isnan(groups))
        return np.where(known, self.means[place], self.overall)


def _constant(value: float) -> Scorer:
    return lambda matrix: np.full(len(matrix), value)


def _fit_linear(
    task: Task,
    grouped: Sequence[Grouped],
    matrix: Matrix,
    target: Vector,
    weight: Vector | None = None,
) -> Scorer:
    """Fit a linear model on numbers and on means of groups."""
    from sklearn.linear_model import LogisticRegression, Ridge

    means = fit_groups(grouped, matrix, target, weight)
    events = task is Task.CLASSIFICATION
    last = LogisticRegression(solver="newton-cholesky") if events else Ridge(solver="cholesky")
    asked = target > 0 if events else target
    linear, inputs = _fit_with_groups(last, grouped, [means], matrix, asked, weight)
    if events:
        return lambda matrix: np.asarray(linear.predict_proba(inputs(matrix))[:, 1])
    return lambda matrix: np.asarray(linear.predict(inputs(matrix)))


def _fit_with_groups(
    last: Any,
    grouped: Sequence[Grouped],
    known: Sequence[Callable[[Matrix], Matrix]],
    matrix: Matrix,
    target: np.ndarray,
    weight: Vector | None,
) -> tuple[Any, Callable[[Matrix], Matrix]]:
    """Fit a linear model on numbers, missing ones as the mean, and on what is known of groups.

    Return it, and what makes its inputs of a matrix.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = sorted({*range(matrix.shape[1])} - {it.column for it in grouped})

    def inputs(matrix: Matrix) -> Matrix:
        return np.column_stack([matrix[:, numbers], *(it(matrix) for it in known)])

    # What is missing is given the mean after the units are known, or it would make these smaller.
    mean = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
    linear = make_pipeline(StandardScaler(), mean, last)
    told = {f"{name}__sample_weight": weight for name in (linear.steps[0][0], linear.steps[-1][0])}
    seen = inputs(matrix)
    with np.errstate(invalid="ignore"):  # A column without a single number has no mean.
        linear.fit(seen, target, **told)
    # What it was fitted on is asked for its scores as well.
    return linear, lambda asked: seen if asked is matrix else inputs(asked)


_MOST_CLASSES = 8
"""So many, the commonest, are what a group's mix tells the linear model of."""
_MOST_CELLS = 5_000_000
"""Rows times classes that it is fitted on; of more rows every other one, or every tenth."""


def _fit_classes(
    grouped: Sequence[Grouped], matrix: Matrix, target: Vector, weight: Vector | None, count: int
) -> Mapping[str, Scorer]:
    """Fit the baselines that tell classes apart: their mix, that of each hour, a linear model."""
    mix = class_mix(target, count, weight)
    found: dict[str, Scorer] = {"class mix": lambda matrix: np.tile(mix, (len(matrix), 1))}
    if hour := next((it for it in grouped if it.width != 1), None):
        found[f"class mix by {hour.title}"] = _mixes(hour, matrix, target, weight, range(count))
    step = -(-len(target) * count // _MOST_CELLS)
    some = slice(None, None, step if len(np.unique(target[::step])) > 1 else 1)
    of_some = None if weight is None else weight[some]
    fitted = _fit_multinomial(grouped, matrix[some], target[some], of_some, count)
    return {**found, LINEAR[Task.MULTICLASS]: fitted}


def _mixes(
    group: Grouped,
    matrix: Matrix,
    target: Vector,
    weight: Vector | None,
    among: Sequence[int],
) -> Scorer:
    """Return what gives each row the shares of some classes in its group, (rows, classes)."""
    counted = np.ones(len(target)) if weight is None else weight
    groups = matrix[:, group.column] // group.width
    each = [_Means.fit(groups, (target == it).astype(np.float64), counted) for it in among]

    def score(matrix: Matrix) -> Matrix:
        asked = matrix[:, group.column] // group.width
        return np.stack([it.of(asked) for it in each], axis=1)

    return score


def _fit_multinomial(
    grouped: Sequence[Grouped], matrix: Matrix, target: Vector, weight: Vector | None, count: int
) -> Scorer:
    """Fit a linear model on numbers and on the mixes of groups."""
    from sklearn.linear_model import LogisticRegression

    rows = np.bincount(target.astype(np.int64), minlength=count)
    commonest = np.argsort(-rows, kind="stable")[:_MOST_CLASSES].tolist()
    mixes = [_mixes(it, matrix, target, weight, commonest) for it in grouped]
    last = LogisticRegression(max_iter=1000)
    linear, inputs = _fit_with_groups(last, grouped, mixes, matrix, target, weight)
    known = linear[-1].classes_.astype(np.int64)

    def score(matrix: Matrix) -> Matrix:
        found = np.zeros((len(matrix), count))
        found[:, known] = linear.predict_proba(inputs(matrix))
        return found

    return score


MIDDLES: Mapping[Task, Mapping[str, Middle]] = {
    Task.CLASSIFICATION: {"constant rate": np.mean},
    # Squared error asks for the mean, absolute error for the median: neither is enough alone.
    Task.REGRESSION: {"constant mean": np.mean, "constant median": np.median},
}
HINDSIGHT = {
    Task.CLASSIFICATION: "rate of these rows",
    Task.REGRESSION: "mean of these rows",
    Task.MULTICLASS: "class mix of these rows",
}
"""The titles of what is known in hindsight alone."""
LINEAR = {
    Task.CLASSIFICATION: "logistic regression",
    Task.REGRESSION: "ridge regression",
    Task.MULTICLASS: "multinomial logistic regression",
}
_MEAN = {Task.CLASSIFICATION: "rate", Task.REGRESSION: "mean"}
