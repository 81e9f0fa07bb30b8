"""The seam: gradient-boosted trees of scikit-learn. Replace this one file to bring another model.

What the rest of the project asks of it: `Hyperparameters`, `CATEGORIES`, `fit`, `scores`, `save`,
`load`, `flavor` and `platform`; it hands over the matrix of `features.py` and never looks inside.

How to change this: whatever `save` writes must be the same bytes for the same fit, hold no pickle,
and load again where only the model directory and `requirements.lock` are there. `tests/
test_estimator.py` is the contract; run it after every change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import sklearn
import skops.io
from pydantic import BaseModel, Field
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

if TYPE_CHECKING:
    from mlrails.data.arrays import Matrix, Vector
    from mlrails.modeling.dataset import Labelled
    from mlrails.modeling.epochs import Watch

Estimator: TypeAlias = HistGradientBoostingClassifier | HistGradientBoostingRegressor

CATEGORIES = "codes in alphabetical order"
"""How the estimator sees a category; the report says so."""
_FILE = "model.skops"
_TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
_MADE = {
    "classification": (HistGradientBoostingClassifier, "log_loss"),
    "regression": (HistGradientBoostingRegressor, "absolute_error"),
    "multiclass": (HistGradientBoostingClassifier, "log_loss"),
}
"""What is fitted for a task, on which loss."""


class Hyperparameters(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The section `estimator` of `params.yaml`."""

    learning_rate: float = Field(gt=0, le=1)
    max_iter: int = Field(ge=1, le=100_000)
    max_leaf_nodes: int = Field(ge=2, le=100_000)
    min_samples_leaf: int = Field(ge=1, le=1_000_000_000)
    l2_regularization: float = Field(ge=0)
    patience: int = Field(ge=1, le=100_000)
    """Stop after so many iterations without a better loss on the validation rows."""


def fit(
    task: str,
    hyperparameters: Hyperparameters,
    seed: int,
    sizes: Sequence[int],
    train: Labelled,
    validation: Labelled,
    watch: Watch,
) -> Estimator:
    """Fit on the training rows, stopping early on the validation rows.

    `sizes` says how many categories each column has, 0 for a number: trees take both alike. The
    same rows, seed and hyperparameters give the same estimator on any number of cores.
    """
    from mlrails.modeling.epochs import watched

    make, loss = _MADE[task]
    estimator: Estimator = make(
        loss=loss,
        scoring="loss",
        early_stopping=True,
        random_state=seed,
        n_iter_no_change=hyperparameters.patience,
        **hyperparameters.model_dump(exclude={"patience"}),
    )
    fitting = partial(
        estimator.fit,
        *train,
        X_val=validation.matrix,
        y_val=validation.target,
        sample_weight=train.weight,
        sample_weight_val=validation.weight,
    )
    # From then on no iteration is good enough: the next one is the last.
    stop = partial(estimator.set_params, n_iter_no_change=1, tol=math.inf)
    watched(fitting, partial(_report, estimator, watch), stop)
    # The number of cores is kept here by scikit-learn and means nothing to the trees.
    estimator._bin_mapper.n_threads = 1
    return estimator


def _report(estimator: Estimator, watch: Watch, reported: int) -> int:
    """Pass on the iterations that have ended since the last look; return how many there are."""
    train = list(getattr(estimator, "train_score_", ()))
    validation = list(getattr(estimator, "validation_score_", ()))
    ended = min(len(train), len(validation))
    for step in range(reported, ended):
        watch.step(step, {"train_loss": -train[step], "validation_loss": -validation[step]})
    return max(reported, ended)


def scores(estimator: Estimator, matrix: Matrix) -> Vector:
    """Return (rows,) probabilities of the event, or numbers; of more classes (rows, classes)."""
    if isinstance(estimator, HistGradientBoostingRegressor):
        return np.asarray(estimator.predict(matrix)) if len(matrix) else np.empty(0)
    none = np.empty((0, len(estimator.classes_)))
    found = np.asarray(estimator.predict_proba(matrix)) if len(matrix) else none
    return found if found.shape[1] > 2 else found[:, 1]


def save(estimator: Estimator, folder: Path) -> None:
    """Write the estimator as a canonical skops archive: equal estimators give equal bytes."""
    from mlrails.modeling.skops import canonical

    (folder / _FILE).write_bytes(canonical(skops.io.dumps(estimator)))


def load(folder: Path) -> Estimator:
    """Read what `save` wrote, trusting exactly one type beyond skops' own."""
    estimator: Estimator = skops.io.load(folder / _FILE, trusted=_TRUSTED)
    return estimator


def flavor(folder: str) -> dict[str, dict[str, Any]]:
    """Return MLflow's native flavor of what `save` wrote into a folder of the model directory."""
    return {
        "sklearn": {
            "pickled_model": f"{folder}/{_FILE}",
            "serialization_format": "skops",
            "skops_trusted_types": _TRUSTED,
            "sklearn_version": sklearn.__version__,
        }
    }


def platform() -> str:
    """Return what a fit on this machine depends on beside the CPU's linear algebra: nothing."""
    return ""
