"""Many rows at once against what the model asks for: the good as columns, the bad with reasons."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..data import values
from ..data.values import Mask
from ..modeling.signature import Field

if TYPE_CHECKING:
    import pyarrow as pa


class Sifted(NamedTuple):
    """The columns of the good rows, which rows these are, and the bad with their first reason."""

    columns: dict[str, np.ndarray]
    good: Mask
    faults: list[tuple[int, str, str]]
    """(row in the piece, column, reason), in order of the rows."""


class Familiar:
    """Which columns had a category that the model knows, while rows go by piece by piece."""

    def __init__(self, inputs: Sequence[Field]) -> None:
        self._known = {it.name: frozenset(it.known) for it in inputs if it.known}
        self.strange: set[str] = set()
        """The columns that had categories, and none of them is known."""

    def see(self, columns: Mapping[str, np.ndarray]) -> None:
        """Take the columns of some rows; one that is found familiar is not looked at again."""
        for name, known in [*self._known.items()]:
            categories = columns[name].tolist()
            if not known.isdisjoint(categories):
                del self._known[name]
                self.strange.discard(name)
            elif any(it is not None for it in categories):
                self.strange.add(name)


def sift(rows: "pa.RecordBatch", inputs: Sequence[Field]) -> Sifted:
    """Hold rows against the rules; a value is never cast to what it does not say."""
    columns: dict[str, np.ndarray] = {}
    reasons: dict[int, tuple[str, str]] = {}
    for it in inputs:
        read = _READERS.get(it.type, values.number)
        columns[it.name], faults = read(values.plain(rows.column(it.name)), it)
        for wrong, reason in faults:
            for row in np.flatnonzero(wrong).tolist():
                reasons.setdefault(row, (it.name, reason))
    good = np.ones(rows.num_rows, dtype=bool)
    good[list(reasons)] = False
    if not good.all():
        columns = {name: found[good] for name, found in columns.items()}
    return Sifted(columns, good, [(row, *reasons[row]) for row in sorted(reasons)])


_WHOLE = {"long": values.whole, "integer": values.whole}
_READERS = {"string": values.text, "datetime": values.time, "boolean": values.boolean, **_WHOLE}
