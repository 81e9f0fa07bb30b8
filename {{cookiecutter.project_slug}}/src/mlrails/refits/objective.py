"""A model's figure on the rows of one part, by the metric that models are compared by."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.layout import Part
from ..core.params import Params
from ..evaluation import outcomes
from ..evaluation.diagnostics import threshold_of
from ..evaluation.figures import MODEL
from ..evaluation.metrics import Metric
from ..evaluation.scored import Scored
from ..modeling.protocols import Model

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 6
"""The last bits differ between classes of CPU, and must not decide what is tried next."""


def figure(
    params: Params,
    model: Model,
    rows: "Mapping[Part, pd.DataFrame]",
    metric: Metric,
    part: Part = "validation",
) -> float:
    """Return a metric of the rows of a part; no other part is looked at."""
    held_out: Any = rows[part]
    every = outcomes.every(model, held_out[params.data.target])
    scores = outcomes.scores_of(model, model.encoder.encode(held_out), every)
    scored = Scored.from_rows(params.data, held_out, {MODEL: scores}, every)
    if metric.of_calls:
        scored = scored.calling({MODEL: threshold_of(model.threshold)})
    return round(metric.whole(scored.target, scored.given(metric)[MODEL], scored.weight), _DIGITS)
