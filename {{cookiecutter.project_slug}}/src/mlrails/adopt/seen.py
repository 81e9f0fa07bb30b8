"""A column as it was found, and what all columns of a table share."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..data.reading import Reading
from ..data.schema import Kind

What = Literal[
    "number", "category", "boolean", "time", "clock", "free text", "identifier", "constant"
]
NEARLY, FEW = 0.95, 20
"""A column of so many different values, and at least so many rows, names its rows."""


@dataclass(frozen=True)
class Seen:
    """A column as it was found."""

    name: str
    what: What
    kind: Kind
    why: str
    rows: int
    missing: int
    distinct: int
    """Different values, a missing one not counted."""
    values: Any
    """Numbers as 64-bit floats, times as such, booleans, all else as text."""
    whole: bool = False
    minimum: float | None = None
    maximum: float | None = None
    form: str | None = None
    """How times are written, where it is not as the engine reads them."""

    note: str = ""
    """What else is to be told, and is no reason."""

    @property
    def numbers(self) -> np.ndarray:
        """Return (rows,) floats, NaN where one is missing."""
        return np.asarray(self.values.to_numpy(), dtype=np.float64)


@dataclass(frozen=True)
class Look:
    """What all columns of a table share: how it is read, and what may be told of its rows."""

    where: str
    how: Reading
    shown: bool
    """Whether values of rows may be printed: logs of a public repository are public."""
    target: str | None = None
    floats: Mapping[str, Any] = field(default_factory=dict)
    """The columns that have been read as numbers already."""

    def here(self, name: str) -> str:
        """Return the words before a sentence on a column."""
        return f"{self.where}: column {name!r}"

    def cell(self, value: object) -> str:
        """Return a value in brackets, or nothing where logs are public."""
        text = str(value)
        return f" ({text[:40] + ('…' if len(text) > 40 else '')!r})" if self.shown else ""


_CORES = 4
"""More at once would hold too many copies of columns."""


def each(look: Callable[[Any], Any], columns: Iterable[Any]) -> list[Any]:
    """Return what a look at each of many columns finds, on several cores, in their order.

    Of those that raise, the first one is raised. Arrow and numpy let other threads work meanwhile.
    """
    import pyarrow as pa

    with ThreadPoolExecutor(min(_CORES, pa.cpu_count())) as threads:
        return [*threads.map(look, columns)]
