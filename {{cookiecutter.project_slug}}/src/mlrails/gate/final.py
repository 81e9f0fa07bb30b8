"""What a model is worth on the rows that nobody has seen, beside those that the gate goes by."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.params import Params
from ..evaluation import selection
from ..evaluation.bootstrap import Figure, sample
from ..evaluation.metrics import Metric
from ..evaluation.scored import Scored
from ..modeling.checked_copy import Model
from . import predictions
from .verdict import CHAMPION

if TYPE_CHECKING:
    import pandas as pd


def figures(
    model: Model, rows: "pd.DataFrame", params: Params, metrics: Sequence[Metric]
) -> Mapping[str, Figure]:
    """Return each metric of a model on some rows with its interval, by its name.

    Raises UsageError for rows that one of the metrics is not defined for.
    """
    data, rules = params.data, params.evaluation
    alone = dict(predictions.of_models({CHAMPION: model}, rows, params.gate.renamed))
    every = predictions.classes(params.task, alone.values(), rows[data.target])
    scores, calls = predictions.on(every, alone)
    scored = replace(Scored.from_rows(data, rows, scores, every), calls=calls)
    selection.check_targets(metrics, scored.target, data.target)
    drawn = rules.resamples, params.seed
    on = sample(len(rows), scored.times, *drawn, weekly=True, groups=scored.groups)
    return {
        it.name: scored.figure(it, scored.given(it)[CHAMPION], on, rules.confidence)
        for it in metrics
    }
