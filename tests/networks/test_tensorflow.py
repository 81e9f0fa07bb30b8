"""What only TensorFlow's estimator promises."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import mlflow.tensorflow
import numpy as np
import pytest
import rows
import tensorflow as tf
from fits import PLATFORM, fit, hyperparameters, labelled, matrix, numbers, said

from flight_delays import estimator as seam
from mlrails.core import files
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.params import Task
from mlrails.data.arrays import Matrix
from mlrails.modeling import devices
from mlrails.modeling.epochs import Watch


def test_mlflow_loads_the_native_model(task: Task, model: Path) -> None:
    native = mlflow.tensorflow.load_model(str(model))
    assert isinstance(native, keras.Model)
    found = native(matrix(task), training=False)
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
    monkeypatch.setattr(files, "canonical_keras", lambda archive: archive)
    seam.save(rows.fitted(task).estimator, tmp_path)
    first = config(tmp_path)
    seam.save(seam.load(tmp_path), tmp_path)
    assert config(tmp_path) != first


def test_a_second_model_of_a_process_has_the_names_of_the_first(task: Task) -> None:
    first, second = (fit(task, Watch(), epochs=1).model for _ in range(2))
    assert [it.name for it in first.layers] == [it.name for it in second.layers]


def test_means_and_spreads_are_those_of_the_training_rows(task: Task, model: Path) -> None:
    normal = next(
        layer
        for layer in rows.fitted(task).estimator.model.layers
        if isinstance(layer, keras.layers.Rescaling)
    )
    np.testing.assert_allclose(-normal.offset / normal.scale, np.nanmean(numbers(), axis=0))
    np.testing.assert_allclose(1 / normal.scale, np.nanstd(numbers(), axis=0))
    assert json.loads(config(model))["class_name"] == "Functional"


def test_a_gpu_that_is_not_there_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(UsageError, match=r"'estimator.device' = 'gpu', but TensorFlow sees none"):
        devices.of_tensorflow("gpu")
    assert devices.of_tensorflow("auto") == devices.of_tensorflow("cpu") == ("/CPU:0", "float32")


@pytest.mark.parametrize(
    ("asked", "place", "used"),
    [("auto", "/GPU:0", ["one"]), ("gpu", "/GPU:0", ["one"]), ("cpu", "/CPU:0", [])],
)
def test_a_gpu_that_is_there_is_used_unless_the_cpu_is_asked_for(
    asked: str, place: str, used: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And takes no more of its memory than it needs, and whole numbers for its products."""
    seen: list[str] = []
    growing: list[str] = []
    tf.config.experimental.enable_tensor_float_32_execution(True)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one", "two"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda it: {})
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda it, kind: seen.extend(it))
    growth = tf.config.experimental
    monkeypatch.setattr(growth, "set_memory_growth", lambda it, yes: growing.append(it))
    assert devices.of_tensorflow(asked)[0] == place
    assert seen == growing == used
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


def gpus(monkeypatch: pytest.MonkeyPatch, *found: dict[str, object]) -> None:
    """Let TensorFlow see GPUs, of which it knows so much."""
    numbers = list(range(len(found)))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: numbers)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", found.__getitem__)


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((8, 0), "mixed_bfloat16"), ((12, 0), "mixed_bfloat16"), ((7, 5), "float32")],
)
def test_a_gpu_without_bfloat16_of_its_own_fits_in_whole_precision(
    capability: tuple[int, int], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda it, kind: None)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda it, yes: None)
    gpus(monkeypatch, {"compute_capability": capability}, {"compute_capability": (9, 0)})
    assert devices.of_tensorflow("auto") == ("/GPU:0", precision)
    assert devices.of_tensorflow("cpu") == ("/CPU:0", "float32")
    gpus(monkeypatch, {})
    assert devices.of_tensorflow("auto") == ("/GPU:0", "float32")


def test_where_tensorflow_is_at_work_in_another_way_no_fit_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(threads: int) -> None:
        raise RuntimeError("cannot be modified after initialization")

    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", refuse)
    with pytest.raises(WorldError, match="at work in this process already"):
        fit(Task.REGRESSION, Watch())


IN_A_PROCESS_OF_ITS_OWN = """
import sys
import mlflow
import numpy as np
import tensorflow as tf
folder = sys.argv[1]
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.constant(1.0) + 1
native = mlflow.tensorflow.load_model(folder)
model = mlflow.pyfunc.load_model(folder)
found = model.predict(mlflow.models.Model.load(folder).load_input_example(folder))
print(len(found), tf.config.threading.get_intra_op_parallelism_threads())
"""


# What TensorFlow does in a process of its own, whatever the model tells; it takes seconds to begin.
in_one_task = pytest.mark.parametrize("task", [Task.REGRESSION], indirect=True)


@in_one_task
def test_a_model_loads_where_tensorflow_is_at_work_already(model: Path) -> None:
    count, threads = said(IN_A_PROCESS_OF_ITS_OWN, str(model))
    assert int(count) > 0
    assert threads == "2"


@in_one_task
def test_a_model_of_an_earlier_version_may_ask_for_one_thread_once_another_scores(
    model: Path,
) -> None:
    """The gate scores the challenger first; what an older champion carries asks when imported."""
    code = f"""
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf
from {rows.PACKAGE} import estimator
network = estimator.load(Path(sys.argv[1]))
estimator.scores(network, np.zeros((3, network.model.input_shape[1])))
tf.config.threading.set_intra_op_parallelism_threads(1)
"""
    said(code, str(next(model.rglob("model.keras")).parent))


def test_scores_are_computed_on_the_processor(task: Task) -> None:
    scores = rows.fitted(task).estimator.scores.get_concrete_function()
    products = [it for it in scores.graph.get_operations() if it.type == "MatMul"]
    assert products
    assert {it.device for it in products} == {"/device:CPU:0"}


def test_rows_do_not_go_by_way_of_a_gpu_to_be_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[str] = []
    seen: list[list[str]] = []

    @contextmanager
    def place(name: str) -> Iterator[None]:
        places.append(name)
        yield
        places.pop()

    def scores(rows: Matrix) -> Matrix:
        seen.append(places.copy())
        return rows[:, 0]

    monkeypatch.setattr(tf, "device", place)
    network: Any = SimpleNamespace(scores=scores)
    assert len(seam.scores(network, np.zeros((3, 2)))) == 3
    assert seen == [["/CPU:0"]]


def test_a_network_that_does_not_fit_into_memory_is_out_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seam, "_Learner", lambda *_: tf.zeros([1 << 50]))
    with pytest.raises(MemoryError):
        fit(Task.REGRESSION, Watch())


def test_layers_of_equal_width_drop_other_units() -> None:
    task, sizes = Task.REGRESSION, rows.fitted(Task.REGRESSION).encoder.sizes
    train = labelled(task, "train")
    architecture = seam._Architecture(task, hyperparameters(layers=3), sizes, train)
    learner = seam._Learner(architecture, "float32", {"train": train, "validation": train})
    learner.begin(7, 0.001)
    drops = [it for it in learner.inner.layers if isinstance(it, keras.layers.Dropout)]
    masks = {drop(np.ones((64, 32)), training=True).numpy().tobytes() for drop in drops * 2}
    assert len(drops) == 3
    assert len(masks) == 6


def test_weights_in_two_precisions_are_one_and_the_same() -> None:
    """What is fitted in mixed precision on a GPU is served in whole precision."""
    task = Task.REGRESSION
    sizes = rows.fitted(task).encoder.sizes
    architecture = seam._Architecture(task, hyperparameters(), sizes, labelled(task, "train"))
    mixed, _ = architecture.build("mixed_bfloat16")
    weights = mixed.get_weights()
    _, whole = architecture.build("float32")
    whole.set_weights(weights)
    near = mixed(matrix(task)[:50]) * architecture.unit + architecture.middle
    found = seam.scores(seam.Network(whole), matrix(task)[:50])
    assert 0 < np.abs(found - near).max() < 0.05 * np.abs(found).max()


@pytest.mark.parametrize("flag", ["0", "1"])
def test_the_library_below_is_part_of_the_platform(flag: str) -> None:
    found = said(PLATFORM, TF_ENABLE_ONEDNN_OPTS=flag, CUDA_VISIBLE_DEVICES="")
    assert found == ["oneDNN"] * int(flag)


def test_a_fit_is_in_the_precision_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()

    class Seen(seam._Learner):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            seen.update(it.compute_dtype for it in self.inner.layers if "dense" in it.name)

    monkeypatch.setattr(seam, "_Learner", Seen)
    monkeypatch.setattr(devices, "of_tensorflow", lambda asked: ("/CPU:0", "mixed_bfloat16"))
    network = fit(Task.REGRESSION, Watch(), epochs=1)
    assert seen == {"bfloat16", "float32"}
    assert {it.dtype for it in network.model.weights} == {"float32"}


def test_a_gpu_and_the_build_for_it_are_part_of_the_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two GPUs the first one, which a fit takes."""
    build = {"cuda_version": "12.5.1", "cudnn_version": "9"}
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: build)
    gpus(monkeypatch)
    alone = seam.platform()
    assert "CUDA" not in alone
    gpus(monkeypatch, {"device_name": "Some GPU"}, {"device_name": "Another GPU"})
    assert seam.platform() == f"{alone} Some GPU CUDA 12.5.1 cuDNN 9".strip()
