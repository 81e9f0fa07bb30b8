"""The types of what models are given and give: matrices, vectors, and columns by name."""

from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Matrix: TypeAlias = npt.NDArray[np.float64]
Vector: TypeAlias = npt.NDArray[np.float64]


class Rows(Protocol):
    """Columns by name: a pandas data frame, or a mapping of equally long sequences."""

    def __getitem__(self, name: str, /) -> Any: ...
