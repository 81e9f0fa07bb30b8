"""By how much a model gets worse when a column that it sees tells nothing any more."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.params import Params
from ..data.arrays import Rows, Vector
from ..modeling.dataset import weights
from ..modeling.protocols import Model
from . import bootstrap, diagnostics, outcomes
from .diagnostics import threshold_of
from .metrics import Metric
from .scored import called

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS, _FEWEST_ROWS = 5_000, 1_000
"""Enough to rank columns, and a tenth of the time that all rows would take."""
_CELLS = 500_000
"""Of all columns together: each costs predictions of all rows, and a table may have 2,000."""
_DRAWS = 200
"""Of blocks, for the interval of each column: enough for a standard error."""


def importance(
    params: Params, model: Model, rows: "pd.DataFrame", metric: Metric
) -> Mapping[str, Any]:
    """Return the permutation importance of each raw column on a sample of the test rows."""
    enough = rows_enough(len(model.encoder.columns))
    sample = rows.sample(min(len(rows), enough), random_state=params.seed)
    drawn = _Drawn(params, sample) if params.evaluation.importance == "interval" else None
    every = outcomes.every(model, sample[params.data.target])
    target = outcomes.numbers(sample[params.data.target], every)
    sign = -1 if metric.higher_is_better else 1

    weight, cut = weights(sample, params.data.weight), threshold_of(model.threshold)

    def worse(scores: Vector) -> float | Vector:
        given = called(scores, cut) if metric.of_calls else scores
        if drawn is None:
            return sign * metric.whole(target, given, weight)
        return sign * drawn.on.values(lambda it: metric.by_block(target, given, it, weight))

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
    ends = drawn.ends if drawn else None
    return diagnostics.importance(blocks, encoder.columns, predict, worse, params.seed, ends=ends)


def rows_enough(columns: int) -> int:
    """Return how many rows tell the importance of so many columns in a time that one would wait."""
    return max(_FEWEST_ROWS, min(_MOST_ROWS, _CELLS // max(1, columns)))


class _Drawn:
    """How the sample's days, groups or rows are drawn for an interval."""

    def __init__(self, params: Params, sample: "pd.DataFrame") -> None:
        data, self._confidence = params.data, params.evaluation.confidence
        times = sample[data.time].to_numpy() if data.time else None
        groups = sample[data.group].factorize()[0] if data.group else None
        draws = min(_DRAWS, params.evaluation.resamples)
        self.on = bootstrap.sample(len(sample), times, draws, params.seed, groups=groups)

    def ends(self, losses: Vector) -> Mapping[str, float]:
        """Return the ends of the interval of a loss, which is known at each draw."""
        found = self.on.paired(losses, self._confidence).figure
        return {"low": found.low, "high": found.high}
