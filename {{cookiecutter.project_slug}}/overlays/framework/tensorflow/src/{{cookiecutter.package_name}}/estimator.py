"""The seam: a network of Keras on TensorFlow, for tables. Replace this one file for another model.

What the rest of the project asks of it: `Hyperparameters`, `fit`, `scores`, `save`, `load`,
`flavor` and `platform`; it hands over the matrix of `features.py` and never looks inside.

How to change this: whatever `save` writes must be the same bytes for the same fit, hold no pickle,
and load again where only the model directory and `requirements.lock` are there. `tests/
test_estimator.py` is the contract; run it after every change.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from pydantic import BaseModel, Field
from tensorflow.python.util._pywrap_util_port import IsMklEnabled

from . import archives
from .errors import UsageError
from .features import Matrix, Vector
from .fitting import LOSS, Arrays, Indices, Labelled, Schedule, Watch, in_epochs
from .task import Task

_FILE = "model.keras"
_ALWAYS = "1980-01-01@00:00:00"
_ROWS_AT_ONCE = 65_536
_FAR = 5.0
"""Standard deviations from the mean beyond which a number says no more."""

# On several threads sums are made in another order. TensorFlow wants to know before it begins.
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()


class Hyperparameters(BaseModel, frozen=True, extra="forbid"):
    """The section `estimator` of `params.yaml`."""

    learning_rate: float = Field(gt=0, le=1)
    epochs: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=10_000_000)
    layers: int = Field(ge=1, le=100)
    width: int = Field(ge=1, le=100_000)
    embedding: int = Field(ge=1, le=10_000)
    """The most numbers that stand for one category."""
    dropout: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    patience: int = Field(ge=1, le=100_000)
    """Stop after so many epochs without a better loss on the validation rows."""
    device: Literal["auto", "cpu", "gpu"]
    """A GPU where there is one, or what is said here."""


class Network:
    """A Keras model that takes the matrix of `features.py` and gives (rows,) scores."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        rows = tf.TensorSpec([None, model.input_shape[1]], tf.float32)
        self.scores = tf.function(lambda it: model(it, training=False), input_signature=[rows])


class _Architecture:
    """Embeddings of categories and standardised numbers, through layers of one width."""

    def __init__(
        self, task: Task, hyperparameters: Hyperparameters, sizes: Sequence[int], train: Labelled
    ) -> None:
        self.task, self.hyperparameters, self.sizes = task, hyperparameters, sizes
        self.numbers = [column for column, size in enumerate(sizes) if not size]
        numbers = train.matrix[:, self.numbers]
        variance = np.nan_to_num(np.nanvar(numbers, axis=0))
        self.mean = np.nan_to_num(np.nanmean(numbers, axis=0)).tolist()
        self.variance = np.where(variance > 0, variance, 1.0).tolist()
        self.middle, self.unit = 0.0, 1.0
        if task is Task.REGRESSION:
            self.middle, self.unit = float(train.target.mean()), float(train.target.std()) or 1.0

    def build(self, precision: str) -> tuple[keras.Model, keras.Model]:
        """Return a model of log-odds, or of numbers in spreads of the target, and one of scores.

        They share their weights, which are drawn by chance. Names are given anew from the first
        one on, so that a second model of a process has the same.
        """
        keras.utils.clear_session(free_memory=False)
        shape = self.hyperparameters
        matrix = keras.Input((len(self.sizes),), name="matrix")
        found = [
            self._embedded(matrix[:, column], size)
            for column, size in enumerate(self.sizes)
            if size
        ]
        values = layers.Concatenate()([*found, *self._standardised(matrix)])
        for _ in range(shape.layers):
            values = layers.Dense(shape.width, activation="relu", dtype=precision)(values)
            values = layers.Dropout(shape.dropout, dtype=precision)(values)
        inner = ops.squeeze(layers.Dense(1, dtype="float32")(values), 1)
        scores = (
            ops.sigmoid(inner)
            if self.task is Task.CLASSIFICATION
            else layers.Rescaling(self.unit, self.middle)(inner)
        )
        return keras.Model(matrix, inner), keras.Model(matrix, scores)

    def _embedded(self, code: Any, size: int) -> Any:
        """Return what stands for a category; the first place is for what is unknown or missing."""
        known = ops.logical_and(code >= 0, code < size)
        place = ops.cast(ops.where(known, code + 1, 0.0), "int32")
        return layers.Embedding(size + 1, min(self.hyperparameters.embedding, size))(place)

    def _standardised(self, matrix: Any) -> tuple[Any, Any]:
        """Return the numbers, missing ones as the mean, and which of them are missing."""
        numbers = ops.take(matrix, self.numbers, axis=1)
        numbers = layers.Normalization(mean=self.mean, variance=self.variance)(numbers)
        missing = ops.isnan(numbers)
        return ops.where(missing, 0.0, ops.clip(numbers, -_FAR, _FAR)), ops.cast(missing, "float32")


class _Learner:
    """A model with its optimiser and its rows, on one device."""

    def __init__(
        self, architecture: _Architecture, precision: str, rows: Mapping[str, Labelled]
    ) -> None:
        self.task = architecture.task
        self.inner, _ = architecture.build(precision)
        decay = architecture.hyperparameters.weight_decay
        self.optimiser = keras.optimizers.AdamW(weight_decay=decay)
        self.optimiser.build(self.inner.trainable_variables)
        middle, self.unit = architecture.middle, architecture.unit
        self.rows = {
            part: (_tensor(it.matrix), _tensor((it.target - middle) / self.unit))
            for part, it in rows.items()
        }
        # Traced once for batches of any length.
        like = [tf.TensorSpec([None, *it.shape[1:]], tf.float32) for it in self.rows["train"]]
        self._step = tf.function(self._learn, input_signature=like)
        self._infer = tf.function(self.inner, input_signature=like[:1])

    def begin(self, seed: int, learning_rate: float) -> None:
        self.optimiser.learning_rate = learning_rate
        for layer in self.inner.layers:
            if isinstance(layer, layers.Dropout) and layer.rate:
                layer.seed_generator.state.assign([seed, 0])

    def learn(self, rows: Indices) -> float:
        return float(self._step(*(tf.gather(it, rows) for it in self.rows["train"])))

    def _learn(self, matrix: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._loss(self.inner(matrix, training=True), target)
        weights = self.inner.trainable_variables
        self.optimiser.apply(tape.gradient(loss, weights), weights)
        return loss

    def validate(self) -> Mapping[str, float]:
        matrix, target = self.rows["validation"]
        starts = range(0, len(target), _ROWS_AT_ONCE)
        parts = [self._infer(matrix[start : start + _ROWS_AT_ONCE]) for start in starts]
        inner = tf.concat(parts, 0)
        loss = float(self._loss(inner, target))
        if self.task is Task.REGRESSION:
            return {LOSS: loss, "validation_rmse": loss**0.5 * self.unit}
        apart = tf.sigmoid(inner) - target
        return {LOSS: loss, "validation_brier": float(tf.reduce_mean(tf.square(apart)))}

    def _loss(self, inner: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        if self.task is Task.CLASSIFICATION:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(target, inner)
        else:
            losses = tf.square(target - inner)
        return tf.reduce_mean(losses)

    def state(self) -> Arrays:
        return {str(place): it.numpy().copy() for place, it in enumerate(self._variables())}

    def restore(self, state: Arrays) -> None:
        for place, variable in enumerate(self._variables()):
            variable.assign(state[str(place)])

    def _variables(self) -> list[Any]:
        return [*self.inner.variables, *self.optimiser.variables]


def _tensor(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values, tf.float32)


def device(asked: str) -> str:
    """Choose where to fit; raises UsageError for a GPU that is not there."""
    there = bool(tf.config.list_physical_devices("GPU"))
    if asked == "gpu" and not there:
        raise UsageError(
            "params.yaml: 'estimator.device' = 'gpu', but TensorFlow sees none; use auto or cpu, "
            "or install CUDA for it (docs/framework.md)"
        )
    return "/GPU:0" if there and asked != "cpu" else "/CPU:0"


def fit(
    task: Task,
    hyperparameters: Hyperparameters,
    seed: int,
    sizes: Sequence[int],
    train: Labelled,
    validation: Labelled,
    watch: Watch,
) -> Network:
    """Fit on the training rows, stopping early on the validation rows.

    `sizes` says how many categories each column has, 0 for a number. On a CPU the same rows, seed
    and hyperparameters give the same network on any number of cores.
    """
    place = device(hyperparameters.device)
    schedule = Schedule(**hyperparameters.model_dump(include=set(Schedule._fields)))
    architecture = _Architecture(task, hyperparameters, sizes, train)
    rows = {"train": train, "validation": validation}
    keras.utils.set_random_seed(seed)
    with tf.device(place):
        precision = "mixed_bfloat16" if "GPU" in place else "float32"
        learner = _Learner(architecture, precision, rows)
        in_epochs(learner, schedule, len(train.target), seed, watch)
        weights = learner.inner.get_weights()
    _, model = architecture.build("float32")
    model.set_weights(weights)
    return Network(model)


def scores(network: Network, matrix: Matrix) -> Vector:
    """Return (rows,) probabilities of the event, or predicted numbers."""
    starts = range(0, max(len(matrix), 1), _ROWS_AT_ONCE)
    parts = [network.scores(_tensor(matrix[start : start + _ROWS_AT_ONCE])) for start in starts]
    return np.asarray(tf.concat(parts, 0), dtype=np.float64)


def save(network: Network, folder: Path) -> None:
    """Write the model in Keras' own format, made canonical: equal networks give equal bytes."""
    path = folder / _FILE
    network.model.save(path)
    path.write_bytes(_canonical(path))


def load(folder: Path) -> Network:
    """Read what `save` wrote; Keras runs no code of its own accord in its safe mode."""
    return Network(keras.models.load_model(folder / _FILE, compile=False, safe_mode=True))


def flavor(folder: str) -> dict[str, dict[str, Any]]:
    """Return MLflow's native flavor of what `save` wrote into a folder of the model directory."""
    return {
        "tensorflow": {
            "data": folder,
            "model_type": "keras",
            "keras_module": "keras",
            "keras_version": keras.__version__,
            "save_format": "keras",
        }
    }


def platform() -> str:
    """Return what a fit on this machine depends on beside the CPU's linear algebra."""
    gpus = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    names = [str(it.get("device_name")) for it in gpus]
    return " ".join([*(["oneDNN"] if IsMklEnabled() else []), *names])


def _canonical(path: Path) -> bytes:
    """Take the time of day and the addresses of objects out of a Keras archive."""
    with zipfile.ZipFile(path) as source:
        files = {name: source.read(name) for name in source.namelist()}
    about = json.loads(files["metadata.json"]) | {"date_saved": _ALWAYS}
    config = json.loads(files["config.json"], object_hook=_without_address)
    files["metadata.json"] = json.dumps(about, sort_keys=True).encode()
    files["config.json"] = json.dumps(config, sort_keys=True).encode()
    return archives.canonical(files)


def _without_address(values: dict[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in values.items() if name != "shared_object_id"}
