"""python -m {{ cookiecutter.package_name }}.steps.train

Fit the model, log it live, write it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from mlrails.core import layout
from mlrails.core.config import validated
from mlrails.core.console import say
from mlrails.core.params import FILE, Params, of_estimator
from mlrails.data import parquet, validation
from mlrails.evaluation.held_out import settle
from mlrails.modeling import classes, directory
from mlrails.modeling.dataset import weights
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
    params, root = stage.params, stage.root
    hyperparameters = validated(estimator.Hyperparameters, of_estimator(params), FILE, "estimator")
    validation.check_calendar(params, CALENDAR)
    rows = parquet.read_parts(root, ("train", "validation"))
    key = input_key.input_key(root)
    fit_key = origin.begin_fit(root, key, estimator.platform())
    with live.start_run(stage.settings, key) as live_run:
        live_run.log_params(params)
        for part in layout.PARTS:
            live_run.log_input(part)
        live_run.log_source()
        watch = Watcher(live_run.log_metrics, stage.settings, fit_key)
        model = fit(params, hyperparameters, rows, watch)
        steps = watch.write(root / layout.HISTORY)
        live_run.wait()  # Two threads that import MLflow at once see half of it.
        digest = directory.save(model, COLUMNS, rows["train"], root, params)
        live_run.log_model(root / layout.MODEL, digest)
    watch.done()
    say(f"train: {steps} steps, model {digest[:12]} in {layout.MODEL}")


def fit(
    params: Params, hyperparameters: Any, rows: "Mapping[Any, pd.DataFrame]", watch: Watch
) -> Predictor:
    """Fit the encoder and the estimator; the validation rows say level, threshold and interval."""
    data, chosen = params.data, params.features
    columns = chosen.numeric, chosen.categorical, data.time, chosen.calendar
    encoder = fit_encoder(rows["train"], *columns)
    known = classes.learnt(params.task, rows["train"][data.target])
    train, held_out = (
        classes.labelled(encoder.encode(it), it[data.target], known, weights(it, data.weight))
        for it in (rows["train"], rows["validation"])
    )
    # On several threads the linear algebra adds up in another order, so its last bit would differ.
    with threadpool_limits(1, user_api="blas"):
        how = hyperparameters, params.seed, encoder.sizes, train, held_out, watch
        model = Predictor(params.task, encoder, estimator.fit(params.task, *how), classes=known)
        return settle.settled(params, model, held_out, rows["validation"])


if __name__ == "__main__":
    run(train)
