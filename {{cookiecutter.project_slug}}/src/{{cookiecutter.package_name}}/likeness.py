"""How like two models are in what they predict, where their bytes are not the same."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import carried

if TYPE_CHECKING:
    import pandas as pd

_TOLERANCE = 1e-6
"""Relative: what other last bits in linear algebra make of a prediction, with room to spare."""


def of(ours: Path, theirs: Path, rows: "pd.DataFrame") -> str | None:
    """Return in words how alike the predictions of two model directories are, None where not."""
    here, there = (carried.load(folder).scores(rows) for folder in (ours, theirs))
    if np.array_equal(here, there):
        return "identical predictions"
    apart = float(np.max(np.abs(here - there) / np.maximum(np.abs(there), 1e-9)))
    if apart <= _TOLERANCE:
        return f"within tolerance (predictions at most {apart:.1e} apart)"
    return None
