"""What a fit tells its run while it works: a lost server costs a warning, never the fit."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fakes
import pytest
import rows

from mlrails.core import hashing, layout
from mlrails.core.errors import WorldError
from mlrails.core.layout import PARTS
from mlrails.core.settings import Settings
from mlrails.tracking import live, recording, store
from mlrails.tracking.input_key import input_key


@contextmanager
def start(project: Path) -> Iterator[live.LiveRun]:
    """Start a run and tell it all that is known before a fit."""
    with live.start_run(Settings(project), input_key(project)) as log:
        log.log_params(rows.parameters())
        for part in PARTS:
            log.log_input(part)
        log.log_source()
        yield log


def work(project: Path) -> str:
    """Fit for three iterations and write a model; return what was reached."""
    with start(project) as log:
        for step in range(3):
            log.log_metrics({"loss": 1 / (step + 1)}, step)
        log.log_model(project / layout.MODEL, hashing.of_folder(project / layout.MODEL))
    return "done"


def test_a_fit_is_told_while_it_works(project: Path, fake: fakes.FakeClient) -> None:
    assert work(project) == "done"
    (run,) = fake._runs.values()
    points = fake.get_metric_history(run.info.run_id, "loss")
    assert [(it.step, it.value) for it in points] == [(0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3))]
    assert run.info.status == "FINISHED"
    assert run.data.tags["digest"] == hashing.of_folder(project / layout.MODEL)


def test_what_comes_within_a_second_is_told_together(
    project: Path, fake: fakes.FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    log_batch = fakes.FakeClient.log_batch

    def counted(self: fakes.FakeClient, *given: Any, metrics: Any = (), **more: Any) -> None:
        calls.append(len(metrics))
        log_batch(self, *given, metrics=metrics, **more)

    monkeypatch.setattr(fakes.FakeClient, "log_batch", counted)
    now = iter([0.0, 0.0, 0.4, 0.9, 1.0, 1.0, *[1.5] * 9])
    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: next(now)))
    with start(project) as log:
        calls.clear()
        for step in range(6):
            log.log_metrics({"loss": float(step)}, step)
        log.wait()
    (run,) = fake._runs.values()
    points = fake.get_metric_history(run.info.run_id, "loss")
    assert [(it.step, it.value) for it in points] == [(it, float(it)) for it in range(6)]
    assert [it for it in calls if it] == [1, 3, 2]


@pytest.mark.parametrize("asked", [True, False])
def test_the_machine_s_figures_are_told_where_somebody_asks(
    project: Path, quick_stores: None, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    if asked:
        monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
        monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    with start(project) as log:
        log.wait()
        time.sleep(0.3 if asked else 0)
    client = store.connect(Settings(project))
    (run,) = client.search_runs([it.experiment_id for it in client.search_experiments()])
    assert ("system/cpu_utilization_percentage" in run.data.metrics) is asked
    assert run.info.status == "FINISHED"
    assert "SystemMetricsMonitor" not in {it.name for it in threading.enumerate()}


@pytest.mark.parametrize("calls", [0, 5, 20, 25, 30])
def test_a_server_that_dies_in_the_middle_costs_one_warning(
    project: Path,
    lead_to: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
    calls: int,
) -> None:
    client = fakes.FakeClient()
    lead_to(fakes.Dying(client, calls))
    assert work(project) == "done"
    shown = capsys.readouterr().err
    assert shown.count("warning: ") == shown.count("\n") == 1
    assert shown.endswith("the work goes on, and the next `nox -s train` records it\n")
    lead_to(client)
    assert work(project) == "done"
    (run,) = client._runs.values()
    assert run.info.status == "FINISHED"
    assert [it.step for it in client.get_metric_history(run.info.run_id, "loss")] == [0, 1, 2]
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "KILLED"), (ValueError("a defect"), "FAILED")]
)
def test_a_fit_that_ends_early_ends_its_run(
    project: Path, fake: fakes.FakeClient, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)), start(project):
        raise error
    (run,) = fake._runs.values()
    assert run.info.status == status


def test_without_that_net_a_lost_server_would_cost_the_fit(
    project: Path, monkeypatch: pytest.MonkeyPatch, lead_to: Callable[[Any], None]
) -> None:
    lead_to(fakes.Dying(fakes.FakeClient(), 0))
    monkeypatch.setattr(live.LiveRun, "_try", lambda self, write: write())
    with pytest.raises(WorldError, match="the server is gone"):
        work(project)


def test_a_defect_of_ours_is_not_lost_in_the_other_thread(
    project: Path, fake: fakes.FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "log_model", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        work(project)
