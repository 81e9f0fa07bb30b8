"""Who meets on which rows: the test rows that no rival was trained on, and everybody's scores.

The rows are those of today's params, read from the raw table, as the champion may need columns that
today's model has left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import carried, data, splits
from .baselines import MIDDLES
from .candidate import Candidate
from .checks import Contest
from .errors import UsageError
from .evaluation import Scored
from .features import Vector
from .gate import CHALLENGER, CONSTANT
from .settings import Settings
from .task import Task
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


def contest(
    settings: Settings, candidate: Candidate, folders: Mapping[str, Path], rows: "pd.DataFrame"
) -> Contest:
    """Return all that the gate compares; `folders` are the rivals' model directories by role."""
    params = candidate.params
    target, time = params.data.target, params.data.time
    seen = data.read(settings.root / data.prepared("train"))[target].to_numpy(np.float64)
    asked = rows[target].to_numpy(np.float64)
    scores = dict(_scores({CHALLENGER: candidate.folder, **folders}, rows))
    return Contest(
        params.task,
        Scored(
            asked,
            rows[time].to_numpy() if time else None,
            {CONSTANT: _constant(params.task, seen, asked), **scores},
        ),
        {name: rows[name].to_numpy(str) for name in params.evaluation.slices},
        params.seed,
    )


def _constant(task: Task, seen: Vector, target: Vector) -> Vector:
    """Return the scores of the constant that is the hardest to beat: the mean, or the median."""
    found = [np.full(len(target), middle(seen)) for middle in MIDDLES[task].values()]
    return min(found, key=lambda scores: float(np.sum((target - scores) ** 2)))


def _scores(folders: Mapping[str, Path], rows: "pd.DataFrame") -> Iterator[tuple[str, Vector]]:
    for role, folder in folders.items():
        predictor = carried.load(folder)
        missing = [name for name in predictor.encoder.columns if name not in rows]
        if missing:
            raise UsageError(
                f"{data.RAW} no longer has the column {missing[0]!r} that the {role} needs, so "
                "they cannot be compared; bring it back in source.py"
            )
        yield role, predictor.scores(rows) if len(rows) else np.empty(0)
