"""What the validation rows set once the estimator is fitted: the level of its scores first.

Threshold and interval come afterwards, as they are of the scores that callers see. What
`params.yaml` does not ask for is not set, and the model is then, to the byte, the one that it was
before there was any of it.
"""

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ...core.errors import UsageError
from ...core.params import FILE, Data, Params, Unit, of_held_out
from ...modeling.dataset import Labelled
from ...modeling.protocols import Model
from .. import diagnostics
from . import conformal, levels

if TYPE_CHECKING:
    import pandas as pd


Fitted = TypeVar("Fitted")


def settled(params: Params, fitted: Fitted, held_out: Labelled, rows: "pd.DataFrame") -> Fitted:
    """Return a model with what is set on the validation rows, which it has not been fitted on.

    `held_out` is what an estimator is given of them, `rows` what they are. Raises UsageError where
    the params ask for what the project's `model.py` has no place for.
    """
    model: Any = fitted
    asked, target, weight = of_held_out(params), held_out.target, held_out.weight
    scores = model.scores_of(held_out.matrix)
    if asked.calibration:
        level = levels.level(params.task, target, scores, weight, asked.calibration)
        model = _with(model, "calibration", level=level)
        scores = model.scores_of(held_out.matrix)
    if asked.interval:
        blocks = _blocks(params.data, rows)
        ends = conformal.interval(target - scores, blocks, weight, asked.interval)
        model = _with(model, "interval", interval=tuple(ends))
    cut = diagnostics.threshold(params, target, scores, weight)
    found: Fitted = replace(model, threshold=cut)
    return found


def _blocks(data: Data, rows: "pd.DataFrame") -> conformal.Blocks:
    """Return the day and the group of each row, or its number where it has neither."""
    found: dict[Unit, np.ndarray] = {}
    if data.time:
        found[Unit.DAY] = rows[data.time].to_numpy().astype("datetime64[D]")
    if data.group:
        found[Unit.GROUP] = rows[data.group].factorize()[0]
    return found or {Unit.ROW: np.arange(len(rows))}


def _with(model: Model, key: str, **values: Any) -> Any:
    """Return a model with values of its own; `key` is what asks for them."""
    known = {it.name for it in fields(model)}  # type: ignore[arg-type]
    for name in values.keys() - known:
        raise UsageError(
            f"{FILE}: 'estimator.{key}' asks for a model with a {name!r}, and the `Predictor` of "
            "model.py has none; bring it with `nox -s update`, or take the key out"
        )
    return replace(model, **values)  # type: ignore[type-var]
