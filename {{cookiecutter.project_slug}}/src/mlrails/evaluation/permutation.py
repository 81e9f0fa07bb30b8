"""By how much a model gets worse when a column that it sees tells nothing any more."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.params import Params
from ..data.arrays import Rows, Vector
from ..modeling.dataset import weights
from ..modeling.protocols import Model
from . import diagnostics, outcomes
from .diagnostics import threshold_of
from .metrics import Metric
from .scored import called

if TYPE_CHECKING:
    import pandas as pd

_ROWS_FOR_IMPORTANCE = 5_000
"""Enough to rank columns, and a tenth of the time that all rows would take."""


def importance(
    params: Params, model: Model, rows: "pd.DataFrame", metric: Metric
) -> Mapping[str, Any]:
    """Return the permutation importance of each raw column on a sample of the test rows."""
    sample = rows.sample(min(len(rows), _ROWS_FOR_IMPORTANCE), random_state=params.seed)
    every = outcomes.every(model, sample[params.data.target])
    target = outcomes.numbers(sample[params.data.target], every)
    sign = -1 if metric.higher_is_better else 1

    weight, cut = weights(sample, params.data.weight), threshold_of(model.threshold)

    def worse(scores: Vector) -> float:
        given = called(scores, cut) if metric.of_calls else scores
        return sign * metric.whole(target, given, weight)

    # What is made of one raw column is shuffled together, so rows need to be encoded only once.
    encoder, encoded = model.encoder, model.encoder.encode(sample)
    sources = np.array([encoder.source(name) for name in encoder.names])
    places = {column: np.flatnonzero(sources == column) for column in encoder.columns}

    def predict(blocks: Rows) -> Vector:
        rows = max(map(len, (blocks[it] for it in encoder.columns)), default=len(encoded))
        matrix = np.tile(encoded, (rows // len(encoded), 1))  # As often as there are repeats.
        for column, place in places.items():
            matrix[:, place] = blocks[column]
        return outcomes.scores_of(model, matrix, every)

    blocks = {column: encoded[:, place] for column, place in places.items()}
    return diagnostics.importance(blocks, encoder.columns, predict, worse, params.seed)
