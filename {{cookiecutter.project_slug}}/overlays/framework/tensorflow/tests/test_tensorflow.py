"""What only TensorFlow's estimator promises."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import mlflow.tensorflow
import numpy as np
import pytest
import tensorflow as tf

from flight_delays import estimator as seam
from flight_delays.errors import UsageError
from flight_delays.features import Matrix
from flight_delays.fitting import Labelled, Watch
from flight_delays.task import Task

import rows


def matrix(task: Task) -> Matrix:
    return rows.fitted(task).encoder.encode(rows.parts()["test"])


def labelled(task: Task, part: str) -> Labelled:
    frame = {str(name): frame for name, frame in rows.parts().items()}[part]
    target = frame[rows.parameters(task).data.target].to_numpy(float)
    return Labelled(rows.fitted(task).encoder.encode(frame), target)


def fit(task: Task, watch: Watch, **changes: object) -> seam.Network:
    hyperparameters = seam.Hyperparameters(**rows.values()["estimator"] | changes)
    train, validation = labelled(task, "train"), labelled(task, "validation")
    sizes = rows.fitted(task).encoder.sizes
    return seam.fit(task, hyperparameters, 7, sizes, train, validation, watch)


def test_mlflow_loads_the_native_model(task: Task, model: Path) -> None:
    native = mlflow.tensorflow.load_model(str(model))
    assert isinstance(native, keras.Model)
    found = native(matrix(task).astype(np.float32), training=False)
    wanted = seam.scores(rows.fitted(task).estimator, matrix(task))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_it_loads_where_pickles_are_not_allowed(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    assert mlflow.tensorflow.load_model(str(model))
    assert mlflow.pyfunc.load_model(str(model))


def config(folder: Path) -> str:
    return zipfile.ZipFile(next(folder.rglob("model.keras"))).read("config.json").decode()


def test_no_object_bears_its_address(model: Path) -> None:
    assert "shared_object_id" not in config(model)


def test_keras_alone_would_write_other_bytes_each_time(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "_canonical", lambda path: path.read_bytes())
    seam.save(rows.fitted(task).estimator, tmp_path)
    first = config(tmp_path)
    seam.save(seam.load(tmp_path), tmp_path)
    assert config(tmp_path) != first


def test_a_second_model_of_a_process_has_the_names_of_the_first(task: Task) -> None:
    first, second = (fit(task, Watch(), epochs=1).model for _ in range(2))
    assert [it.name for it in first.layers] == [it.name for it in second.layers]


def test_means_and_spreads_are_those_of_the_training_rows(task: Task, model: Path) -> None:
    (normal,) = (
        layer
        for layer in rows.fitted(task).estimator.model.layers
        if isinstance(layer, keras.layers.Normalization)
    )
    encoder = rows.fitted(task).encoder
    numbers = labelled(task, "train").matrix[:, [not size for size in encoder.sizes]]
    np.testing.assert_allclose(np.squeeze(normal.mean), np.nanmean(numbers, axis=0), rtol=1e-6)
    variance = np.squeeze(normal.variance)
    np.testing.assert_allclose(variance, np.nanvar(numbers, axis=0), rtol=1e-6)
    assert json.loads(config(model))["class_name"] == "Functional"


def test_a_loss_that_is_no_number_is_said_with_its_place() -> None:
    with pytest.raises(UsageError, match=r"the loss is (nan|inf) on .* epoch \d.*learning_rate"):
        fit(Task.REGRESSION, Watch(), learning_rate=1.0, weight_decay=1e9)


def test_a_gpu_that_is_not_there_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(UsageError, match=r"'estimator.device' = 'gpu', but TensorFlow sees none"):
        seam.device("gpu")
    assert seam.device("auto") == seam.device("cpu") == "/CPU:0"


def test_a_gpu_that_is_there_is_used_unless_the_cpu_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one"])
    assert seam.device("auto") == seam.device("gpu") == "/GPU:0"
    assert seam.device("cpu") == "/CPU:0"


def test_weights_in_two_precisions_are_one_and_the_same() -> None:
    """What is fitted in mixed precision on a GPU is served in whole precision."""
    task = Task.REGRESSION
    hyperparameters = seam.Hyperparameters(**rows.values()["estimator"])
    sizes = rows.fitted(task).encoder.sizes
    architecture = seam._Architecture(task, hyperparameters, sizes, labelled(task, "train"))
    mixed, _ = architecture.build("mixed_bfloat16")
    weights = mixed.get_weights()
    _, whole = architecture.build("float32")
    whole.set_weights(weights)
    near = mixed(matrix(task)[:50].astype(np.float32)) * architecture.unit + architecture.middle
    found = seam.scores(seam.Network(whole), matrix(task)[:50])
    assert 0 < np.abs(found - near).max() < 0.05 * np.abs(found).max()


@pytest.mark.parametrize("flag", ["0", "1"])
def test_the_library_below_is_part_of_the_platform(flag: str) -> None:
    code = f"from {rows.PACKAGE} import estimator; print(estimator.platform())"
    environment = os.environ | {"PYTHONPATH": str(rows.ROOT / "src")}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": flag, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["oneDNN"] * int(flag)


def test_the_name_of_a_gpu_is_part_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    about = {"device_name": "Some GPU"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: about)
    assert seam.platform().endswith("Some GPU")
