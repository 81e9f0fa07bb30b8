"""What came true, as numbers: as it is, or of several classes by their places; and what it costs.

The probabilities of classes have no mean that says anything. What has one is whether the likeliest
class was right, and the probability that it was given: of the two the sums and curves of an event
are made (confidence calibration, Guo et al. 2017, arXiv:1706.04599). Below are the losses of rows,
and the mean over the classes, of which the metrics of several classes are made.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..data.arrays import Matrix, Vector
from ..modeling import classes
from ..modeling.classes import Classes
from .bootstrap import Draws, Numbers, OfDraws

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20
"""Classes that a table or a picture has room for, the commonest first."""
_PAIRS = 10
"""Mistakes that are told one by one."""


class Plain(NamedTuple):
    """Outcomes and scores (rows,) that have a mean."""

    target: Vector
    score: Vector


def known(model: Any) -> Classes:
    """Return the classes that a model tells apart; an earlier one does not say that it has none."""
    return tuple(getattr(model, "classes", ()))


def numbers(target: "pd.Series[Any]", every: Classes) -> Vector:
    """Return the target (rows,) as numbers, which are places among the classes if there are any."""
    return classes.codes(target.tolist(), every) if every else target.to_numpy(np.float64)


def every(model: Any, *targets: "pd.Series[Any]") -> Classes:
    """Return the classes of a model that has any, and those that rows have beside them."""
    own = known(model)
    return classes.of_labels(own, *(it.unique() for it in targets)) if own else ()


def scores_of(model: Any, matrix: Matrix, every: Classes) -> np.ndarray:
    """Return a model's scores of encoded rows, (rows,), or (rows, classes) of all the classes."""
    return laid_out(model.scores_of(matrix), known(model), every)


def laid_out(scores: np.ndarray, known: Classes, every: Classes) -> np.ndarray:
    """Return scores as they are, or laid out on all the classes."""
    return classes.aligned(scores, known, every) if every and known != every else scores


def plain(target: Vector, score: np.ndarray) -> Plain:
    """Return what has a mean: of classes whether the likeliest was right, and how sure it was."""
    if score.ndim == 1:
        return Plain(target, score)
    right = classes.likeliest(score) == target
    return Plain(right.astype(np.float64), score.max(axis=1) if score.size else np.empty(0))


def confusion(target: Vector, score: Matrix) -> Mapping[str, Any]:
    """Count the rows of each class by the class that they were called, the commonest ones first.

    Beyond so many classes the others are one, the last. The commonest mistakes are told of all.
    """
    count = score.shape[1]
    called = classes.likeliest(score)
    cells = np.bincount(target.astype(np.int64) * count + called, minlength=count**2)
    table = cells.reshape(count, count)
    order = np.argsort(-table.sum(axis=1), kind="stable")
    shown, others = order[:SHOWN], order[SHOWN:]
    place = np.full(count, len(shown))
    place[shown] = np.arange(len(shown))
    size = len(shown) + bool(len(others))
    small = np.zeros((size, size), dtype=np.int64)
    np.add.at(small, (place[:, None], place[None, :]), table)
    return {
        "classes": shown.tolist(),
        "others": len(others),
        "rows": small.tolist(),
        "mistakes": list(_mistakes(table)),
    }


def _mistakes(table: np.ndarray) -> Iterator[Mapping[str, int]]:
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    for cell in np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS]:
        actual, called = divmod(int(cell), len(table))
        if wrong[actual, called]:
            yield {"actual": actual, "called": called, "rows": int(wrong[actual, called])}


def strangers(known: Sequence[str], every: Sequence[str], target: Vector) -> Mapping[str, int]:
    """Return how many rows have each class that the model does not know."""
    counts = np.bincount(target.astype(np.int64), minlength=len(every))
    return {
        name: int(rows)
        for name, rows in zip(every, counts, strict=True)
        if rows and name not in known
    }


def log_loss(target: Vector, score: Matrix) -> Vector:
    """A class that the model does not know has no probability; clipped, that costs 34.5 a row."""
    return -np.log(np.clip(_of_class(target, score), 1e-15, 1))


def brier(target: Vector, score: Matrix) -> Vector:
    """The squares summed over the classes (Brier 1950): twice the other one where there are two."""
    squares: Vector = (score**2).sum(axis=1)
    return squares - 2 * _of_class(target, score) + 1


def is_right(target: Vector, score: Matrix) -> Vector:
    """Return 1 where the likeliest class came true, else 0."""
    right: Vector = (classes.likeliest(score) == target).astype(np.float64)
    return right


def _of_class(target: Vector, score: Matrix) -> Vector:
    """Return the probability that was given to what came true (rows,)."""
    found: Vector = score[np.arange(len(target)), target.astype(np.int64)]
    return found


def macro(
    of_class: Callable[[Vector, Vector, Numbers, Vector | None], OfDraws], called: bool
) -> Callable[..., OfDraws]:
    """Make the mean over the classes of a metric of each one against the rest.

    It is asked of the class's probabilities, or of what is `called` the class, 0 or 1. Every class
    counts the same; one that a draw tells nothing of is left out of it.
    """

    def by_block(
        target: Vector, score: Matrix, block: Numbers, weight: Vector | None = None, /
    ) -> OfDraws:
        each = [
            of_class(event, asked, block, weight)
            for event, asked in _against_rest(target, score, called)
        ]

        def of(drawn: Draws) -> Vector:
            values = np.array([found(drawn) for found in each])
            known = np.isfinite(values)
            with np.errstate(invalid="ignore"):
                found: Vector = np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)
                return found

        return of

    return by_block


def _against_rest(target: Vector, score: Matrix, called: bool) -> Iterator[tuple[Vector, Vector]]:
    likeliest = classes.likeliest(score)
    for place in range(score.shape[1]):
        event = (target == place).astype(np.float64)
        yield event, (likeliest == place).astype(np.float64) if called else score[:, place]
