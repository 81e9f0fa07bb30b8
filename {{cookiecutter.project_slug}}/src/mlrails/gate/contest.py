"""Who meets on which rows: the test rows that no rival was trained on, and everybody's scores.

The rows are those of today's params, read from the raw table, as the champion may need columns that
today's model has left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core import layout
from ..core.errors import UsageError, WorldError, nearest
from ..core.params import FILE, Params, Task
from ..data import parquet, splits
from ..data.arrays import Vector
from ..evaluation import declared, selection
from ..evaluation.baselines import MIDDLES, Middle, weighed
from ..evaluation.figures import labels
from ..evaluation.metrics import METRICS, Metric
from ..evaluation.own import Own
from ..evaluation.scored import Scored
from ..modeling import isolation
from ..modeling.checked_copy import Model
from ..modeling.dataset import weights
from ..pipeline.candidate import Candidate
from ..registry.versions import Version
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
) -> Contest:
    """Return all that the gate compares; `rivals` are their model directories by role.

    Slices and the seed of what is drawn are those of the bounds, and so are the project's metrics.
    """
    params = candidate.params
    metric = selection.primary(params.task, bounds.evaluation, own.metrics)
    _check_columns(rows, bounds.evaluation.slices, "that the slices of the gate need")
    target = params.data.target
    seen = parquet.read(root / layout.prepared("train"))
    asked = rows[target].to_numpy(np.float64)
    floors = selection.of_floors(params.task, bounds, own.metrics)
    selection.check_targets((metric, *floors), asked, target)
    met = {CHALLENGER: Model(candidate.folder, candidate.digest), **rivals}
    given = dict(_predictions(met, rows, bounds.gate.renamed))
    scores = {role: it.get(_PROBABILITY, it[_PREDICTION]) for role, it in given.items()}
    calls = {role: it[_PREDICTION] for role, it in given.items() if _PROBABILITY in it}
    _check_metrics((metric, *floors), asked, calls, scores, bounds.gate.resamples)
    return Contest(
        params.task,
        Scored.from_rows(
            params.data, rows, {CONSTANT: _constant(params, seen, rows, metric), **scores}
        ),
        {name: labels(rows[name]) for name in bounds.evaluation.slices},
        bounds.seed,
        calls,
        selection.of_decisions(bounds.evaluation),
        metric,
        floors,
        list(_notes(metric, params, bounds, own)),
    )


def _check_metrics(
    metrics: Iterable[Metric],
    target: Vector,
    calls: Mapping[str, Vector],
    scores: Mapping[str, Vector],
    resamples: int,
) -> None:
    """Raise UsageError where a metric of the project's own cannot be relied on."""
    for it in metrics:
        given = calls if it.of_calls else scores
        declared.check(it, target, given[CHALLENGER], resamples)


def _constant(
    params: Params, train: "pd.DataFrame", rows: "pd.DataFrame", metric: Metric
) -> Vector:
    """Return the scores of the constant that is the hardest to beat: the mean, or the median.

    Of a number it is the hardest by the metric that models are compared by.
    """
    task, data = params.task, params.data
    (seen, of_seen), (target, weight) = (
        (it[data.target].to_numpy(np.float64), weights(it, data.weight)) for it in (train, rows)
    )

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


_PREDICTION, _PROBABILITY = "prediction", "probability"
"""What callers of a model get; a model of numbers gives no probability."""


def _predictions(
    models: Mapping[str, Model], rows: "pd.DataFrame", renamed: Mapping[str, str | None]
) -> Iterator[tuple[str, Mapping[str, Vector]]]:
    for role, model in models.items():
        predictor = isolation.load(*model)
        columns = predictor.encoder.columns
        known = rows if role == CHALLENGER else as_before(rows, columns, renamed)
        _check_columns(known, columns, f"that the {role} needs", role != CHALLENGER)
        empty = {_PREDICTION: np.empty(0)}
        found = predictor.predict(known) if len(known) else empty
        given = {name: np.asarray(it, np.float64) for name, it in found.items()}
        _check_numbers(given.get(_PROBABILITY, given[_PREDICTION]), role)
        yield role, given


def as_before(
    rows: "pd.DataFrame", columns: Iterable[str], renamed: Mapping[str, str | None]
) -> "pd.DataFrame":
    """Return the rows as a model of before knows them: under the names of then.

    A column that is named to be gone (`null`) is missing in every row, which is what the champion
    would be given from now on. Raises UsageError for a new name that is none.
    """
    lost = [name for name in columns if name in renamed and name not in rows]
    for name in lost:
        now = renamed[name]
        if now is not None and now not in rows:
            raise UsageError(
                f"{FILE}: 'gate.renamed' says that {name!r} is called {now!r} now, and "
                f"{layout.RAW} has no column of that name{nearest(now, list(rows.columns))}"
            )
    there = {name: rows[now] if (now := renamed[name]) else np.nan for name in lost}
    found: pd.DataFrame = rows.assign(**there)
    return found


def _check_numbers(scores: Vector, role: str) -> None:
    if none := int(np.sum(~np.isfinite(scores))):
        error = UsageError if role == CHALLENGER else WorldError
        remedy = "train another one" if role == CHALLENGER else "go back with `nox -s rollback`"
        raise error(f"the {role} predicts no number for {none:,} of {len(scores):,} rows; {remedy}")


def _check_columns(
    rows: "pd.DataFrame", names: Iterable[str], who: str, may_be_renamed: bool = False
) -> None:
    missing = [name for name in names if name not in rows]
    if not missing:
        return
    remedy = "bring it back in source.py"
    if may_be_renamed:
        remedy = (
            f"write `{missing[0]}: NEW_NAME` below 'gate.renamed' in {FILE} where it is called "
            f"something else now, `{missing[0]}: null` where it is gone for good, or {remedy}"
        )
    raise UsageError(
        f"{layout.RAW} no longer has the column {missing[0]!r} {who}, so models cannot be "
        f"compared; {remedy}"
    )
