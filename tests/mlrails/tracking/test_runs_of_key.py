"""Runs by input key: found or made, once for each key, whoever dies or comes second."""

import os
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from mlrails.core.errors import WorldError
from mlrails.core.processes import PROCESS, process_id
from mlrails.tracking import runs
from mlrails.tracking.runs import Run

KEY = "ab" * 32
HERE = process_id().rsplit("/", 2)[0]


def open_run(client: Any, experiment: str, opened: str | None = None, key: str = KEY) -> Run:
    return runs.open_run(client, "the store", experiment, key, opened)


def runs_of(client: Any, experiment: str, key: str = KEY) -> list[str]:
    found = client.search_runs([experiment, "0"], f"tags.input_key = '{key}'")
    return sorted(run.info.run_id for run in found)


def test_a_new_key_makes_a_run_that_bears_it(client: Any, experiment: str) -> None:
    run = open_run(client, experiment)
    assert runs_of(client, experiment) == [run.id]
    assert client.get_run(run.id).info.run_name == KEY[:12]
    assert client.get_run(run.id).data.tags[PROCESS] == process_id()


def test_a_known_key_finds_its_run_however_it_ended(client: Any, experiment: str) -> None:
    run = open_run(client, experiment)
    for status in ("FINISHED", "FAILED", "KILLED"):
        run.finish(status)
        assert open_run(client, experiment).id == run.id
    assert runs_of(client, experiment) == [run.id]


def test_another_key_is_another_run(client: Any, experiment: str) -> None:
    assert open_run(client, experiment).id != open_run(client, experiment, key="cd" * 32).id


def test_a_deleted_run_is_not_found_again(client: Any, experiment: str) -> None:
    gone = open_run(client, experiment)
    client.delete_run(gone.id)
    assert open_run(client, experiment).id != gone.id


def test_a_title_and_tags_are_those_of_who_makes_the_run(client: Any, experiment: str) -> None:
    tags = {"mlflow.user": "somebody"}
    run = runs.open_run(client, "the store", experiment, KEY, None, "seed=3", tags)
    found = client.get_run(run.id)
    assert (found.info.run_name, found.data.tags["mlflow.user"]) == ("seed=3", "somebody")
    again = runs.open_run(client, "the store", experiment, KEY, None, "another", tags)
    assert again.id == run.id
    assert client.get_run(run.id).info.run_name == "seed=3"


def test_a_run_in_everybodys_experiment_is_told_whose_key_it_is_and_no_more(client: Any) -> None:
    experiment = client.create_experiment("ours")
    opened = client.create_run("0", run_name="fortunate-hen-1").info.run_id
    run = open_run(client, experiment, opened)
    assert client.get_run(run.id).info.experiment_id == experiment
    told = client.get_run(opened)
    assert told.data.tags["same_as"] == run.id
    assert told.info.run_name == f"same as {KEY[:12]}"


def test_where_the_default_experiment_is_the_projects_its_runs_are_too(client: Any) -> None:
    opened = client.create_run("0", run_name="fortunate-hen-1").info.run_id
    assert open_run(client, "0", opened).id == opened
    assert client.get_run(opened).info.run_name == KEY[:12]


def test_a_run_that_mlflow_opened_becomes_the_run_of_a_new_key(
    client: Any, experiment: str
) -> None:
    opened = client.create_run("0").info.run_id
    assert open_run(client, experiment, opened).id == opened
    assert open_run(client, experiment).id == opened
    assert runs_of(client, experiment) == [opened]


def test_a_run_that_mlflow_opened_for_a_known_key_is_tagged_with_it(
    client: Any, experiment: str
) -> None:
    known = open_run(client, experiment)
    opened = client.create_run("0").info.run_id
    assert open_run(client, experiment, opened).id == known.id
    assert client.get_run(opened).data.tags["same_as"] == known.id
    assert runs_of(client, experiment) == [known.id]


def test_a_run_that_mlflow_opened_is_never_the_same_as_itself(client: Any, experiment: str) -> None:
    opened = client.create_run("0").info.run_id
    open_run(client, experiment, opened)
    open_run(client, experiment, opened)
    assert "same_as" not in client.get_run(opened).data.tags


@pytest.mark.parametrize("rival_is_older", [True, False])
def test_two_processes_that_make_one_each_settle_on_the_older(
    client: Any, experiment: str, monkeypatch: pytest.MonkeyPatch, rival_is_older: bool
) -> None:
    create, rivals = client.create_run, []

    def together(experiment: str, **options: Any) -> Any:
        ours = create(experiment, **options)
        start = ours.info.start_time + (-1 if rival_is_older else 1)
        rivals.append(create(experiment, start_time=start, tags={"input_key": KEY}).info.run_id)
        return ours

    monkeypatch.setattr(client, "create_run", together)
    ours = open_run(client, experiment)
    assert (ours.id == rivals[0]) is rival_is_older
    assert runs_of(client, experiment) == (rivals if rival_is_older else sorted([ours.id, *rivals]))
    monkeypatch.undo()
    assert open_run(client, experiment).id == ours.id


def dead_process() -> str:
    """Return the name of a process that has ended."""
    process = psutil.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process.create_time()
    process.communicate(b"\n")
    return f"{HERE}/{process.pid}/{started:.0f}"


def test_a_run_that_a_dead_process_left_open_is_ended(client: Any, experiment: str) -> None:
    left = client.create_run(experiment, tags={PROCESS: dead_process()}).info.run_id
    open_run(client, experiment)
    assert client.get_run(left).info.status == "KILLED"


def test_a_number_that_another_process_got_meanwhile_does_not_keep_it_alive(
    client: Any, experiment: str
) -> None:
    reused = f"{HERE}/{os.getpid()}/12345"
    left = client.create_run(experiment, tags={PROCESS: reused}).info.run_id
    open_run(client, experiment)
    assert client.get_run(left).info.status == "KILLED"


@pytest.mark.parametrize(
    "process",
    [process_id(), "elsewhere/boot/1/1/1", "", f"{HERE}/x/1"],
    ids=["this one", "another machine's", "unknown", "no number"],
)
def test_a_run_that_may_be_alive_is_left(client: Any, experiment: str, process: str) -> None:
    left = client.create_run(experiment, tags={PROCESS: process}).info.run_id
    open_run(client, experiment)
    assert client.get_run(left).info.status == "RUNNING"


OPENED = {"mlflow.project.entryPoint": "main"}


def unclaimed(client: Any, experiment: str, seconds: int, **more: str) -> str:
    """Return a run that `mlflow run` opened some time ago, and no process of ours has claimed."""
    start = int(1000 * (time.time() - seconds))
    run = client.create_run(experiment, start_time=start, tags=OPENED | more)
    return str(run.info.run_id)


def test_a_run_that_mlflow_opened_and_nobody_claimed_is_ended(client: Any, experiment: str) -> None:
    left = unclaimed(client, experiment, 300)
    runs.open_run(client, "sqlite:////mlflow.db", experiment, KEY, None)
    assert client.get_run(left).info.status == "KILLED"


@pytest.mark.parametrize(
    ("uri", "seconds", "tags", "is_ours"),
    [
        ("sqlite:////mlflow.db", 300, {}, True),
        ("sqlite:////mlflow.db", 10, {}, False),
        ("sqlite:////mlflow.db", 300, {PROCESS: "elsewhere/1/1"}, False),
        ("http://server", 300, {}, False),
    ],
    ids=["our own", "a new one", "claimed elsewhere", "on a server"],
)
def test_a_run_that_somebody_may_yet_claim_is_left(
    client: Any, experiment: str, uri: str, seconds: int, tags: dict[str, str], is_ours: bool
) -> None:
    left = unclaimed(client, experiment, seconds, **tags)
    runs.open_run(client, uri, experiment, KEY, left if is_ours else None)
    assert client.get_run(left).info.status == "RUNNING"


def test_a_run_that_was_ended_too_soon_runs_again_when_it_is_claimed(
    client: Any, experiment: str
) -> None:
    late = unclaimed(client, experiment, 300)
    runs.open_run(client, "sqlite:////mlflow.db", experiment, KEY, None)
    runs.claim(client, "sqlite:////mlflow.db", late)
    assert client.get_run(late).info.status == "RUNNING"
    assert client.get_run(late).data.tags[PROCESS] == process_id()


def test_without_that_look_a_run_would_stay_open_for_ever(
    client: Any, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reused = f"{HERE}/{os.getpid()}/12345"
    left = client.create_run(experiment, tags={PROCESS: reused}).info.run_id
    monkeypatch.setattr(runs, "_end_abandoned", lambda *words, **more: None)
    open_run(client, experiment)
    assert client.get_run(left).info.status == "RUNNING"


def test_a_store_that_fails_is_told_in_one_sentence(client: Any) -> None:
    with pytest.raises(WorldError, match="tracking at the store failed: Run with id=nowhere"):
        open_run(client, "0", opened="nowhere")


def test_a_claimed_run_is_ended_when_its_process_is_gone(
    client: Any, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = client.create_run("0").info.run_id
    monkeypatch.setattr(runs, "process_id", dead_process)
    runs.claim(client, "the store", opened)
    runs.open_run(client, "the store", experiment, "another key", None)
    assert client.get_run(opened).info.status == "KILLED"


def test_a_key_is_found_again_in_the_experiment_that_the_caller_chose(
    client: Any, experiment: str
) -> None:
    chosen = client.create_experiment("chosen")
    first, second = (client.create_run(chosen).info.run_id for _ in range(2))
    run = runs.open_run(client, "the store", experiment, "key", first)
    assert run.id == first
    assert runs.open_run(client, "the store", experiment, "key", second).id == first
    assert client.get_run(second).data.tags["same_as"] == first
