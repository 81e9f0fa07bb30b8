"""Rows with what models say of them: scores, calls from a threshold on, and what calls cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.layout import Part
from ..core.params import Costs, Data, Evaluation, Params
from ..data.arrays import Vector
from ..modeling.classes import Classes
from ..modeling.dataset import weights
from . import outcomes
from .bootstrap import Figure, Numbers, Sample
from .catalogue import cost
from .diagnostics import above_all, choose_threshold, thinned
from .metrics import Metric

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 6

MISSING = "missing"
"""What the group of rows without a category is called."""


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
    """What each model calls (rows,), 0 or 1, or (rows, classes), where it is asked for."""
    classes: Classes = ()
    """What the numbers of the target and the columns of the scores stand for, where they do."""

    def given(self, metric: Metric) -> Mapping[str, Vector]:
        """Return what a metric is asked of, for each model: calls or scores."""
        return self.calls if metric.of_calls else self.scores

    def calling(self, cuts: Mapping[str, float]) -> "Scored":
        """Return the rows with what each model calls at its threshold."""
        return replace(self, calls={it: called(self.scores[it], cut) for it, cut in cuts.items()})

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

    def figure(self, metric: Metric, score: Vector, on: Sample, confidence: float) -> Figure:
        """Return a metric of scores with its interval, cut to what the metric can be."""
        found = on.alone(self.values(metric, score, on), confidence)
        return found.within(metric.least, metric.most)

    def mean(self, values: Vector) -> float:
        """Return the mean of values (rows,) by the weights of the rows, NaN where none weighs."""
        if self.weight is not None and not self.weight.any():
            return float("nan")
        return float(np.average(values, weights=self.weight))


def called(score: Vector, threshold: float) -> Vector:
    """Return what is called (rows,), 0 or 1, of scores from a threshold on."""
    return np.where(score >= threshold, 1.0, 0.0)


def thresholds(
    metric: Metric,
    rules: Evaluation,
    target: Vector,
    scores: Mapping[str, Vector],
    weight: Vector | None = None,
) -> dict[str, float]:
    """Return the threshold of each of some models, by their scores of validation rows (rows,).

    It is chosen by the rule that the model's is chosen by. A constant calls everybody or nobody, as
    is better by the metric.
    """

    def threshold(score: Vector) -> float:
        if score.min() < score.max():
            return choose_threshold(rules.threshold, target, score, rules.costs, weight)
        return -np.inf if metric.hardest_call(target, weight)[0] else np.inf

    return {name: threshold(score) for name, score in scores.items()}


def costs_at_thresholds(
    target: Vector, score: Vector, threshold: float, costs: Costs, weight: Vector | None = None
) -> Mapping[str, Any]:
    """Return what calls cost for each row of these (rows,), at the threshold and at others.

    Were every probability right, the cheapest threshold would be where what a call costs if it is
    wrong meets what it saves if it is right (Elkan 2001, "The foundations of cost-sensitive
    learning"). `cost_curve` is over all thresholds.
    """
    marks = np.unique(np.append(score, above_all(score)))
    marks = marks[thinned(len(marks))]
    cuts = {
        "model": threshold,
        "balance": costs.false_alarm / (costs.false_alarm + costs.miss),
        "everybody": float(score.min()),
        "nobody": above_all(score),
        "hindsight": choose_threshold("cost", target, score, costs, weight),
    }

    def at_threshold(cut: float) -> Mapping[str, float]:
        return _at_threshold(target, called(score, cut), cut, costs, weight)

    return {
        **costs.model_dump(),
        "thresholds": {name: at_threshold(cut) for name, cut in cuts.items()},
        "cost_curve": {
            "x": marks.tolist(),
            "y": [at_threshold(cut)["cost"] for cut in marks],
        },
    }


def _at_threshold(
    target: Vector, made: Vector, cut: float, costs: Costs, weight: Vector | None
) -> Mapping[str, float]:
    return {
        "threshold": round(float(cut), _DIGITS),
        "false_alarms": int(np.sum((target <= 0) & (made > 0))),
        "missed": int(np.sum((target > 0) & (made <= 0))),
        "cost": round(cost(costs).whole(target, made, weight), _DIGITS),
    }


def months(rows: "pd.DataFrame", time: str | None) -> np.ndarray:
    """Return the name of each row's month (rows,); without time all rows are of one."""
    if time is None:
        return np.full(len(rows), "all")
    found = rows[time].to_numpy().astype("datetime64[M]")
    names, of_row = np.unique(found.astype(np.int64), return_inverse=True)
    return names.astype("datetime64[M]").astype(str).astype(object)[of_row]


def labels(categories: Iterable[object]) -> np.ndarray:
    """Return the name of each row's group (rows,), whole; rows without a category are one too."""
    codes, found = coded(categories)
    missing = MISSING if MISSING not in found else f"({MISSING})"
    named = [it if isinstance(it, str) else missing for it in (*found, None)]
    texts = np.array(named, dtype=object)  # An array of text would drop a last "\0".
    of_rows: np.ndarray = texts[codes]
    return of_rows


def coded(values: Iterable[object]) -> tuple[np.ndarray, np.ndarray]:
    """Return each value's number, the last one (−1) where there is none, and the sorted values."""
    import pandas as pd

    return pd.factorize(np.asarray(values, dtype=object), sort=True)


def described(
    params: Params, rows: "Mapping[Part, pd.DataFrame]", scored: Mapping[Part, Scored]
) -> Mapping[Part, Mapping[str, Any]]:
    """Return what is known of the rows of each part, and which test groups are no new ones."""
    found = {part: _describe(params, frame, scored[part]) for part, frame in rows.items()}
    if group := params.data.group:
        seen, new = (rows[part][group].drop_duplicates() for part in ("train", "test"))
        found["test"]["known_groups"] = int(new.isin(seen).sum())
    return found


def _describe(params: Params, rows: "pd.DataFrame", scored: Scored) -> dict[str, Any]:
    times, group = rows[params.data.time] if params.data.time else None, params.data.group
    return {
        "rows": len(rows),
        **_of_target(scored),
        "from": None if times is None else f"{times.min():%Y-%m-%d}",
        "to": None if times is None else f"{times.max():%Y-%m-%d}",
        "days": None if times is None else int(times.dt.normalize().nunique()),
        **({"groups": int(rows[group].nunique())} if group else {}),
    }


def _of_target(scored: Scored) -> Mapping[str, float | int | None]:
    """Return the mean of the target, or how many classes the rows have."""
    if scored.classes:
        return {"target": None, "classes": len(np.unique(scored.target))}
    return {"target": round(scored.mean(scored.target), _DIGITS)}
