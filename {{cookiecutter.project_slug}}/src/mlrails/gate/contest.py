"""Who meets on which rows: the test rows that no rival was trained on, and everybody's scores.

The rows are those of today's params, read from the raw table, as the champion may need columns that
today's model has left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core import layout
from ..core.errors import counted
from ..core.params import FILE, Params, Task
from ..data import parquet, sensitive, splits
from ..data.arrays import Vector
from ..evaluation import declared, outcomes, selection
from ..evaluation.baselines import MIDDLES, Middle, class_mix, weighed
from ..evaluation.metrics import METRICS, Metric
from ..evaluation.own import Own
from ..evaluation.scored import Scored, labels
from ..modeling.checked_copy import Model
from ..modeling.dataset import weights
from ..pipeline.candidate import Candidate
from ..registry.versions import Version
from . import predictions
from .bounds import advice, choices
from .checks import Contest
from .verdict import CHALLENGER, CONSTANT, Check

if TYPE_CHECKING:
    import pandas as pd


_NONE = Own()


def rows(raw: "pd.DataFrame", candidate: Candidate, rivals: Iterable[Version]) -> "pd.DataFrame":
    """Return the test rows of the raw table that none of the rivals has been trained on."""
    rows = raw[splits.label(raw, candidate.params) == "test"]
    params = candidate.params
    here, time = candidate.place.split_digest(params), params.data.time
    for rival in rivals:
        if rival.tags.get("split_digest") != here:
            # Without a time nobody can tell which rows another split has used.
            seen = rival.tags.get("seen_until") if time else None
            fresh = rows[time].dt.strftime("%Y-%m-%d") > seen if seen else np.zeros(len(rows), bool)
            rows = rows[fresh]
    chosen: pd.DataFrame = rows
    return chosen


def left_out(
    raw: "pd.DataFrame", candidate: Candidate, rows: "pd.DataFrame", least: int
) -> Iterator[str]:
    """Tell why fewer days of test rows are left than the gate asks for, and what brings more."""
    params, time = candidate.params, candidate.params.data.time
    if time is None:
        return
    labels, days = splits.label(raw, params), raw[time].dt.date
    test, kept = days[labels == "test"], days[labels == splits.FINAL].nunique()
    left, every = rows[time].dt.date.nunique(), test.nunique()
    lacking = least - left
    if left == every or lacking <= 0:
        return
    seen = f"{every - left} of the {every} days of test rows ({test.min()} to {test.max()})"
    enough = params.split.by == "time" and kept > lacking
    shorter = f"shorten `split.final` ({params.split.final}) by as many, or " if enough else ""
    on = f" and move `data.until` in {FILE} on" if params.data.until else ""
    yield (
        f"{seen} are left out, as a champion of another split may have learnt of them; {left} are "
        f"left and `gate.days` asks for {least}, so it takes {counted(lacking, 'later day')} at "
        f"least: {shorter}bring later rows{on}"
    )


def same_holdout(raw: "pd.DataFrame", params: Params, bounds: Params) -> Check:
    """Fail where the params would choose other test rows than the bounds do."""
    time = params.data.time
    last = raw[time].max().date() if time else None
    found = list(choices(params, bounds, last))
    return Check("same holdout", not found, None, None, advice(found))


def contest(
    root: Path,
    candidate: Candidate,
    rivals: Mapping[str, Model],
    rows: "pd.DataFrame",
    bounds: Params,
    own: Own = _NONE,
    give: predictions.Give = predictions.of_models,
) -> Contest:
    """Return all that the gate compares; `rivals` are their model directories by role.

    Slices, seed and metrics are those of the bounds; `give` lets models predict, here or elsewhere.
    """
    params = candidate.params
    metric = selection.primary(params.task, bounds.evaluation, own.metrics)
    predictions.check_columns(rows, bounds.evaluation.slices, "that the slices of the gate need")
    predictions.check_columns(rows, bounds.data.sensitive, "that the gate groups rows by")
    target = params.data.target
    train = parquet.read(root / layout.prepared("train"))
    met = {CHALLENGER: Model(candidate.folder, candidate.digest), **rivals}
    alone = dict(give(met, rows, bounds.gate.renamed))
    every = predictions.classes(params.task, alone.values(), train[target], rows[target])
    scores, calls = predictions.on(every, alone)
    scored = replace(Scored.from_rows(params.data, rows, scores, every), calls=calls)
    floors = selection.of_floors(params.task, bounds, own.metrics)
    selection.check_targets((metric, *floors), scored.target, target)
    for it in (metric, *floors):
        declared.check(it, scored.target, scored.given(it)[CHALLENGER], bounds.gate.resamples)
    constant = _constant(params, train, scored, metric)
    return Contest(
        params.task,
        replace(scored, scores={CONSTANT: constant, **scores}),
        {name: labels(rows[name]) for name in bounds.evaluation.slices},
        bounds.seed,
        selection.of_decisions(params.task, bounds.evaluation),
        metric,
        floors,
        list(_notes(metric, params, bounds, own)),
        sensitive.groups(rows, bounds),
    )


def _constant(
    params: Params,
    train: "pd.DataFrame",
    scored: Scored,
    metric: Metric,
) -> np.ndarray:
    """Return the scores of the constant that is the hardest to beat: the mean, or the median.

    Of a number it is the hardest by the metric that models are compared by; of several classes it
    is their mix in the training rows.
    """
    task, data = params.task, params.data
    every, target, weight = scored.classes, scored.target, scored.weight
    seen, of_seen = outcomes.numbers(train[data.target], every), weights(train, data.weight)
    if every:
        return np.tile(class_mix(seen, len(every), of_seen), (len(target), 1))

    def constant(middle: Middle) -> Vector:
        return np.full(len(target), weighed(middle, seen, of_seen))

    middles = list(MIDDLES[task].values())
    if task is not Task.REGRESSION or metric in METRICS[task][:1] or not len(target):
        counted = 1 if weight is None else weight
        found = map(constant, middles)
        return min(found, key=lambda scores: float(np.sum(counted * (target - scores) ** 2)))
    return metric.best(target, map(constant, (metric.middle, *middles)), weight)


def _notes(asked: Metric, ours: Params, bounds: Params, own: Own) -> Iterator[str]:
    """Tell where a change names what it would be judged by, and the bounds name something else."""
    if own.note:
        yield own.note
    if ours.data.weight:
        yield f"all figures are weighted by {ours.data.weight!r}, the `data.weight` of {FILE}"
    name = ours.evaluation.primary or METRICS[ours.task][0].name
    if name != asked.name:
        yield (
            f"models are compared by {asked.name}, as the bounds ask; {name}, which this change "
            f"would compare them by, counts once that is in {FILE} of the base"
        )
    rules = ours.evaluation.threshold, bounds.evaluation.threshold
    if rules[0] != rules[1] and "cost" in rules:
        yield (
            f"calls are held against each other by {bounds.evaluation.threshold}, as the bounds "
            f"ask; `evaluation.threshold: {ours.evaluation.threshold}` counts once it is in {FILE} "
            "of the base"
        )
