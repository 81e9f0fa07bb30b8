"""The runs of a search: one for all of it, one below for each trial, whatever breaks off."""

from pathlib import Path
from typing import Any

import fakes
import pytest

from mlrails.core.errors import OutageError
from mlrails.core.settings import Settings
from mlrails.tracking import store
from mlrails.tuning import record
from mlrails.tuning.record import Recorder, experiment_of
from mlrails.tuning.trial import State, Trial

TRIALS = [
    Trial(0, {"rate": 0.1}, True, State.WHOLE, 0.7, (0.9, 0.8), seconds=2.0),
    Trial(1, {"rate": 0.9}, True, State.PRUNED, None, (1.9,), seconds=1.0),
    Trial(2, {"rate": 0.3}, True, State.FAILED, None, (), "out of memory"),
]

TOLD = {
    "tune aaaaaaaaaaaa": (
        "FINISHED",
        {"metric": "roc_auc"},
        {"best.roc_auc": [(0, 0.7), (1, 0.7), (2, 0.7)]},
    ),
    "trial 0": (
        "FINISHED",
        {"rate": "0.1"},
        {
            "validation_loss": [(0, 0.9), (1, 0.8)],
            "seconds": [(0, 2.0)],
            "validation.roc_auc": [(0, 0.7)],
        },
    ),
    "trial 1": (
        "KILLED",
        {"rate": "0.9"},
        {"validation_loss": [(0, 1.9)], "seconds": [(0, 1.0)]},
    ),
    "trial 2": ("FAILED", {"rate": "0.3"}, {"seconds": [(0, 0.0)]}),
}
"""What each run holds: its end, its params, its metrics by step."""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeClient:
    made = fakes.FakeClient()
    monkeypatch.setattr(store, "connect", lambda settings: made)
    return made


def told(client: Any) -> dict[str, Any]:
    """Return what is told of each run by its name."""
    return {
        run.info.run_name: (
            run.info.status,
            run.data.params,
            {name: [(it.step, it.value) for it in client.get_metric_history(run_id, name)]
             for name in run.data.metrics},
        )
        for run_id, run in client._runs.items()
    }  # fmt: skip


def test_each_trial_has_a_run_below_that_of_the_search(
    client: fakes.FakeClient, tmp_path: Path
) -> None:
    there = Recorder(Settings(tmp_path), "a" * 64, "roc_auc")
    there.log_params({"metric": "roc_auc"})
    for trial in TRIALS:
        there.log_trial(trial, TRIALS[0])
    page = tmp_path / "tune.html"
    page.write_text("<html>")
    there.log_result(TRIALS[0], [page])
    there.close("FINISHED")
    assert told(client) == TOLD
    (above, *below) = client._runs.values()
    assert {it.data.tags["mlflow.parentRunId"] for it in below} == {above.info.run_id}
    assert [it.data.tags["state"] for it in below] == ["whole", "given up", "failed"]
    assert below[2].data.tags["why"] == "out of memory"
    assert (above.data.tags["best_trial"], above.data.tags["best.rate"]) == ("0", "0.1")
    assert client._files[above.info.run_id] == {"tune.html": b"<html>"}
    where = client.get_experiment(above.info.experiment_id).name
    assert where == experiment_of(Settings(tmp_path).name) != Settings(tmp_path).name


def test_what_a_kill_has_kept_from_its_run_is_told_when_the_search_goes_on(
    client: fakes.FakeClient, tmp_path: Path
) -> None:
    there = Recorder(Settings(tmp_path), "key", "roc_auc")
    there.log_trial(TRIALS[0], TRIALS[0])
    there.close("KILLED")
    again = Recorder(Settings(tmp_path), "key", "roc_auc")
    again.log_missing([*TRIALS, Trial(3, {"rate": 0.2}, True)])
    again.log_missing(TRIALS)
    again.close("FINISHED")
    assert [*told(client)] == ["tune key", "trial 0", "trial 1", "trial 2"]
    assert told(client)["tune key"][0] == "FINISHED"


def test_a_server_that_is_gone_is_told_once_and_the_search_goes_on(
    client: fakes.FakeClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    there = Recorder(Settings(tmp_path), "key", "roc_auc")

    def gone(*_: Any, **more: Any) -> Any:
        raise OutageError("the tracking server does not answer")

    monkeypatch.setattr(record.runs, "open_run", gone)
    for trial in TRIALS:
        there.log_trial(trial, None)
    there.close("FINISHED")
    words = capfd.readouterr().err
    assert words.count("does not answer; the search goes on") == 1


def test_a_defect_of_ours_is_not_kept_quiet(
    client: fakes.FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Recorder(Settings(tmp_path), "key", "roc_auc")
    monkeypatch.setattr(record.runs, "open_run", lambda *_: 1 // 0)
    there.log_trial(TRIALS[0], None)
    with pytest.raises(ZeroDivisionError):
        there.close("FINISHED")
