"""What the engine asks of the user's files: it is handed them, and never imports them.

How to change this: a model that was saved before keeps its own copy of these files, so nothing that
serving asks may become more; what only training asks is of the files as they are today.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..data.arrays import Matrix, Rows, Vector


class Encoder(Protocol):
    """Makes the matrix of raw rows."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that are read."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the matrix, in order."""

    @property
    def vocabulary(self) -> Mapping[str, tuple[str, ...]]:
        """The known categories of each raw column that has some."""

    @property
    def groups(self) -> Mapping[str, tuple[str, float, int]]:
        """The columns of the matrix that fall into groups: their title, width and number."""

    def source(self, name: str) -> str:
        """Return the raw column that a column of the matrix is made of."""

    def encode(self, rows: Rows) -> Matrix:
        """Return the matrix (rows, len(names))."""


class Model(Protocol):
    """An encoder and a fitted estimator: raw rows in, predictions out."""

    @property
    def task(self) -> str:
        """What is predicted."""

    @property
    def encoder(self) -> Encoder:
        """What makes the matrix."""

    @property
    def estimator(self) -> Any:
        """What was fitted."""

    @property
    def threshold(self) -> float | None:
        """From where on an event is called; None of a number."""

    def scores(self, rows: Rows) -> Vector:
        """Return (rows,) probabilities of the event, or predicted numbers.

        Of a model that tells several classes apart they are (rows, classes) probabilities, in order
        of its `classes`; one that was saved before there were such models has no `classes` at all.
        """

    def scores_of(self, matrix: Matrix) -> Vector:
        """Return the same of rows that are encoded already, (rows, features)."""

    def predict(self, rows: Rows) -> Mapping[str, np.ndarray]:
        """Return the output columns, (rows,) each."""

    def save(self, folder: Path) -> None:
        """Write the model's files into an existing folder."""

    def flavor(self, folder: str) -> dict[str, dict[str, Any]]:
        """Return MLflow's native flavor of what is saved in a folder of the model directory."""
