"""What only PyTorch's estimator promises."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import mlflow.pytorch
import numpy as np
import pytest
import torch

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
    native = mlflow.pytorch.load_model(str(model))
    found = native(torch.from_numpy(matrix(task).astype(np.float32))).detach().numpy()
    np.testing.assert_allclose(found, seam.scores(rows.fitted(task).estimator, matrix(task)))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_native_model_takes_any_number_of_rows(model: Path, count: int) -> None:
    native = mlflow.pytorch.load_model(str(model))
    columns = matrix(Task.REGRESSION).shape[1]
    assert native(torch.zeros(count, columns)).shape == (count,)


def program(model: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(model.rglob("model.pt2")))


def test_the_program_does_not_tell_where_its_code_stood(model: Path) -> None:
    archive = program(model)
    (name,) = (name for name in archive.namelist() if name.endswith("model.json"))
    text = archive.read(name).decode()
    assert "stack_trace" not in text
    assert str(rows.ROOT) not in text


def test_pytorch_alone_would_keep_a_pickle_and_where_its_code_stood(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "_canonical", lambda archive: archive)
    seam.save(rows.fitted(task).estimator, tmp_path)
    archive = program(tmp_path)
    assert "stack_trace" in archive.read("archive/models/model.json").decode()
    inputs = archive.read("archive/data/sample_inputs/model.pt")
    assert "archive/data.pkl" in zipfile.ZipFile(io.BytesIO(inputs)).namelist()


def test_the_weights_and_the_program_are_of_one_network(task: Task, model: Path) -> None:
    folder = next(model.rglob("model.pt2")).parent
    weights = seam.load(folder).state_dict()
    exported = torch.export.load(folder / "model.pt2").state_dict
    assert weights.keys() == exported.keys()
    assert all(torch.equal(weights[name], exported[name]) for name in weights)


def test_means_and_spreads_are_those_of_the_training_rows(task: Task) -> None:
    network, encoder = rows.fitted(task).estimator, rows.fitted(task).encoder
    numbers = labelled(task, "train").matrix[:, [not size for size in encoder.sizes]]
    np.testing.assert_allclose(network.center, np.nanmean(numbers, axis=0), rtol=1e-6)
    np.testing.assert_allclose(network.spread, np.nanstd(numbers, axis=0), rtol=1e-6)


def test_the_number_of_threads_is_put_back(task: Task) -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    fit(task, Watch(), epochs=1)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_a_loss_that_is_no_number_is_said_with_its_place() -> None:
    with pytest.raises(UsageError, match=r"the loss is (nan|inf) on .* epoch \d.*learning_rate"):
        fit(Task.REGRESSION, Watch(), learning_rate=1.0, weight_decay=1e9)


def test_a_gpu_that_is_not_there_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=r"'estimator.device' = 'gpu', but PyTorch sees none"):
        seam.device("gpu")
    assert seam.device("auto").type == seam.device("cpu").type == "cpu"


def test_a_gpu_that_is_there_is_used_unless_the_cpu_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert seam.device("auto").type == seam.device("gpu").type == "cuda"
    assert seam.device("cpu").type == "cpu"


def test_the_shape_of_the_network_stands_beside_its_weights(task: Task, model: Path) -> None:
    from safetensors import safe_open

    with safe_open(next(model.rglob("network.safetensors")), "pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about == rows.fitted(task).estimator.about


def test_other_instructions_of_the_cpu_are_another_platform() -> None:
    code = f"from {rows.PACKAGE} import estimator; print(estimator.platform())"
    environment = os.environ | {"PYTHONPATH": str(rows.ROOT / "src")}
    environment |= {"ATEN_CPU_CAPABILITY": "default"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["DEFAULT"]
    assert seam.platform().startswith(torch.backends.cpu.get_cpu_capability())


def test_the_name_of_a_gpu_is_part_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    assert seam.platform().endswith(" Some GPU")
