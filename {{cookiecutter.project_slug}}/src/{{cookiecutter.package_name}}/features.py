"""Raw rows into the numeric matrix that every estimator takes.

This runs inside the model, in training and in serving alike, so the two cannot skew. It takes a
data frame or a plain mapping of columns, and imports nothing but numpy, since the model directory
carries this file to places where the project is not installed.

How to change this: `Encoder` is saved with the model as JSON. A new kind of feature is a field
here with its columns (a constant, or what `fit_encoder` learns), a line each in `columns`, `names`,
`source`, `encode` and `from_json`; a model that was saved before keeps its own copy of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mlrails.data.arrays import Matrix, Rows, Vector

CALENDAR: dict[str, Callable[[npt.NDArray[np.datetime64]], npt.NDArray[np.int64]]] = {
    "minute_of_day": lambda time: (time - time.astype("datetime64[D]")).astype(np.int64),
    # 1970-01-01 was a Thursday; Monday is 0.
    "day_of_week": lambda time: (time.astype("datetime64[D]").astype(np.int64) + 3) % 7,
}
"""What `features.calendar` of `params.yaml` may name."""
_GROUPS = {"minute_of_day": ("hour", 60.0, 24), "day_of_week": ("day", 1.0, 7)}
"""Into which groups it falls: their title, how much of it makes one, and their number."""


@dataclass(frozen=True)
class Encoder:
    """What was learnt of the training rows' columns: the order, and each category's code."""

    time: str | None
    calendar: tuple[str, ...]
    categorical: tuple[str, ...]
    vocabularies: tuple[tuple[str, ...], ...]
    numeric: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that are read."""
        time = (self.time,) if self.time and self.calendar else ()
        return (*time, *self.categorical, *self.numeric)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the matrix, in order."""
        return (*self.calendar, *self.categorical, *self.numeric)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many categories each column of the matrix has, numbered from 0; 0 for a number."""
        counts = {name: count for name, (_, width, count) in self.groups.items() if width == 1}
        return tuple(counts.get(name, 0) for name in self.names)

    @property
    def groups(self) -> Mapping[str, tuple[str, float, int]]:
        """The columns of the matrix that fall into groups: their title, width and number."""
        known = {name: (name, 1.0, len(names)) for name, names in self.vocabulary.items()}
        return {name: _GROUPS[name] for name in self.calendar} | known

    @property
    def vocabulary(self) -> Mapping[str, tuple[str, ...]]:
        """The known categories of each column, in order of their codes."""
        return dict(zip(self.categorical, self.vocabularies, strict=True))

    def source(self, name: str) -> str:
        """Return the raw column that a column of the matrix is made of."""
        return self.time if name in self.calendar and self.time else name

    def encode(self, rows: Rows) -> Matrix:
        """Return (rows, len(names)) floats; a missing number or unknown category is NaN."""
        blocks = [
            *(self._calendar(rows, part) for part in self.calendar),
            *(_codes(rows[name], known) for name, known in self.vocabulary.items()),
            *(np.asarray(rows[name], dtype=np.float64) for name in self.numeric),
        ]
        return np.stack(blocks, axis=1)

    def _calendar(self, rows: Rows, part: str) -> Vector:
        time = np.asarray(rows[self.time or ""], dtype="datetime64[m]")
        return np.where(np.isnat(time), np.nan, CALENDAR[part](time))

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Encoder:
        """Make the encoder again from what `to_json` returned."""
        return cls(
            time=values["time"],
            calendar=tuple(values["calendar"]),
            categorical=tuple(values["categorical"]),
            vocabularies=tuple(map(tuple, values["vocabularies"])),
            numeric=tuple(values["numeric"]),
        )


def fit_encoder(
    rows: Rows,
    numeric: Sequence[str],
    categorical: Sequence[str],
    time: str | None,
    calendar: Sequence[str],
) -> Encoder:
    """Learn the categories of the training rows, in alphabetical order."""
    vocabularies = tuple(_vocabulary(rows[name]) for name in categorical)
    return Encoder(time, tuple(calendar), tuple(categorical), vocabularies, tuple(numeric))


def _vocabulary(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(sorted({value for value in _distinct(values)[1] if isinstance(value, str)}))


def _codes(values: Iterable[object], known: Sequence[str]) -> Vector:
    code: dict[object, float] = {name: float(place) for place, name in enumerate(known)}
    places, distinct = _distinct(values)
    codes: Vector = np.array([*(code.get(value, np.nan) for value in distinct), np.nan])
    return codes[places]


def _distinct(values: Any) -> tuple[npt.NDArray[np.intp], list[object]]:
    """Return each value's place among the distinct ones, and these; pandas says -1 for missing."""
    if hasattr(values, "factorize"):
        places, distinct = values.factorize()
        return places, distinct.tolist()
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return np.arange(len(plain)), plain
