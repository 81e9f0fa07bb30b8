"""Rows with what models say of them, and with all that tells which of them belong together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..core.params import Data
from ..data.arrays import Vector
from ..modeling.dataset import weights
from .bootstrap import Numbers, Sample
from .metrics import Metric

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scored:
    """The rows of a part with one score for each model: the model itself and the baselines."""

    target: Vector
    times: np.ndarray | None
    scores: Mapping[str, Vector]
    groups: Numbers | None = None
    """The number of each row's group (rows,); None where nothing tells it."""
    weight: Vector | None = None
    """How much each row counts (rows,); None where all count alike."""
    calls: Mapping[str, Vector] = field(default_factory=dict)
    """What each model calls (rows,), 0 or 1, where it is asked for."""

    def given(self, metric: Metric) -> Mapping[str, Vector]:
        """Return what a metric is asked of, for each model: calls or scores."""
        return self.calls if metric.of_calls else self.scores

    @classmethod
    def from_rows(cls, data: Data, rows: "pd.DataFrame", scores: Mapping[str, Vector]) -> "Scored":
        """Return rows with the scores of models, and with all that the params know of a row."""
        return cls(
            rows[data.target].to_numpy(np.float64),
            rows[data.time].to_numpy() if data.time else None,
            scores,
            rows[data.group].factorize()[0] if data.group else None,
            weights(rows, data.weight),
        )

    def of(self, keep: np.ndarray) -> "Scored":
        """Return the rows that a (rows,) mask keeps."""
        return Scored(
            self.target[keep],
            None if self.times is None else self.times[keep],
            {name: score[keep] for name, score in self.scores.items()},
            None if self.groups is None else self.groups[keep],
            None if self.weight is None else self.weight[keep],
            {name: called[keep] for name, called in self.calls.items()},
        )

    def values(self, metric: Metric, score: Vector, on: Sample) -> Vector:
        """Return a metric of scores at each of a sample's weights."""
        return on.values(lambda block: metric.by_block(self.target, score, block, self.weight))

    def mean(self, values: Vector) -> float:
        """Return the mean of values (rows,) by the weights of the rows."""
        return float(np.average(values, weights=self.weight))
