"""How much better one model is than another on the same rows, and how sure that is.

The difference is paired: both are scored on the same drawn blocks, so what is hard for both falls
out. It is above zero where the first model is better, whichever way the metric goes.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..core.params import Unit
from ..data.arrays import Vector
from . import bootstrap
from .bootstrap import Numbers, Sample, Times
from .metrics import BIAS, Metric

POWER = 0.8
"""How often as much as is said to decide does decide, where the difference is the true one."""


@dataclass(frozen=True)
class Comparison:
    """A difference, the ends of its interval, and what it was seen on."""

    value: float
    low: float
    high: float
    size: int
    """How many units were seen."""
    rows: int
    error: float = 0.0
    """The standard error that the interval is made with."""
    unit: Unit = Unit.DAY
    """What was drawn: days, groups, or rows where nothing tells which belong together."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values; days are None where none were drawn."""
        told = asdict(self)
        unit, size = told.pop("unit"), told.pop("size")
        groups = {"groups": size} if unit is Unit.GROUP else {}
        ends = {name: told.pop(name) for name in ("value", "low", "high")}
        return {**ends, "days": size if unit is Unit.DAY else None, **told, **groups}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Comparison":
        """Return what `to_json` told; raises KeyError or TypeError."""
        found = dict(told)
        sizes = {Unit.DAY: found.pop("days"), Unit.GROUP: found.pop("groups", None)}
        sizes[Unit.ROW] = found["rows"]
        unit = next(it for it, size in sizes.items() if size is not None)
        return cls(**found, size=sizes[unit], unit=unit)

    def to_decide(self, margin: float) -> float:
        """Return how much has to be seen for the interval to leave −margin out, at `POWER`.

        That is the sample size of a non-inferiority test (Julious 2004, doi:10.1002/sim.1783): an
        interval shrinks with the root of what was seen, and its end must stay on this side of the
        margin in spite of the luck of the next rows.
        """
        from scipy import special

        distance = abs(self.value + margin)
        reach = (self.high - self.low) / 2 + float(special.ndtri(POWER)) * self.error
        if not distance or not math.isfinite(reach):
            return math.inf
        return math.ceil(self.size * (reach / distance) ** 2)


@dataclass(frozen=True)
class Rows:
    """Rows to compare models on: the target (rows,), the blocks that are drawn, and weights."""

    target: Vector
    sample: Sample
    weight: Vector | None = None

    def values(self, metric: Metric, scores: Vector) -> Vector:
        """Return a model's metric at each of the sample's weights."""
        return self.sample.values(
            lambda block: metric.by_block(self.target, scores, block, self.weight)
        )

    def compare(self, values: Vector, confidence: float) -> Comparison:
        """Return a difference that is known at each of the sample's weights."""
        found = self.sample.paired(values, confidence)
        ends, seen = found.figure, found.blocks
        size = seen.units, len(self.target)
        return Comparison(ends.value, ends.low, ends.high, *size, found.error, seen.unit)

    def nothing(self) -> Comparison:
        """Return what is known where there are no rows."""
        return Comparison(math.nan, math.nan, math.nan, 0, 0, unit=self.sample.kinds[0].unit)


def rows(
    target: Vector,
    times: Times | None,
    draw: int,
    seed: int,
    groups: Numbers | None = None,
    weight: Vector | None = None,
) -> Rows:
    """Return rows with `draw` resamples of the days, groups or rows that they are of."""
    return Rows(target, bootstrap.sample(len(target), times, draw, seed, groups=groups), weight)


def gain(metric: Metric, of: Vector, over: Vector, on: Rows, confidence: float) -> Comparison:
    """Return how much better the scores `of` (rows,) are than the scores `over` (rows,)."""
    sign = 1 if metric.higher_is_better else -1
    return on.compare(sign * (on.values(metric, of) - on.values(metric, over)), confidence)


def more_biased(of: Vector, over: Vector, on: Rows, confidence: float) -> Comparison:
    """Return by how much the mean of the scores `of` is further off the target's mean."""
    ours, theirs = (np.abs(on.values(BIAS, scores)) for scores in (of, over))
    return on.compare(ours - theirs, confidence)


def bias(of: Vector, on: Rows, confidence: float) -> Comparison:
    """Return by how much the mean of the scores `of` is above the target's mean."""
    return on.compare(on.values(BIAS, of), confidence)
