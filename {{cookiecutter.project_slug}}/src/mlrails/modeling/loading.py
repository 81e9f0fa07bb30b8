"""A model that answers: loaded from a directory whose bytes are known, and tried on its example."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import WorldError
from . import checked_copy, examples, isolation, signature, trees

if TYPE_CHECKING:
    from .protocols import Model


_TOLERANCE = 1e-6
"""Relative: what one row and a batch, or two processes, may differ by in some frameworks."""
Columns = Mapping[str, Any]
"""A sequence of values, or an array, for each raw column."""
Answer = dict[str, list[Any]]


@dataclass(frozen=True)
class ModelOrigin:
    """Which bytes these are, and where they come from, as callers are told."""

    digest: str
    version: str
    name: str
    trained: str | None = None


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A loaded model, what it asks of rows, and which one it is."""

    predictor: "Model"
    interface: signature.Interface
    origin: ModelOrigin
    typical: examples.Typical | None = None
    """What predictions are explained against; an earlier model has none."""

    def predict(self, columns: Columns, rows: int) -> Mapping[str, np.ndarray]:
        """Return each output column, (rows,).

        Raises ValueError where the model gives another number of answers, or one that is no number.
        """
        found = self.predictor.predict(columns)
        if any(len(values) != rows for values in found.values()):
            raise ValueError("the model gives another number of answers than rows")
        if not all(np.isfinite(it).all() for it in found.values() if it.dtype.kind == "f"):
            raise ValueError("the model gives an answer that is no number")
        return found

    def answer(self, columns: Columns, rows: int) -> Answer:
        """Return the same as plain values."""
        return {name: values.tolist() for name, values in self.predict(columns, rows).items()}

    def try_example(self) -> Answer:
        """Return what the model says to its own example; raises ValueError as `answer` does."""
        rows = self.interface.example
        columns = {it.name: [row[it.name] for row in rows] for it in self.inputs}
        found = self.answer(self.from_json(columns), len(rows))
        if found.keys() != self.interface.outputs.keys():
            raise ValueError("the model answers other columns than its signature says")
        return found

    def from_json(self, columns: Columns) -> dict[str, list[Any]]:
        """Return columns of JSON's values as the model takes them."""
        return {
            it.name: [_plain(value, it.type) for value in columns[it.name]] for it in self.inputs
        }

    @property
    def inputs(self) -> tuple[signature.Field, ...]:
        """The columns that go in."""
        return self.interface.inputs


def load(folder: Path, origin: ModelOrigin, expected: Answer | None = None) -> LoadedModel:
    """Load a model directory and let it answer its example, in the words of `expected` if given.

    Raises WorldError where the bytes are not those of the digest, or the answer is not right.
    """
    with _failing_as(origin), checked_copy.copy(folder, origin.digest) as copy:
        return load_copy(copy, origin, expected)


def load_copy(
    copy: checked_copy.Copy, origin: ModelOrigin, expected: Answer | None = None
) -> LoadedModel:
    """Load a copy whose bytes were checked already; raises WorldError as `load` does."""
    with _failing_as(origin):
        predictor, interface = isolation.load_copy(copy, copy), signature.read_interface(copy)
        trees.join(predictor.estimator)
        loaded = LoadedModel(predictor, interface, origin, examples.read_typical(copy))
        found = loaded.try_example()
        if expected is not None and not same(found, expected):
            raise WorldError(
                f"{_named(origin)}: answers its own example otherwise than when it was tried"
            )
    return loaded


@contextmanager
def _failing_as(origin: ModelOrigin) -> Iterator[None]:
    """Say which model it was, whatever is raised: the code is its own, and may do anything."""
    try:
        yield
    except WorldError:
        raise
    except (Exception, SystemExit) as error:
        raise WorldError(
            f"{_named(origin)}: does not answer its own example ({_first(error)})"
        ) from error


def _named(origin: ModelOrigin) -> str:
    return f"version {origin.version} ({origin.digest[:12]})"


def _plain(value: Any, kind: str) -> Any:
    return datetime.fromisoformat(value) if kind == "datetime" and value else value


def same(found: Answer, expected: Answer) -> bool:
    """Tell whether two answers are one, to the last bits that processes may differ by."""
    return found.keys() == expected.keys() and all(
        len(found[name]) == len(expected[name]) and _alike(found[name], expected[name])
        for name in found
    )


def _alike(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    if any(isinstance(it, str) for it in (*found, *expected)):
        return list(found) == list(expected)
    ours, theirs = (np.asarray(column, dtype=np.float64) for column in (found, expected))
    return np.allclose(ours, theirs, _TOLERANCE, _TOLERANCE)


def _first(error: BaseException) -> str:
    lines = [] if isinstance(error, SystemExit) else str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__
