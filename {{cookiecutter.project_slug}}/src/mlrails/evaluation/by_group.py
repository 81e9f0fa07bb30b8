"""How a model does on each class, and on each group of a sensitive column, against the rest.

A group is held against all other rows, and not against all: so what a gap means does not hang on
how large the group is, and it is one number where there are two. The widest gap of many groups
would be wide by chance alone, so each is told for itself. All of them are drawn in the same blocks,
since both sides of a gap share their days.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.config import Measure as Name
from ..core.layout import Part
from ..core.params import Evaluation, Params, Task
from ..data import sensitive
from ..data.arrays import Vector
from ..modeling import classes
from ..modeling.classes import Classes
from . import outcomes
from .bootstrap import Draws, Numbers, OfDraws, Sample
from .diagnostics import calibration, calibration_error, threshold_of
from .metrics import BIAS, OF_CLASS, Metric
from .scored import Scored, coded, labels

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 6
LEAST = 50
"""Fewer rows that a rate is a share of, such as events of a group, say nothing of it."""


def of_classes(
    rows: Mapping[Part, Vector], test: Scored, on: Sample, known: Classes, rules: Evaluation
) -> Mapping[str, Any]:
    """Return what is found of every class, in order of their numbers, and which are not `known`.

    `rows` are the numbers of classes of each part's rows (rows,); `test` are the test rows with the
    probabilities (rows, classes) of one model.
    """
    every, (score,) = test.classes, test.scores.values()
    called = classes.likeliest(score)
    counts = {
        part: np.bincount(it.astype(np.int64), minlength=len(every)).tolist()
        for part, it in rows.items()
    }
    found = []
    for place, name in enumerate(every):
        event, call = ((it == place).astype(np.float64) for it in (test.target, called))
        one = replace(test, target=event, scores={}, classes=())
        about = _of_class(one, call, score[:, place], on, rules)
        found.append(
            {"name": name, "rows": {part: counts[part][place] for part in counts}, **about}
        )
    return {"classes": found, "strangers": outcomes.strangers(known, every, test.target)}


def _of_class(
    rows: Scored, call: Vector, score: Vector, on: Sample, rules: Evaluation
) -> Mapping[str, Any]:
    def figure(metric: Metric, of: Vector) -> Mapping[str, float]:
        return rows.figure(metric, of, on, rules.confidence).rounded()

    curve = calibration(rows.target, score)
    return {
        "target": round(rows.mean(rows.target), _DIGITS),
        "score": round(rows.mean(score), _DIGITS),
        "called": int(call.sum()),
        "bias": figure(BIAS, score),
        **{it.name: figure(it, score if it.name == "roc_auc" else call) for it in OF_CLASS},
        "calibration": curve,
        "calibration_error": round(calibration_error(curve), _DIGITS),
    }


class Measure(NamedTuple):
    """What the rows of a group are told by: the mean of something over those that it is asked of.

    `ratio` gives both of each row (rows,), of the target, the score and the call.
    """

    name: Name
    title: str
    ratio: Callable[[Vector, Vector, Vector], tuple[Vector, Vector]]


_CALIBRATION = Measure(
    "calibration", "Calibration", lambda y, score, _: (score - y, np.ones(len(y)))
)
MEASURES: Mapping[Task, Sequence[Measure]] = {
    Task.CLASSIFICATION: (
        Measure("selection_rate", "Selection rate", lambda y, _, call: (call, np.ones(len(y)))),
        Measure("tpr", "True positive rate", lambda y, _, call: (call * y, y)),
        Measure("fpr", "False positive rate", lambda y, _, call: (call * (1 - y), 1 - y)),
        _CALIBRATION,
    ),
    # Nobody is called; of several classes it is the likeliest that has a probability to hold.
    Task.REGRESSION: (_CALIBRATION,),
    Task.MULTICLASS: (_CALIBRATION,),
}


class Group(NamedTuple):
    """The rows of a column's label: a mask (rows,)."""

    column: str
    label: str
    keep: np.ndarray

    @property
    def title(self) -> str:
        """What it is called beside others."""
        return f"{self.column} = {self.label}"


def groups_of(columns: Mapping[str, np.ndarray]) -> Iterator[Group]:
    """Yield the groups of each column of labels (rows,), the largest first."""
    for name, values in columns.items():
        codes, found = coded(labels(values))
        largest = np.argsort(-np.bincount(codes, minlength=len(found)), kind="stable")
        # One mask at a time: all of them are as many bytes as rows times groups.
        yield from (Group(name, str(found[code]), codes == code) for code in largest)


@dataclass(frozen=True)
class Rates:
    """A measure of a model's rows: what is added up, and what it is a share of, both (rows,)."""

    top: Vector
    bottom: Vector

    @classmethod
    def of(cls, measure: Measure, scored: Scored, model: str) -> "Rates":
        """Return a measure of one model's scores and calls."""
        target, score = outcomes.plain(scored.target, scored.scores[model])
        called = scored.calls[model] if measure is not _CALIBRATION else score
        weight = 1.0 if scored.weight is None else scored.weight
        top, bottom = measure.ratio(target, score, called)
        return cls(top * weight, bottom * weight)

    def rows(self, keep: np.ndarray) -> int:
        """Return of how many rows of a mask it is a share."""
        return int(np.sum(keep & (self.bottom > 0)))

    def values(self, keep: np.ndarray, on: Sample) -> Vector:
        """Return the measure of a mask's rows at each of a sample's weights."""

        def prepare(block: Numbers) -> OfDraws:
            top, bottom = (np.bincount(block, it * keep) for it in (self.top, self.bottom))

            def of(drawn: Draws) -> Vector:
                with np.errstate(divide="ignore", invalid="ignore"):
                    found: Vector = (drawn @ top) / (drawn @ bottom)
                    return found

            return of

        return on.values(prepare)

    def gap(self, keep: np.ndarray, on: Sample) -> Vector:
        """Return by how much a mask's rows are above all others, at each of a sample's weights."""
        return self.values(keep, on) - self.values(~keep, on)


def of_sensitive(
    params: Params,
    rows: "pd.DataFrame",
    test: Scored,
    threshold: float | None,
    draw: Callable[[Scored, Evaluation, int], Sample],
) -> Mapping[str, Any]:
    """Return what is found of the groups of sensitive columns; nothing where there are none.

    `rows` are the test rows, and `test` the same with the scores of one model.
    """
    columns = sensitive.groups(rows, params)
    if not columns:
        return {}
    (model,), rules = test.scores, params.evaluation
    if params.task is Task.CLASSIFICATION:
        test = test.calling({model: threshold_of(threshold)})
    on, plain = draw(test, rules, params.seed), test.plain(model)
    rates = {it.name: Rates.of(it, test, model) for it in MEASURES[params.task]}
    told: dict[str, list[Mapping[str, Any]]] = {name: [] for name in columns}
    for it in groups_of(columns):
        part = plain.of(it.keep)
        means = {"target": part.mean(part.target), "score": part.mean(part.scores[model])}
        told[it.column].append(
            {
                "name": it.label,
                "rows": int(it.keep.sum()),
                **{name: round(mean, _DIGITS) for name, mean in means.items()},
                **{name: _of_group(of, it.keep, on, rules) for name, of in rates.items()},
            }
        )
    return {"fairness": told}


def _of_group(
    rates: Rates, keep: np.ndarray, on: Sample, rules: Evaluation
) -> Mapping[str, Mapping[str, float] | None]:
    """Return a group's figure and its gap, each None where too few rows tell it."""
    here, others = rates.rows(keep), rates.rows(~keep)
    figure = on.alone(rates.values(keep, on), rules.confidence) if here >= LEAST else None
    gap = None
    if min(here, others) >= LEAST:
        gap = on.paired(rates.gap(keep, on), rules.confidence).figure
    return {
        "figure": figure.rounded() if figure else None,
        "gap": gap.rounded() if gap else None,
    }
