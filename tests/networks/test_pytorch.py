"""What only PyTorch's estimator promises."""

import io
import json
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import mlflow.pytorch
import numpy as np
import pytest
import rows
import torch
from fits import PLATFORM, fit, hyperparameters, labelled, matrix, numbers, said
from torch.overrides import TorchFunctionMode

from flight_delays import estimator as seam
from mlrails.core import files
from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.modeling import devices
from mlrails.modeling.epochs import Watch


def test_mlflow_loads_the_native_model(task: Task, model: Path) -> None:
    native = mlflow.pytorch.load_model(str(model))
    found = native(torch.from_numpy(matrix(task))).detach().numpy()
    np.testing.assert_allclose(found, seam.scores(rows.fitted(task).estimator, matrix(task)))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_native_model_takes_any_number_of_rows(task: Task, model: Path, count: int) -> None:
    native = mlflow.pytorch.load_model(str(model))
    columns = matrix(Task.REGRESSION).shape[1]
    each = (3,) if task is Task.MULTICLASS else ()
    assert native(torch.zeros(count, columns, dtype=torch.float64)).shape == (count, *each)


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
    monkeypatch.setattr(files, "canonical_pt2", lambda archive: archive)
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
    network = rows.fitted(task).estimator
    np.testing.assert_allclose(network.center, np.nanmean(numbers(), axis=0), rtol=1e-6)
    np.testing.assert_allclose(network.spread, np.nanstd(numbers(), axis=0), rtol=1e-6)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_threads_and_the_choice_of_algorithms_are_put_back(mode: int) -> None:
    threads, before = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    torch.set_num_threads(threads + 1)
    torch.set_deterministic_debug_mode(mode)
    try:
        seam.scores(fit(Task.REGRESSION, Watch(), epochs=1), matrix(Task.REGRESSION))
        assert torch.get_deterministic_debug_mode() == mode
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_deterministic_debug_mode(before)
        torch.set_num_threads(threads)


def test_scores_are_added_up_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two, a few rows differ in the last bit."""
    seen: list[int] = []
    network = rows.fitted(Task.REGRESSION).estimator
    threads = torch.get_num_threads()

    def inner(rows: torch.Tensor) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return rows[:, 0]

    monkeypatch.setattr(network, "inner", inner)
    torch.set_num_threads(2)
    try:
        seam.scores(network, matrix(Task.REGRESSION))
    finally:
        torch.set_num_threads(threads)
    assert seen == [1]


def test_a_network_that_does_not_fit_into_memory_is_out_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seam, "Network", lambda *_, **__: torch.empty(1 << 50))
    with pytest.raises(MemoryError):
        fit(Task.REGRESSION, Watch())


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 4.00 PiB."),
        RuntimeError("CUDA error: out of memory"),  # where others have taken all of it
    ],
)
def test_neither_is_one_that_does_not_fit_into_that_of_a_gpu(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(seam, "_Learner", full)
    with pytest.raises(MemoryError):
        fit(Task.REGRESSION, Watch())


def test_other_errors_of_pytorch_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seam, "Network", lambda *_, **__: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError, match="size"):
        fit(Task.REGRESSION, Watch())


def learner() -> seam._Learner:
    task, sizes = Task.REGRESSION, rows.fitted(Task.REGRESSION).encoder.sizes
    parts = {part: labelled(task, part) for part in ("train", "validation")}
    return seam._Learner(seam.Network(task, sizes, 4, 2, 32), hyperparameters(), parts)


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_without_bfloat16_of_its_own_fits_in_whole_precision(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old one emulates it, slower than it would be in whole precision."""

    def supported(including_emulation: bool = True) -> bool:
        return native or including_emulation

    assert not learner().mixed
    monkeypatch.setattr(devices, "of_torch", lambda asked: torch.device("meta"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert learner().mixed is native


def test_to_learn_from_a_batch_no_gpu_has_to_be_done_with_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The processor sends it from pinned memory and goes on; a list it would send and wait."""
    rows.fitted(Task.REGRESSION)  # which the rows are encoded by
    pinned: list[bool] = []
    at_once: list[bool] = []
    lists: list[object] = []

    class Seen(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            more = dict(kwargs or {})
            if func is torch.tensor and isinstance(args[0], np.ndarray):
                pinned.append(more.pop("pin_memory", False))
            if func is torch.Tensor.to and args[0].device.type == "cpu":
                at_once.append(more.get("non_blocking", False))
            if func is torch.Tensor.__getitem__ and isinstance(args[1], tuple):
                lists.extend(it for it in args[1] if isinstance(it, list))
            return func(*args, **more)

    monkeypatch.setattr(devices, "of_torch", lambda asked: torch.device("meta"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch, "autocast", lambda *_: nullcontext())  # It knows no such device.
    there = learner()
    with Seen():
        loss = there.learn(np.arange(32))
    assert loss.device.type == "meta"
    assert (pinned, at_once, lists) == ([True], [True], [])


def test_what_is_fitted_in_mixed_precision_is_served_in_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Mixed(seam._Learner):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self.mixed = True

    task = Task.REGRESSION
    whole = seam.scores(rows.fitted(task).estimator, matrix(task))
    monkeypatch.setattr(seam, "_Learner", Mixed)
    network = fit(task, Watch())
    found = seam.scores(network, matrix(task))
    assert {it.dtype for it in network.parameters()} == {torch.float32}
    assert 0 < np.abs(found - whole).max() < 0.2 * np.abs(whole).max()


def test_a_gpu_that_is_not_there_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=r"'estimator.device' = 'gpu', but PyTorch sees none"):
        devices.of_torch("gpu")
    assert devices.of_torch("auto").type == devices.of_torch("cpu").type == "cpu"


def test_a_gpu_that_is_there_is_used_unless_the_cpu_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.of_torch("auto").type == devices.of_torch("gpu").type == "cuda"
    assert devices.of_torch("cpu").type == "cpu"


def test_the_shape_of_the_network_stands_beside_its_weights(task: Task, model: Path) -> None:
    from safetensors import safe_open

    with safe_open(next(model.rglob("network.safetensors")), "pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about == rows.fitted(task).estimator.about


def test_other_instructions_of_the_cpu_are_another_platform() -> None:
    assert said(PLATFORM, ATEN_CPU_CAPABILITY="default") == ["DEFAULT"]
    assert seam.platform().startswith(torch.backends.cpu.get_cpu_capability())


def test_a_gpu_and_the_build_for_it_are_part_of_the_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    alone = seam.platform()
    assert alone.strip() == torch.backends.cpu.get_cpu_capability()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    assert seam.platform() == f"{alone} Some GPU CUDA 13.0 cuDNN 91002"
