"""What the validation rows set once the estimator is fitted: the level of its scores, a threshold.

In that order, as a threshold is one of the scores that callers see. What `params.yaml` does not ask
for is not set, and the model is then, to the byte, the one that it was before there was any of it.
"""

from dataclasses import fields, replace
from typing import Any

from ...core.errors import UsageError
from ...core.params import FILE, Params, of_held_out
from ...modeling.dataset import Labelled
from ...modeling.protocols import Model
from .. import diagnostics
from . import levels


def settled(params: Params, model: Any, held_out: Labelled) -> Any:
    """Return a model with what is set on the validation rows, which it has not been fitted on.

    Raises UsageError where the params ask for what the project's `model.py` has no place for.
    """
    asked, target, weight = of_held_out(params), held_out.target, held_out.weight
    scores = model.scores_of(held_out.matrix)
    if asked.calibration:
        level = levels.level(params.task, target, scores, weight, asked.calibration)
        model = _with(model, "calibration", level=level)
        scores = model.scores_of(held_out.matrix)
    cut = diagnostics.threshold(params, target, scores, weight)
    return replace(model, threshold=cut)


def _with(model: Model, key: str, **values: Any) -> Any:
    """Return a model with values of its own; `key` is what asks for them."""
    known = {it.name for it in fields(model)}  # type: ignore[arg-type]
    for name in values.keys() - known:
        raise UsageError(
            f"{FILE}: 'estimator.{key}' asks for a model with a {name!r}, and the `Predictor` of "
            "model.py has none; bring it with `nox -s update`, or take the key out"
        )
    return replace(model, **values)  # type: ignore[type-var]
