"""How like two models are in what they predict, where their bytes are not the same."""

from typing import TYPE_CHECKING

import numpy as np

from . import isolation
from .checked_copy import Model

if TYPE_CHECKING:
    import pandas as pd


_TOLERANCE = 0.05
"""Of the spread of the predictions: five times what other instructions, another library below or
fewer bits were seen to make of one network, and a fifth of what another seed does."""


def likeness(ours: Model, theirs: Model, rows: "pd.DataFrame", exact: bool) -> str | None:
    """Return in words how alike the predictions of two model directories are, None where not.

    Where machines make the same model to the bit (`exact`), nothing is tolerated.
    """
    here, there = (isolation.load(*model).scores(rows) for model in (ours, theirs))
    if np.array_equal(here, there):
        return "identical predictions"
    # Of several classes the mean over them: a rare one hardly spreads, and hardly counts.
    varied = np.var([here, there], axis=1).reshape(2, -1).mean(axis=1)
    apart, spread = np.abs(here - there), np.sqrt(varied).min()
    typical = float(np.sqrt(np.mean(np.square(apart))))
    if exact or not typical <= _TOLERANCE * spread:
        return None
    return (
        f"within tolerance (predictions are {typical / spread:.1g} of their spread apart, "
        f"{apart.max():.1g} at most)"
    )
