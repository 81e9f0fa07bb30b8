"""python -m {{ cookiecutter.package_name }}.steps.train

Fit the model, log it live, write it.
"""

import json
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from .. import (
    data,
    diagnostics,
    digests,
    examples,
    files,
    layout,
    live,
    machine,
    model_dir,
    provenance,
)
from .. import estimator as seam
from ..console import say
from ..features import Encoder, Vector, fit_encoder
from ..fitting import Watch
from ..labelled import Labelled
from ..layout import SERVING_LOCK
from ..params import FILE, Params
from ..predictor import Predictor
from ..schema import BY_NAME
from ..sections import validated
from ..stage import Stage, run
from ..task import Task
from ..watching import Watcher

if TYPE_CHECKING:
    import pandas as pd


def train(stage: Stage) -> None:
    """Write the model, the fit's history and the machine, and log all while they come to be."""
    params, root = stage.params, stage.root
    validated(seam.Hyperparameters, params.estimator, FILE, "estimator")
    rows = {part: data.read(root / layout.prepared(part)) for part in ("train", "validation")}
    prepared = digests.of_folder(root / layout.PREPARED, links=True)
    # What was begun on another class of machine would end with bytes of neither.
    key = digests.of_values([provenance.input_key(root), prepared, machine.cpu_class()])
    machine.note(root)
    with live.run(stage.settings, params) as log:
        watch = Watcher(log, stage.settings, key)
        predictor = fit(params, rows["train"], rows["validation"], watch)
        log.wait()  # Two threads that import MLflow at once see half of it.
        files.write_text(json.dumps(watch.history, indent=1) + "\n", root / layout.HISTORY)
        columns = [BY_NAME[name] for name in predictor.encoder.columns]
        digest = model_dir.write(
            predictor,
            columns,
            examples.example(rows["train"], columns),
            identity=prepared,
            requirements=root / SERVING_LOCK,
            target=root / layout.MODEL,
        )
        files.write_text(f"{digest}\n", root / layout.DIGEST)
        log.model(root / layout.MODEL, digest)
    watch.done()
    steps = max(map(len, watch.history.values()), default=0)
    say(f"train: {steps} steps, model {digest[:12]} in {layout.MODEL}")


def fit(
    params: Params, train: "pd.DataFrame", validation: "pd.DataFrame", watch: Watch
) -> Predictor:
    """Fit the encoder, the estimator and, for an event, the threshold on validation rows."""
    encoder = fit_encoder(
        train,
        params.features.numeric,
        params.features.categorical,
        params.data.time,
        params.features.calendar,
    )
    target = params.data.target
    fitted_on, checked_on = (_labelled(encoder, rows, target) for rows in (train, validation))
    # On several threads the linear algebra adds up in another order, so its last bit would differ.
    with threadpool_limits(1, user_api="blas"):
        estimator = seam.fit(
            params.task,
            validated(seam.Hyperparameters, params.estimator, FILE, "estimator"),
            params.seed,
            encoder.sizes,
            fitted_on,
            checked_on,
            watch,
        )
        scores = seam.scores(estimator, checked_on.matrix)
    threshold = _threshold(params, checked_on.target, scores)
    return Predictor(params.task, encoder, estimator, threshold)


def _labelled(encoder: Encoder, rows: "pd.DataFrame", target: str) -> Labelled:
    return Labelled(encoder.encode(rows), rows[target].to_numpy(dtype=np.float64))


def _threshold(params: Params, target: Vector, scores: Vector) -> float | None:
    if params.task == Task.REGRESSION:
        return None
    return diagnostics.choose_threshold(params.evaluation.threshold, target, scores)


if __name__ == "__main__":
    run(train)
