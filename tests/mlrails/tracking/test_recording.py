"""What a run holds, told from the files: the same however often the telling was broken off."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakes
import pytest
import rows

from mlrails.core import git, layout
from mlrails.core.errors import WorldError
from mlrails.core.hashing import of_file, of_folder
from mlrails.core.params import load
from mlrails.core.processes import PROCESS
from mlrails.core.settings import Settings
from mlrails.tracking import input_key, origin, recording, runs
from mlrails.tracking.origin import Project, cpu_class
from mlrails.tracking.runs import Run
from mlrails.tracking.store import connect

TOLD = {
    "validation.brier": [(0, 0.1)],
    "validation.brier.low": [(0, 0.08)],
    "validation.brier.constant_rate": [(0, 0.2)],
    "test.brier": [(0, 0.1)],
    "test.brier.low": [(0, 0.08)],
    "test.brier.constant_rate": [(0, 0.2)],
    "loss": [(0, 0.5), (1, 0.25)],
}


def tell(settings: Settings) -> Run:
    """Tell the run of this key everything, as `train` does."""
    run = recording.open_run(settings, input_key.input_key(settings.root))
    run.begin()
    recording.log_inputs(run, Project(settings.root), load(settings.root), settings.name)
    recording.log_outputs(run, Project(settings.root))
    run.finish("FINISHED")
    return run


def state(client: fakes.FakeClient) -> list[dict[str, Any]]:
    """Return all that the server holds, but for ids and times."""
    return [
        {
            "info": (run.info.status, run.info.run_name, run.info.lifecycle_stage),
            "params": run.data.params,
            "tags": {name: tag for name, tag in run.data.tags.items() if name != PROCESS},
            "data": sorted(it.dataset.name for it in run.inputs.dataset_inputs),
            "metrics": {
                name: sorted((it.step, it.value) for it in client.get_metric_history(run_id, name))
                for name in run.data.metrics
            },
            "files": client._files[run_id],
            "models": [
                (model.status, model.tags, client._files[model.model_id])
                for model in client._models.values()
                if model.source_run_id == run_id
            ],
            "outputs": len(run.outputs.model_outputs),
        }
        for run_id, run in client._runs.items()
    ]


def test_a_run_says_where_its_model_came_from(project: Path, fake: fakes.FakeClient) -> None:
    run = fake.get_run(tell(Settings(project)).id)
    tags = run.data.tags
    assert run.info.status == "FINISHED"
    assert tags["input_key"] == input_key.input_key(project)
    assert tags["digest"] == of_folder(project / layout.MODEL)
    assert tags["data_digest"] == of_folder(project / layout.PREPARED)
    assert tags["lock_digest"] == of_file(project / layout.LOCK)
    assert tags["git_commit"] == rows.git(project, "rev-parse", "HEAD")
    assert tags["git_dirty"] == "false"
    assert tags["cpu_class"] == cpu_class()
    assert run.data.params["data.target"] == "late"
    assert run.data.params["features.calendar"] == "['minute_of_day', 'day_of_week']"
    assert {name for name in run.data.params if name.startswith("estimator.")}


READ = ({"name": "data/loans.csv", "digest": "ab" * 32}, {"name": "rates.csv", "digest": "cd" * 32})


@pytest.mark.parametrize("read", [READ[:1], READ], ids=len)
def test_a_run_says_which_bytes_its_rows_were_read_from(
    project: Path, fake: fakes.FakeClient, read: tuple[dict[str, str], ...]
) -> None:
    (project / layout.SOURCES).parent.mkdir(parents=True, exist_ok=True)
    (project / layout.SOURCES).write_text(json.dumps(read))
    tags = fake.get_run(tell(Settings(project)).id).data.tags
    assert tags["source"] == ", ".join(it["name"] for it in read)
    assert len(tags["source_digest"]) == len(read[0]["digest"])
    assert (tags["source_digest"] == read[0]["digest"]) is (len(read) == 1)
    # Another machine is told it by the bundle alone.
    label = json.dumps(
        origin.label_of(Project(project), load(project), "key", of_folder(project / layout.MODEL))
    )
    (project / origin.LABEL).write_text(label)
    assert origin.Bundle(project).origin().sources == [*read]


@pytest.mark.parametrize("told", [None, "", "[1]", '{"name": 1}', '[{"name": "no digest"}]'])
def test_rows_that_nobody_says_the_source_of_have_no_tag_of_it(
    project: Path, fake: fakes.FakeClient, told: str | None
) -> None:
    (project / layout.SOURCES).parent.mkdir(parents=True, exist_ok=True)
    if told is not None:
        (project / layout.SOURCES).write_text(told)
    tags = fake.get_run(tell(Settings(project)).id).data.tags
    assert not {"source", "source_digest"} & tags.keys()
    label = origin.label_of(Project(project), load(project), "key", "digest")
    assert "sources" not in json.dumps(label["origin"])


def test_a_later_commit_with_the_same_inputs_does_not_rewrite_where_a_run_came_from(
    project: Path, fake: fakes.FakeClient
) -> None:
    first = tell(Settings(project))
    before = state(fake)
    (project / "README.md").write_text("changed\n")
    rows.git(project, "add", ".")
    rows.git(project, "commit", "--quiet", "--message", "second")
    (project / "new.txt").write_text("not committed\n")
    assert tell(Settings(project)).id == first.id
    assert state(fake) == before


def test_a_run_holds_the_figures_and_the_files(project: Path, fake: fakes.FakeClient) -> None:
    run = tell(Settings(project))
    (found,) = state(fake)
    assert found["metrics"] == TOLD
    assert found["data"] == ["test", "train", "validation"]
    assert sorted(found["files"]) == [
        "inputs/dvc.yaml",
        "inputs/params.yaml",
        "inputs/requirements-dev.lock",
        "inputs/requirements.lock",
        "outputs/outcomes.json",
        "reports/metrics.json",
        "reports/report.html",
    ]
    ((status, _, files),) = found["models"]
    assert status == "READY"
    assert files["MLmodel"] == (project / layout.MODEL / "MLmodel").read_bytes()
    assert run.id in fake._runs


def test_an_uncommitted_change_is_kept_with_the_run(project: Path, fake: fakes.FakeClient) -> None:
    with (project / "params.yaml").open("a") as file:
        file.write("# changed\n")
    run = tell(Settings(project))
    assert fake.get_run(run.id).data.tags["git_dirty"] == "true"
    assert b"+# changed" in fake._files[run.id]["inputs/uncommitted.diff"]


def test_telling_twice_is_as_telling_once(project: Path, fake: fakes.FakeClient) -> None:
    first = tell(Settings(project))
    once = json.dumps(state(fake), default=str)
    assert tell(Settings(project)).id == first.id
    assert json.dumps(state(fake), default=str) == once


def test_a_death_after_any_call_and_a_second_try_end_in_the_same_state(
    project: Path, monkeypatch: pytest.MonkeyPatch, lead_to: Callable[[Any], None]
) -> None:
    whole, calls = fakes.FakeClient(), 0
    _git_once(monkeypatch, project)
    lead_to(whole)
    tell(Settings(project))
    while True:
        client = fakes.FakeClient()
        lead_to(fakes.Dying(client, calls))
        try:
            tell(Settings(project))
        except WorldError:
            lead_to(client)
            tell(Settings(project))
        else:
            break
        assert state(client) == state(whole), f"after {calls} calls"
        calls += 1
    assert calls > 30


def _git_once(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """Ask git and the files once; what they say stays the same."""
    key = input_key.input_key(project)
    found = git.revision(project, input_key.inputs(project))
    monkeypatch.setattr(origin, "revision", lambda root, inputs: found)
    monkeypatch.setattr(input_key, "input_key", lambda root: key)


def test_without_finding_its_run_a_second_try_would_make_another(
    project: Path, fake: fakes.FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(Settings(project))
    monkeypatch.setattr(runs, "_find", lambda client, experiment, key: None)
    tell(Settings(project))
    assert len(state(fake)) == 2


def test_the_real_store_takes_all_of_it_twice(project: Path, empty_store: Path) -> None:
    shutil.copy(empty_store / "mlflow.db", project / "mlflow.db")
    settings = Settings(project)
    run = tell(settings)
    assert tell(settings).id == run.id
    client = connect(settings)
    found = client.get_run(run.id)
    assert found.info.status == "FINISHED"
    history = {
        name: sorted((it.step, it.value) for it in client.get_metric_history(run.id, name))
        for name in found.data.metrics
    }
    assert history == TOLD
    assert len(found.outputs.model_outputs) == 1


def test_a_figure_that_is_not_defined_is_left_out(project: Path, fake: fakes.FakeClient) -> None:
    undefined = [name for name, value in recording.metrics(rows.REPORT) if value is None]
    assert undefined == ["validation.brier.high", "test.brier.high"]
    run = tell(Settings(project))
    assert not set(undefined) & set(fake.get_run(run.id).data.metrics)


def test_the_figures_stand_for_the_outputs(project: Path) -> None:
    before = recording.outputs_digest(project)
    (project / layout.METRICS).write_text(json.dumps(rows.REPORT | {"digest": "abd"}))
    assert recording.outputs_digest(project) != before
