"""What a server has answered, beside what the same model says of the same rows here."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import UsageError, WorldError, counted
from ...modeling.classes import PREFIX, Classes
from ...modeling.loading import LoadedModel
from .. import skew
from .requests import ANSWER, DIGEST, Log

if TYPE_CHECKING:
    import pandas as pd

_PIECE = 10_000
"""Rows that are scored at once."""


@dataclass(frozen=True)
class Skew:
    """Rows that were answered by the model, and those whose answer it does not give here."""

    rows: int
    differing: int = 0
    first: date | None = None
    last: date | None = None


def of_model(log: Log, model: LoadedModel, time: str) -> tuple[Log, Skew | None]:
    """Return the log's rows to look at, and how the model's own answers differ.

    Answers that need a column which is not kept cannot be given anew: then None, and only rows of
    the model's own are looked at, whose answers are those that were served.
    """
    own = log.rows[DIGEST] == model.origin.digest
    others = int((~own).sum())
    notes = [*log.notes]
    if any(it.name in log.left_out for it in model.inputs):
        names = ", ".join(sorted(log.left_out))
        notes.append(
            f"columns that are not kept of requests: {names}; nobody looks at them, and whether "
            "the server answers as the model does cannot be told"
        )
        if others:
            notes.append(f"{counted(others, 'row')} left out: other versions have answered them")
        if not own.any():
            raise UsageError(
                f"no row of the log was answered by version {model.origin.version}, and without "
                f"{names}, which are not kept, nobody knows what it would say of the others; name "
                "the version that has answered"
            )
        return replace(log, rows=log.rows[own].reset_index(drop=True), notes=notes), None
    if others:
        notes.append(
            f"{counted(others, 'row')} were answered by other versions: their rows are looked at, "
            "with what this one says of them"
        )
    return replace(log, rows=log.rows, notes=notes), _skew(log.rows[own], model, time)


def _skew(rows: "pd.DataFrame", model: LoadedModel, time: str) -> Skew:
    found = np.zeros(len(rows), bool)
    for start in range(0, len(rows), _PIECE):
        part = rows.iloc[start : start + _PIECE]
        offline = _offline(part, model)
        served = {name: part[f"{ANSWER}{name}"].to_numpy() for name in offline if _has(part, name)}
        found[start : start + _PIECE] = skew.differing(served, offline)
    if not found.any():
        return Skew(len(rows))
    when = rows[time][found]
    return Skew(len(rows), int(found.sum()), when.min().date(), when.max().date())


def _has(rows: "pd.DataFrame", name: str) -> bool:
    return f"{ANSWER}{name}" in rows


def _offline(rows: "pd.DataFrame", model: LoadedModel) -> dict[str, np.ndarray]:
    """Return what the model says here, asked as a server asks it."""
    columns = {it.name: _values(rows[it.name], it.type) for it in model.inputs}
    try:
        return dict(model.predict(columns, len(rows)))
    except Exception as error:
        raise WorldError(
            f"the model does not answer here what a server has answered ({type(error).__name__}); "
            "see whether the packages are those of its lock"
        ) from error


def _values(column: "pd.Series", kind: str) -> list[object]:
    """Return the values of a column as a server has them: no NaN, and times as such."""
    values = column.astype(object).where(column.notna(), None).tolist()
    if kind != "datetime":
        return [int(it) if kind in {"long", "integer"} and it is not None else it for it in values]
    return [datetime.fromisoformat(it) if isinstance(it, str) else it for it in values]


def scores(rows: "pd.DataFrame", classes: Classes) -> np.ndarray:
    """Return the scores that were served (rows,), (rows, classes); NaN where there are none."""
    names = [f"{PREFIX}{it}" for it in classes]
    if not names:
        names = ["probability" if _has(rows, "probability") else "prediction"]
    found = rows[[f"{ANSWER}{it}" for it in names]].to_numpy(np.float64, copy=True)
    return found if classes else found[:, 0]
