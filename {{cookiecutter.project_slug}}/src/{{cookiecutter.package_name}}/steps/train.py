"""python -m {{ cookiecutter.package_name }}.steps.train

Fit the model, log it live, write it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from mlrails.core import files, hashing, layout
from mlrails.core.config import validated
from mlrails.core.console import say
from mlrails.core.layout import PARTS, SERVING_LOCK, Part
from mlrails.core.params import FILE, Params
from mlrails.data import parquet
from mlrails.data.validation import check_calendar
from mlrails.evaluation import diagnostics
from mlrails.modeling import directory
from mlrails.modeling.dataset import Labelled
from mlrails.modeling.epochs import Watch
from mlrails.stages.callbacks import Watcher
from mlrails.stages.stage import Stage, run
from mlrails.tracking import input_key, live, origin

from .. import estimator
from ..features import CALENDAR, fit_encoder
from ..model import Predictor
from ..schema import COLUMNS

if TYPE_CHECKING:
    import pandas as pd


def train(stage: Stage) -> None:
    """Write the model, the fit's history and the machine, and log all while they come to be."""
    params, root, settings = stage.params, stage.root, stage.settings
    hyperparameters = validated(estimator.Hyperparameters, params.estimator, FILE, "estimator")
    check_calendar(params, CALENDAR)
    held: tuple[Part, ...] = ("train", "validation")
    rows = {part: parquet.read(root / layout.prepared(part)) for part in held}
    prepared = hashing.of_folder(root / layout.PREPARED, links=True)
    cpu, key = origin.note(root, estimator.platform()), input_key.input_key(root)
    # What was begun on another class of machine would end with bytes of neither.
    begun = hashing.of_values([key, prepared, cpu])
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
        digest = directory.write(model, COLUMNS, rows["train"], prepared, lock, folder)
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
