"""One run, every write of which can be repeated: the real store and the fake, alike."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Param
from mlflow.exceptions import MlflowException

from mlrails.core import processes
from mlrails.core.errors import WorldError
from mlrails.tracking import runs


@pytest.fixture
def run(client: Any, experiment: str) -> runs.Run:
    return runs.Run(client, client.create_run(experiment).info.run_id, "the store")


def again(run: runs.Run) -> runs.Run:
    """Return the same run as another process would see it."""
    return runs.Run(run._client, run.id, "the store")


def points(client: Any, run: runs.Run, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in client.get_metric_history(run.id, name)]


def files(client: Any, run: runs.Run, folder: str = "") -> Iterator[str]:
    for found in client.list_artifacts(run.id, folder):
        if found.is_dir:
            yield from files(client, run, found.path)
        else:
            yield found.path


def test_params_written_twice_are_there_once(client: Any, run: runs.Run) -> None:
    run.log_params({"seed": 7, "data.until": None})
    again(run).log_params({"seed": 7, "data.until": None, "task": "regression"})
    expected = {"seed": "7", "data.until": "None", "task": "regression"}
    assert client.get_run(run.id).data.params == expected


def test_a_param_keeps_the_spelling_that_it_was_first_given(client: Any, run: runs.Run) -> None:
    run.log_params({"rate": "5e-2"})
    run.log_params({"rate": 0.05})
    assert client.get_run(run.id).data.params == {"rate": "5e-2"}


def test_written_without_a_look_another_spelling_would_be_refused(
    client: Any, run: runs.Run
) -> None:
    run.log_params({"rate": "5e-2"})
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_batch(run.id, params=[Param("rate", "0.05")])


HISTORY = {"loss": {0: 0.5, 1: 0.25, 2: 0.125}, "gain": {0: 1.0}}


def test_a_history_written_twice_is_there_once(client: Any, run: runs.Run) -> None:
    run.log_history(HISTORY)
    run.log_history(HISTORY)
    again(run).log_history(HISTORY)
    assert points(client, run, "loss") == [(0, 0.5), (1, 0.25), (2, 0.125)]
    assert points(client, run, "gain") == [(0, 1.0)]


def test_a_history_that_was_broken_off_is_completed(client: Any, run: runs.Run) -> None:
    run.log_metrics({"loss": 0.5}, 0)
    run.log_metrics({"loss": 0.25}, 1)
    again(run).log_history(HISTORY)
    assert points(client, run, "loss") == [(0, 0.5), (1, 0.25), (2, 0.125)]


def test_a_history_longer_than_a_batch_is_there_whole(
    client: Any, run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_BATCH", 7)
    run.log_history({"loss": {step: step / 2 for step in range(20)}})
    assert points(client, run, "loss") == [(step, step / 2) for step in range(20)]


def test_without_a_look_a_history_would_be_doubled(
    client: Any, run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.log_history(HISTORY)
    other = again(run)
    monkeypatch.setattr(other, "_steps", {"loss": set(), "gain": set()})
    monkeypatch.setattr(time, "time", lambda: 2e9)
    other.log_history(HISTORY)
    assert len(points(client, run, "loss")) == 6


def test_a_metric_without_a_value_is_refused_in_one_sentence(run: runs.Run) -> None:
    with pytest.raises(WorldError, match=r"tracking at the store failed: .*(None|Missing value)"):
        run.log_history({"loss": {0: None}})  # type: ignore[dict-item]


def test_tags_written_twice_hold_the_last_value(client: Any, run: runs.Run) -> None:
    run.set_tags({"digest": "a", "dirty": False})
    run.set_tags({"digest": "b"})
    tags = client.get_run(run.id).data.tags
    assert (tags["digest"], tags["dirty"]) == ("b", "False")


def test_a_data_set_written_twice_is_there_once(client: Any, run: runs.Run) -> None:
    for _ in range(2):
        run.log_data("train", "f" * 64, "data/prepared/train.parquet", context="train")
        run.log_data("test", "e" * 64, "data/prepared/test.parquet", context="test")
    found = client.get_run(run.id).inputs.dataset_inputs
    assert sorted((it.dataset.name, it.dataset.digest) for it in found) == [
        ("test", "e" * 36),
        ("train", "f" * 36),
    ]
    assert sorted(tag.value for it in found for tag in it.tags) == ["test", "train"]


def test_files_written_twice_are_there_once(client: Any, run: runs.Run, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    (folder / "plots").mkdir(parents=True)
    (folder / "report.md").write_text("fine")
    (folder / "plots" / "roc.svg").write_text("<svg/>")
    for _ in range(2):
        run.log_file(folder, "reports")
        run.log_file(folder / "report.md", "inputs")
        run.log_text("diff", "inputs/uncommitted.diff")
        run.log_file(tmp_path / "missing.txt")
    assert sorted(files(client, run)) == [
        "inputs/report.md",
        "inputs/uncommitted.diff",
        "reports/plots/roc.svg",
        "reports/report.md",
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    return tmp_path / "model"


def models(client: Any, run: runs.Run) -> list[tuple[str, str]]:
    experiment = client.get_run(run.id).info.experiment_id
    condition = f"source_run_id = '{run.id}' AND tags.digest = 'abc'"
    found = client.search_logged_models([experiment], condition)
    return [(model.model_id, str(model.status)) for model in found]


def outputs(client: Any, run: runs.Run) -> list[str]:
    return [output.model_id for output in client.get_run(run.id).outputs.model_outputs]


def test_a_model_logged_twice_is_there_once(client: Any, run: runs.Run, folder: Path) -> None:
    run.log_model(folder, "abc")
    run.log_model(folder, "abc")
    again(run).log_model(folder, "abc")
    ((model_id, status),) = models(client, run)
    assert status.endswith("READY")
    assert outputs(client, run) == [model_id]


def test_a_model_bears_its_params_its_figures_their_data_and_who_made_it(
    client: Any, run: runs.Run, folder: Path
) -> None:
    run.set_tags({runs.USER: "somebody"})
    run.log_params({"estimator.depth": 3})
    model_id = run.log_model(folder, "abc")
    run.log_data("test", "d" * 40, "data/test", "test")
    for _ in range(2):
        run.log_history({"test.auc": {0: 0.75}}, runs.Measured(model_id, "test", "d" * 40))
    model = client.get_logged_model(model_id)
    assert dict(model.params) == {"estimator.depth": "3"}
    assert model.tags[runs.USER] == "somebody"
    (metric,) = model.metrics
    assert (metric.key, metric.value) == ("test.auc", 0.75)
    assert (metric.dataset_name, metric.dataset_digest) == ("test", "d" * 36)
    assert client.get_run(run.id).data.metrics == {"test.auc": 0.75}


@pytest.mark.parametrize("call", ["log_model_artifacts", "finalize_logged_model", "log_outputs"])
def test_a_model_that_was_half_logged_is_completed_and_not_logged_anew(
    client: Any, run: runs.Run, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(client, call, _killed)
        with pytest.raises(KeyboardInterrupt):
            run.log_model(folder, "abc")
    again(run).log_model(folder, "abc")
    ((model_id, status),) = models(client, run)
    assert status.endswith("READY")
    assert outputs(client, run) == [model_id]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_model_that_is_never_found_would_be_logged_twice(
    client: Any, run: runs.Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.log_model(folder, "abc")
    monkeypatch.setattr(runs.Run, "_model", lambda self, experiment, digest: None)
    run.log_model(folder, "abc")
    assert len(models(client, run)) == 2


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_run_ends_as_what_happened_and_ends_once(
    client: Any, run: runs.Run, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.begin()
    assert client.get_run(run.id).info.status == "RUNNING"
    assert client.get_run(run.id).data.tags[processes.PROCESS] == processes.process_id()
    run.finish(status)
    assert client.get_run(run.id).info.status == status
    monkeypatch.setattr(client, "set_terminated", _killed)
    again(run).finish(status)


def test_a_run_that_ended_can_begin_again(client: Any, run: runs.Run) -> None:
    run.finish("FAILED")
    run.begin()
    assert client.get_run(run.id).info.status == "RUNNING"


WRITES: list[Callable[[runs.Run], object]] = [
    lambda run: run.log_params({"a": 1}),
    lambda run: run.log_metrics({"a": 1.0}),
    lambda run: run.set_tags({"a": 1}),
    lambda run: run.log_data("a", "b", "c", "d"),
    lambda run: run.log_model(Path(), "abc"),
    lambda run: run.begin(),
    lambda run: run.finish("FINISHED"),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_store_that_fails_is_told_in_one_sentence(
    client: Any, write: Callable[[runs.Run], object]
) -> None:
    missing = runs.Run(client, "0" * 32, "sqlite:///mlflow.db")
    with pytest.raises(WorldError, match=r"^tracking at sqlite:///mlflow.db failed: .*not found"):
        write(missing)


def test_no_two_processes_share_a_name() -> None:
    place, pid, started = processes.process_id().rsplit("/", 2)
    assert place
    assert pid.isdigit()
    assert started.isdigit()
