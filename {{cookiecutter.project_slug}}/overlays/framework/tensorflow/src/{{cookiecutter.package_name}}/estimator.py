"""The seam: a network of Keras on TensorFlow, for tables. Replace this one file for another model.

What the rest of the project asks of it: `Hyperparameters`, `CATEGORIES`, `fit`, `scores`, `save`,
`load`, `flavor` and `platform`; it hands over the matrix of `features.py` and never looks inside.

How to change this: whatever `save` writes must be the same bytes for the same fit, hold no pickle,
and load again where only the model directory and `requirements.lock` are there. `tests/
test_estimator.py` is the contract; run it after every change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from mlrails.data.arrays import Matrix, Vector
    from mlrails.modeling.dataset import Labelled
    from mlrails.modeling.epochs import Indices, Watch

CATEGORIES = "embeddings, learnt with the network"
"""How the estimator sees a category; the report says so."""
_FILE = "model.keras"
_ROWS_AT_ONCE = 65_536
_CPU = "/CPU:0"
_FAR = 5.0
"""Standard deviations from the mean beyond which a number says no more."""

with suppress(RuntimeError):  # TensorFlow is at work already; a fit asks again, and refuses.
    # Models written earlier ask for one thread when loaded, which fails later, but for the same.
    tf.config.threading.set_intra_op_parallelism_threads(1)


class Hyperparameters(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
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


class Network:
    """A Keras model that takes the matrix of `features.py` in 64 bits, and gives the scores."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        rows = tf.TensorSpec([None, model.input_shape[1]], tf.float64)
        self.scores = tf.function(self._scores, input_signature=[rows])

    def _scores(self, matrix: tf.Tensor) -> tf.Tensor:
        with tf.device(_CPU):
            return self.model(matrix, training=False)


class _Architecture:
    """Embeddings of categories and standardised numbers, through layers of one width."""

    def __init__(
        self, task: str, hyperparameters: Hyperparameters, sizes: Sequence[int], train: Labelled
    ) -> None:
        from mlrails.modeling.dataset import units

        self.classes = int(train.target.max()) + 1 if task == "multiclass" else 0
        self.classifies = task != "regression"
        self.hyperparameters, self.columns = hyperparameters, len(sizes)
        self.categories = {column: size for column, size in enumerate(sizes) if size}
        self.numbers = np.array([column for column, size in enumerate(sizes) if not size], int)
        self.center, self.spread = units(train.matrix[:, self.numbers])
        self.middle, self.unit = np.zeros(1), np.ones(1)
        if not self.classifies:
            self.middle, self.unit = units(train.target[:, None])

    def build(self, precision: str) -> tuple[keras.Model, keras.Model]:
        """Return a model of log-odds, or of numbers in spreads of the target, and one of scores.

        They share their weights, which are drawn by chance. Names are given anew from the first
        one on, so that a second model of a process has the same.
        """
        keras.utils.clear_session(free_memory=False)
        shape = self.hyperparameters
        matrix = keras.Input((self.columns,), dtype="float64", name="matrix")
        found = [self._embedded(matrix, *it) for it in self.categories.items()]
        values = layers.Concatenate()([*found, *self._standardised(matrix)])
        for _ in range(shape.layers):
            values = layers.Dense(shape.width, activation="relu", dtype=precision)(values)
            values = layers.Dropout(shape.dropout, dtype=precision)(values)
        inner = layers.Dense(self.classes or 1, dtype="float32")(values)
        if self.classes:
            return keras.Model(matrix, inner), keras.Model(matrix, ops.softmax(inner))
        inner = ops.squeeze(inner, 1)
        in_units = layers.Rescaling(self.unit, self.middle, dtype="float64")
        outer = ops.sigmoid if self.classifies else in_units
        return keras.Model(matrix, inner), keras.Model(matrix, outer(inner))

    def _embedded(self, matrix: Any, column: int, size: int) -> Any:
        """Return what stands for a category; the first place is for what is unknown or missing."""
        code = matrix[:, column]
        known = ops.logical_and(code >= 0, code < size)
        place = ops.cast(ops.where(known, code + 1, 0.0), "int32")
        width = min(self.hyperparameters.embedding, size)
        return layers.Embedding(size + 1, width, name=f"column_{column}")(place)

    def _standardised(self, matrix: Any) -> tuple[Any, Any]:
        """Return the numbers, missing ones as the mean, and which of them are missing."""
        numbers = ops.take(matrix, self.numbers, axis=1)
        # Keras' own Normalization, and plain floats in the place of arrays, are of 32 bits.
        scale, offset = 1 / self.spread, -self.center / self.spread
        numbers = layers.Rescaling(scale, offset, dtype="float64")(numbers)
        missing = ops.isnan(numbers)
        numbers = ops.where(missing, 0.0, ops.clip(numbers, -_FAR, _FAR))
        return ops.cast(numbers, "float32"), ops.cast(missing, "float32")


class _Learner:
    """A model with its optimiser and its rows, on one device."""

    def __init__(
        self, architecture: _Architecture, precision: str, rows: Mapping[str, Labelled]
    ) -> None:
        from mlrails.modeling import epochs
        from mlrails.modeling.dataset import unknown

        self.classifies, self.classes = architecture.classifies, architecture.classes
        self.inner, _ = architecture.build(precision)
        decay = architecture.hyperparameters.weight_decay
        self.optimiser = keras.optimizers.AdamW(weight_decay=decay)
        self.optimiser.build(self.inner.trainable_variables)
        codes, categories = rows["train"].matrix, architecture.categories
        shares = (unknown(codes[:, it], size) for it, size in categories.items())
        self.unknown = [tf.constant(it[None], tf.float32) for it in shares]
        self.tables = [self.inner.get_layer(f"column_{it}").embeddings for it in categories]
        # What stands for an unknown category goes on from what it learnt, not from what it scores.
        self.learnt = [tf.Variable(it[:1]) for it in self.tables]
        kept = epochs.OfKeras([*self.inner.variables, *self.optimiser.variables, *self.learnt])
        self.state, self.restore = kept.state, kept.restore
        middle, self.unit = architecture.middle, architecture.unit
        self.rows = {
            part: [tf.constant(values) for values in it.in_units(middle, self.unit)]
            for part, it in rows.items()
        }
        # Traced once for batches of any length.
        like = [tf.TensorSpec([None, *it.shape[1:]], it.dtype) for it in self.rows["train"]]
        self._step = tf.function(self._learn, input_signature=like)
        self._infer = tf.function(self.inner, input_signature=like[:1])

    def begin(self, seed: int, learning_rate: float) -> None:
        self.optimiser.learning_rate = learning_rate
        for table, row in zip(self.tables, self.learnt, strict=True):
            table.assign(ops.concatenate([row, table[1:]]))
        drops = [it for it in self.inner.layers if isinstance(it, layers.Dropout) and it.rate]
        for place, layer in enumerate(drops):
            layer.seed_generator.state.assign([seed + place, 0])

    def learn(self, rows: Indices) -> tf.Tensor:
        return self._step(*(tf.gather(it, rows) for it in self.rows["train"]))

    def _learn(
        self, matrix: tf.Tensor, target: tf.Tensor, weight: tf.Tensor | None = None
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._loss(self.inner(matrix, training=True), target, weight)
        weights = self.inner.trainable_variables
        self.optimiser.apply(tape.gradient(loss, weights), weights)
        return loss

    def validate(self) -> Mapping[str, float]:
        for table, row, shares in zip(self.tables, self.learnt, self.unknown, strict=True):
            row.assign(table[:1])
            table.assign(ops.concatenate([ops.matmul(shares, table), table[1:]]))
        matrix, target, *weight = self.rows["validation"]
        starts = range(0, len(target), _ROWS_AT_ONCE)
        parts = [self._infer(matrix[start : start + _ROWS_AT_ONCE]) for start in starts]
        inner = tf.concat(parts, 0)
        loss = float(self._loss(inner, target, *weight))
        if not self.classifies:
            return {"validation_loss": loss, "validation_rmse": loss**0.5 * self.unit.item()}
        if self.classes:
            one = tf.one_hot(tf.cast(target, tf.int32), self.classes)
            off = tf.reduce_sum(tf.square(tf.nn.softmax(inner) - one), 1)
        else:
            off = tf.square(tf.sigmoid(inner) - target)
        return {"validation_loss": loss, "validation_brier": float(_mean(off, *weight))}

    def _loss(
        self, inner: tf.Tensor, target: tf.Tensor, weight: tf.Tensor | None = None
    ) -> tf.Tensor:
        if self.classes:
            place = tf.cast(target, tf.int32)
            return _mean(tf.nn.sparse_softmax_cross_entropy_with_logits(place, inner), weight)
        if self.classifies:
            return _mean(tf.nn.sigmoid_cross_entropy_with_logits(target, inner), weight)
        return _mean(tf.math.squared_difference(target, inner), weight)


def _mean(losses: tf.Tensor, weight: tf.Tensor | None = None) -> tf.Tensor:
    """Return the mean of losses, each of which counts by its weight."""
    return tf.reduce_mean(losses if weight is None else losses * weight)


def fit(
    task: str,
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
    from mlrails.modeling import devices
    from mlrails.modeling.epochs import Schedule, in_epochs

    place, precision = devices.of_tensorflow(hyperparameters.device)
    architecture = _Architecture(task, hyperparameters, sizes, train)
    keras.utils.set_random_seed(seed)
    try:
        with tf.device(place):
            learner = _Learner(architecture, precision, {"train": train, "validation": validation})
            in_epochs(learner, Schedule.of(hyperparameters), len(train.target), seed, watch)
        with tf.device(_CPU):
            _, model = architecture.build("float32")
            model.set_weights(learner.inner.get_weights())
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error
    return Network(model)


def scores(network: Network, matrix: Matrix) -> Vector:
    """Return (rows,) probabilities of the event, or numbers; of several classes (rows, classes)."""
    starts = range(0, max(len(matrix), 1), _ROWS_AT_ONCE)
    with tf.device(_CPU):  # The rows as well, which would go by way of a GPU where there is one.
        parts = [network.scores(matrix[it : it + _ROWS_AT_ONCE].astype(float)) for it in starts]
    return np.concatenate(parts).astype(np.float64)


def save(network: Network, folder: Path) -> None:
    """Write the model in Keras' own format, made canonical: equal networks give equal bytes."""
    from mlrails.core import files

    path = folder / _FILE
    network.model.save(path)
    path.write_bytes(files.canonical_keras(path.read_bytes()))


def load(folder: Path) -> Network:
    """Read what `save` wrote; Keras runs no code of its own accord in its safe mode."""
    with tf.device(_CPU):
        return Network(keras.models.load_model(folder / _FILE, compile=False, safe_mode=True))


def flavor(folder: str) -> dict[str, dict[str, Any]]:
    """Return MLflow's native flavor of what `save` wrote into a folder of the model directory."""
    file = {"data": folder, "model_type": "keras", "save_format": "keras"}
    return {"tensorflow": file | {"keras_module": "keras", "keras_version": keras.__version__}}


def platform() -> str:
    """Return what a fit on this machine depends on beside the CPU's linear algebra."""
    from mlrails.modeling import devices

    return devices.platform_of_tensorflow()
