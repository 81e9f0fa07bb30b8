"""The classes of a target: their labels in one order, and numbers that stand for them.

A label is text, whatever it says. A model knows those of its training rows; where it is held
against other rows, or another model, both are laid out on all the labels that there are.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..core.params import Task
from ..data.arrays import Matrix, Vector
from .dataset import Labelled

if TYPE_CHECKING:
    import pandas as pd

Classes: TypeAlias = tuple[str, ...]
PREFIX = "probability_"
"""What stands before a label in the name of the column with its probability."""
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


def of_labels(*columns: Iterable[Any]) -> Classes:
    """Return the labels of all columns, each once: numbers by their size, other text by letters."""
    found = sorted({label for column in columns for label in column})
    if all(map(_NUMBER.fullmatch, found)):
        found.sort(key=float)
    return tuple(found)


def learnt(task: Task, target: "pd.Series[Any]") -> Classes:
    """Return the classes of the training rows; none where the target has none."""
    return of_labels(target.unique()) if task is Task.MULTICLASS else ()


def codes(labels: Iterable[Any], classes: Sequence[str]) -> Vector:
    """Return the place of each row's label among the classes (rows,), -1 of an unknown one."""
    place = {name: float(number) for number, name in enumerate(classes)}
    return np.array([place.get(label, -1.0) for label in labels], dtype=np.float64)


def labelled(
    matrix: Matrix, target: "pd.Series[Any]", classes: Classes, weight: Vector | None = None
) -> Labelled:
    """Return rows to learn from, with numbers for classes; those of unknown ones are left out."""
    if not classes:
        return Labelled(matrix, target.to_numpy(dtype=np.float64), weight)
    numbers = codes(target.tolist(), classes)
    learnt = numbers >= 0
    return Labelled(matrix[learnt], numbers[learnt], None if weight is None else weight[learnt])


def indicator(numbers: Vector, count: int) -> Matrix:
    """Return (rows, classes) ones where a row is of a class, and zeros."""
    found: Matrix = (numbers[:, None] == np.arange(count)).astype(np.float64)
    return found


def aligned(scores: Matrix, known: Sequence[str], classes: Sequence[str]) -> Matrix:
    """Lay the probabilities of known classes out on others; one that is not known has none."""
    found = np.zeros((len(scores), len(classes)))
    places = {name: number for number, name in enumerate(classes)}
    found[:, [places[name] for name in known]] = scores
    return found


def likeliest(scores: Matrix) -> npt.NDArray[np.int64]:
    """Return the place of each row's likeliest class (rows,), the first one of equals."""
    found: npt.NDArray[np.int64] = scores.argmax(axis=1)
    return found
