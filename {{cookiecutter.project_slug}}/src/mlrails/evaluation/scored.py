"""Rows with what models say of them, and with all that tells which of them belong together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..core.params import Data
from ..data.arrays import Vector
from ..modeling.classes import Classes
from ..modeling.dataset import weights
from . import outcomes
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
    classes: Classes = ()
    """What the numbers of the target and the columns of the scores stand for, where they do."""

    def given(self, metric: Metric) -> Mapping[str, Vector]:
        """Return what a metric is asked of, for each model: calls or scores."""
        return self.calls if metric.of_calls else self.scores

    @classmethod
    def from_rows(
        cls,
        data: Data,
        rows: "pd.DataFrame",
        scores: Mapping[str, Vector],
        classes: Classes = (),
    ) -> "Scored":
        """Return rows with the scores of models, and with all that the params know of a row."""
        return cls(
            outcomes.numbers(rows[data.target], classes),
            rows[data.time].to_numpy() if data.time else None,
            scores,
            rows[data.group].factorize()[0] if data.group else None,
            weights(rows, data.weight),
            classes=classes,
        )

    def of(self, keep: np.ndarray) -> "Scored":
        """Return the rows that a (rows,) mask keeps."""
        return replace(
            self,
            target=self.target[keep],
            times=None if self.times is None else self.times[keep],
            scores={name: score[keep] for name, score in self.scores.items()},
            groups=None if self.groups is None else self.groups[keep],
            weight=None if self.weight is None else self.weight[keep],
            calls={name: called[keep] for name, called in self.calls.items()},
        )

    def plain(self, name: str) -> "Scored":
        """Return the rows with one model's scores, as what has a mean (outcomes.py)."""
        target, score = outcomes.plain(self.target, self.scores[name])
        return replace(self, target=target, scores={name: score}, classes=())

    def values(self, metric: Metric, score: Vector, on: Sample) -> Vector:
        """Return a metric of scores at each of a sample's weights."""
        return on.values(lambda block: metric.by_block(self.target, score, block, self.weight))

    def mean(self, values: Vector) -> float:
        """Return the mean of values (rows,) by the weights of the rows."""
        return float(np.average(values, weights=self.weight))
