"""Who meets on which rows: the test rows that no rival was trained on, and everybody's scores.

The rows are those of today's params, read from the raw table, as the champion may need columns that
today's model has left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from . import carried, data, holdout, splits
from .baselines import MIDDLES
from .candidate import Candidate
from .checks import Contest
from .errors import UsageError, WorldError
from .evaluation import Scored, labels
from .features import Vector
from .gate import CHALLENGER, CONSTANT, Check
from .params import Params
from .settings import Settings
from .task import Task
from .verified import Model
from .versions import Version

if TYPE_CHECKING:
    import pandas as pd


def rows(settings: Settings, candidate: Candidate, rivals: Iterable[Version]) -> "pd.DataFrame":
    """Return the test rows that none of the rivals has been trained on."""
    raw = data.read(settings.root / data.RAW)
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


def same_holdout(settings: Settings, params: Params, bounds: Params) -> Check:
    """Fail where the params would choose other test rows than the bounds do."""
    found = []
    if params != bounds:  # Else there is no need to read the rows.
        time = params.data.time
        last = data.read(settings.root / data.RAW)[time].max().date() if time else None
        found = list(holdout.choices(params, bounds, last))
    return Check("same holdout", not found, None, None, holdout.advice(found))


def contest(
    settings: Settings,
    candidate: Candidate,
    rivals: Mapping[str, Model],
    rows: "pd.DataFrame",
    bounds: Params,
) -> Contest:
    """Return all that the gate compares; `rivals` are their model directories by role.

    Slices and the seed of what is drawn are those of the bounds.
    """
    params = candidate.params
    _check_columns(rows, bounds.evaluation.slices, "that the slices of the gate need")
    target, time = params.data.target, params.data.time
    seen = data.read(settings.root / data.prepared("train"))[target].to_numpy(np.float64)
    asked = rows[target].to_numpy(np.float64)
    scores = dict(_scores({CHALLENGER: Model(candidate.folder, candidate.digest), **rivals}, rows))
    return Contest(
        params.task,
        Scored(
            asked,
            rows[time].to_numpy() if time else None,
            {CONSTANT: _constant(params.task, seen, asked), **scores},
        ),
        {name: labels(rows[name]) for name in bounds.evaluation.slices},
        bounds.seed,
    )


def _constant(task: Task, seen: Vector, target: Vector) -> Vector:
    """Return the scores of the constant that is the hardest to beat: the mean, or the median."""
    found = [np.full(len(target), middle(seen)) for middle in MIDDLES[task].values()]
    return min(found, key=lambda scores: float(np.sum((target - scores) ** 2)))


def _scores(models: Mapping[str, Model], rows: "pd.DataFrame") -> Iterator[tuple[str, Vector]]:
    for role, model in models.items():
        predictor = carried.load(*model)
        _check_columns(rows, predictor.encoder.columns, f"that the {role} needs")
        scores = predictor.scores(rows) if len(rows) else np.empty(0)
        if none := int(np.sum(~np.isfinite(scores))):
            error = UsageError if role == CHALLENGER else WorldError
            remedy = "train another one" if role == CHALLENGER else "go back with `nox -s rollback`"
            raise error(
                f"the {role} predicts no number for {none:,} of {len(scores):,} rows; {remedy}"
            )
        yield role, scores


def _check_columns(rows: "pd.DataFrame", names: Iterable[str], who: str) -> None:
    missing = [name for name in names if name not in rows]
    if missing:
        raise UsageError(
            f"{data.RAW} no longer has the column {missing[0]!r} {who}, so models cannot be "
            "compared; bring it back in source.py"
        )
