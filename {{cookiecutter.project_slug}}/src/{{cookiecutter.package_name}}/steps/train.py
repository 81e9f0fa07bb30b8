"""python -m {{ cookiecutter.package_name }}.steps.train

Fit the model, log it live, write it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from .. import (
    data,
    diagnostics,
    digests,
    estimator,
    files,
    layout,
    live,
    machine,
    model_dir,
    provenance,
)
from .. import validation as rules
from ..console import say
from ..features import CALENDAR, fit_encoder
from ..fitting import Watch
from ..labelled import Labelled
from ..layout import PARTS, SERVING_LOCK, Part
from ..model import Predictor
from ..params import FILE, Params
from ..schema import COLUMNS
from ..sections import validated
from ..stage import Stage, run
from ..watching import Watcher

if TYPE_CHECKING:
    import pandas as pd


def train(stage: Stage) -> None:
    """Write the model, the fit's history and the machine, and log all while they come to be."""
    params, root, settings = stage.params, stage.root, stage.settings
    hyperparameters = validated(estimator.Hyperparameters, params.estimator, FILE, "estimator")
    rules.check_calendar(params, CALENDAR)
    held: tuple[Part, ...] = ("train", "validation")
    rows = {part: data.read(root / layout.prepared(part)) for part in held}
    prepared = digests.of_folder(root / layout.PREPARED, links=True)
    cpu, key = machine.note(root, estimator.platform()), provenance.input_key(root)
    # What was begun on another class of machine would end with bytes of neither.
    begun = digests.of_values([key, prepared, cpu])
    with live.start_run(settings, key) as mlflow_run:
        mlflow_run.log_params(params)
        for part in PARTS:
            mlflow_run.log_input(part)
        mlflow_run.log_source()
        watch = Watcher(mlflow_run.log_metrics, settings, begun)
        model = fit(params, hyperparameters, rows, watch)
        steps = watch.write(root / layout.HISTORY)
        mlflow_run.wait()  # Two threads that import MLflow at once see half of it.
        lock, folder = root / SERVING_LOCK, root / layout.MODEL
        digest = model_dir.write(model, COLUMNS, rows["train"], prepared, lock, folder)
        files.write_text(f"{digest}\n", root / layout.DIGEST)
        mlflow_run.log_model(folder, digest)
    watch.done()
    say(f"train: {steps} steps, model {digest[:12]} in {layout.MODEL}")


def fit(
    params: Params, hyperparameters: Any, rows: "Mapping[Part, pd.DataFrame]", watch: Watch
) -> Predictor:
    """Fit the encoder, the estimator and, for an event, the threshold on validation rows."""
    chosen, time, target = params.features, params.data.time, params.data.target
    columns = chosen.numeric, chosen.categorical, time, chosen.calendar
    encoder = fit_encoder(rows["train"], *columns)
    train, validation = (
        Labelled(encoder.encode(it), it[target].to_numpy(dtype=np.float64))
        for it in (rows["train"], rows["validation"])
    )
    # On several threads the linear algebra adds up in another order, so its last bit would differ.
    with threadpool_limits(1, user_api="blas"):
        how = hyperparameters, params.seed, encoder.sizes
        fitted = estimator.fit(params.task, *how, train, validation, watch)
        scores = estimator.scores(fitted, validation.matrix)
    threshold = diagnostics.threshold(params, validation.target, scores)
    return Predictor(params.task, encoder, fitted, threshold)


if __name__ == "__main__":
    run(train)
