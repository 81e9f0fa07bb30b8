"""What each model gives of the rows of a contest, from a column that may have another name now.

Models of several classes may know different ones: they meet on all that a model or a row has.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import layout
from ..core.errors import UsageError, WorldError, nearest
from ..core.params import FILE, Task
from ..data import frames
from ..data.arrays import Vector
from ..evaluation import outcomes
from ..modeling import isolation
from ..modeling.checked_copy import Model
from ..modeling.classes import PREFIX, Classes, codes, indicator, of_labels
from .verdict import CHALLENGER

if TYPE_CHECKING:
    import pandas as pd


_PREDICTION, _PROBABILITY = "prediction", "probability"
"""What callers of a model get; a model of numbers gives no probability."""


@dataclass(frozen=True)
class Given:
    """What one model gives of the rows: scores, and what it calls where it calls anything.

    Of a model of several classes both are (rows, classes), the calls ones and zeros.
    """

    scores: np.ndarray
    calls: np.ndarray | None = None
    classes: Classes = ()

    def on(self, every: Classes) -> "Given":
        """Return the same on all classes that there are."""
        if self.calls is None or not self.classes:
            return self
        scores, calls = (
            outcomes.laid_out(it, self.classes, every) for it in (self.scores, self.calls)
        )
        return Given(scores, calls, every)


Give = Callable[
    [Mapping[str, Model], "pd.DataFrame", Mapping[str, str | None]], Iterable[tuple[str, Given]]
]
"""Returns what models give, as `of_models` does."""


def classes(task: Task, given: Iterable[Given], *targets: "pd.Series[Any]") -> Classes:
    """Return the classes that a model or a row has, of a task that has any."""
    if task is not Task.MULTICLASS:
        return ()
    return of_labels(*(it.classes for it in given), *(it.unique() for it in targets))


def on(
    every: Classes, given: Mapping[str, Given]
) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
    """Return the scores and the calls of each model on all classes, by its role."""
    laid = {role: it.on(every) for role, it in given.items()}
    calls = {role: it.calls for role, it in laid.items() if it.calls is not None}
    return {role: it.scores for role, it in laid.items()}, calls


def _given(found: Mapping[str, Any], known: Classes) -> Given:
    """Return the output columns of a model as numbers."""
    called = found[_PREDICTION]
    if known:
        shares = [np.asarray(found[f"{PREFIX}{name}"], np.float64) for name in known]
        calls = indicator(codes(called, known), len(known))
        return Given(np.stack(shares, axis=1), calls, known)
    plain = {name: np.asarray(it, np.float64) for name, it in found.items()}
    if _PROBABILITY in plain:
        return Given(plain[_PROBABILITY], plain[_PREDICTION])
    return Given(plain[_PREDICTION])


def of_models(
    models: Mapping[str, Model], rows: "pd.DataFrame", renamed: Mapping[str, str | None]
) -> Iterator[tuple[str, Given]]:
    """Yield what each model gives, by its role; raises UsageError for a column that is gone."""
    for role, model in models.items():
        predictor = isolation.load(*model)
        columns = predictor.encoder.columns
        known = rows if role == CHALLENGER else as_before(rows, columns, renamed)
        check_columns(known, columns, f"that the {role} needs", role != CHALLENGER)
        of = outcomes.known(predictor)
        empty = dict.fromkeys((_PREDICTION, *(f"{PREFIX}{it}" for it in of)), np.empty(0))
        given = _given(predictor.predict(known) if len(known) else empty, of)
        _check_numbers(given.scores.sum(axis=1) if of else given.scores, role)
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
    return frames.having(rows, there)


def _check_numbers(scores: Vector, role: str) -> None:
    if none := int(np.sum(~np.isfinite(scores))):
        error = UsageError if role == CHALLENGER else WorldError
        remedy = "train another one" if role == CHALLENGER else "go back with `nox -s rollback`"
        raise error(f"the {role} predicts no number for {none:,} of {len(scores):,} rows; {remedy}")


def check_columns(
    rows: "pd.DataFrame", names: Iterable[str], who: str, may_be_renamed: bool = False
) -> None:
    """Raise UsageError for a column that the raw table no longer has, and what to do."""
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
