"""The pipeline around DVC: what is checked before, what is handed over, what is recorded after."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import Mock

import fakes
import pytest
import rows
import yaml
from filelock import FileLock

from flight_delays.schema import COLUMNS
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.layout import METRICS, MODEL
from mlrails.core.settings import Settings
from mlrails.pipeline import dvc
from mlrails.pipeline import run as pipeline_run
from mlrails.stages.stage import LOCK
from mlrails.tracking import input_key, recording, store


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Let DVC do nothing, and tell what it was asked to."""
    asked: list[tuple[str, ...]] = []

    def run(root: Path, *arguments: str, **_: str) -> int:
        asked.append(arguments)
        return 0

    monkeypatch.setattr(dvc, "run", run)
    monkeypatch.setattr(dvc, "is_stale", lambda root: False)
    # Its thread would outlive the test and lead the next one's store to this one's.
    monkeypatch.setattr(pipeline_run, "Timer", Mock())
    return asked


def only_run(client: fakes.FakeClient) -> str:
    ((run_id, run),) = client._runs.items()
    assert run.info.status == "FINISHED"
    return run_id


def test_training_brings_the_stages_up_to_date_and_records_them_once(
    project: Path,
    fake: fakes.FakeClient,
    commands: list[tuple[str, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline_run.train(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    assert commands == [("repro",)]
    assert "best baseline" in capsys.readouterr().out
    only_run(fake)


class Forks:
    """Stages of which each ends with a code, None where nothing forks."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        self.asked: list[str] = []

    def run_module(self, name: str, folder: str, variables: Mapping[str, str]) -> int | None:
        self.asked.append(name)
        assert Path(folder, "params.yaml").is_file() and variables["PIPELINE_PROCESS"]
        return self.code


def recorded_by(project: Path, code: int | None, copy_of: Path | None = None) -> Forks:
    settings, forks = (
        Settings(project, project=copy_of, tracking_uri="sqlite:////fake"),
        Forks(code),
    )
    key = input_key.input_key(project)
    pipeline_run._record(settings, forks, rows.parameters(), key)  # type: ignore[arg-type]
    return forks


@pytest.mark.parametrize("in_a_copy", [False, True])
def test_what_forks_records_and_this_process_asks_no_store(
    project: Path, monkeypatch: pytest.MonkeyPatch, in_a_copy: bool
) -> None:
    monkeypatch.setattr(store, "connect", lambda settings: pytest.fail("it spoke to the store"))
    found = recorded_by(project, 0, project if in_a_copy else None)
    assert found.asked == ["mlrails.pipeline.record"]


@pytest.mark.parametrize("in_a_copy", [False, True])
def test_where_nothing_forks_this_process_records(
    project: Path, fake: fakes.FakeClient, in_a_copy: bool
) -> None:
    assert recorded_by(project, None, project if in_a_copy else None).asked
    only_run(fake)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, dvc.StageFailedError),
        (2, dvc.StageFailedError),
        (-9, WorldError),
        (-2, KeyboardInterrupt),
    ],
)
def test_what_a_fork_could_not_record_is_no_success(
    project: Path, code: int, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        recorded_by(project, code)


@pytest.mark.parametrize("made", [False, True])
def test_mlflow_is_made_ready_here_for_a_store_that_is_not_there(
    project: Path, commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, made: bool
) -> None:
    if made:
        (project / "mlflow.db").touch()
    stages = Mock(has_begun=True)
    pipeline_run._ready(Settings(project), COLUMNS, (), stages)
    assert pipeline_run.Timer.called is not made  # type: ignore[attr-defined]


def test_a_second_training_does_not_speak_to_the_store(
    project: Path,
    fake: fakes.FakeClient,
    commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline_run.train(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    monkeypatch.setattr(store, "connect", lambda settings: pytest.fail("it spoke to the store"))
    monkeypatch.setattr(store, "check_reachable", lambda uri: pytest.fail("it asked the store"))
    pipeline_run.train(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    assert commands == [("repro",), ("repro",)]
    only_run(fake)


def test_another_store_is_told_too(
    project: Path,
    fake: fakes.FakeClient,
    commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline_run.train(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    other = fakes.FakeClient()
    monkeypatch.setattr(store, "connect", lambda settings: other)
    pipeline_run.train(Settings(project, tracking_uri="sqlite:////other"), COLUMNS)
    assert only_run(other) != only_run(fake)


@pytest.mark.parametrize("loss", ["mark", "report", "run", "other figures"])
def test_what_is_lost_is_recorded_again(project: Path, fake: fakes.FakeClient, loss: str) -> None:
    settings = Settings(project)
    key = input_key.input_key(project)
    mark = recording._mark(settings, key)
    mark.parent.mkdir(parents=True)
    shutil.copy(_store_with_run(project, run_id := "f" * 32), project / "mlflow.db")
    mark.write_text(f"{run_id} {recording._made(project)}\n")
    assert recording.is_recorded(settings, key)
    if loss == "mark":
        mark.write_text("half a li")
    elif loss == "report":
        shutil.rmtree(project / "reports")
    elif loss == "run":
        (project / "mlflow.db").unlink()
    else:
        (project / METRICS).write_text("{}")
    assert not recording.is_recorded(settings, key)


def _store_with_run(project: Path, run_id: str) -> Path:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(project / "small.db")) as connection, connection:
        connection.execute("CREATE TABLE runs (run_uuid, lifecycle_stage, status)")
        connection.execute("INSERT INTO runs VALUES (?, 'active', 'FINISHED')", (run_id,))
    return project / "small.db"


def _by_cost(root: Path) -> None:
    """Let costs choose the threshold, where `dvc.yaml` does not say that they are read."""
    values = rows.values()
    values["evaluation"] |= {"threshold": "cost", "costs": {"false_alarm": 1, "miss": 5}}
    (root / "params.yaml").write_text(yaml.safe_dump(values), "utf-8")


@pytest.mark.parametrize(
    ("harm", "error", "words"),
    [
        (lambda root: (root / "params.yaml").write_text("sede: 1\n"), UsageError, "'sede'"),
        (lambda root: shutil.rmtree(root / ".git"), UsageError, "not a git repository"),
        (lambda root: (root / "requirements.lock").unlink(), UsageError, "requirements.lock"),
        (_by_cost, UsageError, "add the line `- evaluation.costs`"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    project: Path,
    commands: list[tuple[str, ...]],
    harm: Callable[[Path], object],
    error: type[Exception],
    words: str,
) -> None:
    harm(project)
    with pytest.raises(error, match=words):
        pipeline_run.train(Settings(project), COLUMNS)
    assert commands == []


def test_a_server_that_is_gone_is_said_before_any_work(
    project: Path, commands: list[tuple[str, ...]]
) -> None:
    with pytest.raises(WorldError, match="does not answer"):
        pipeline_run.train(Settings(project, tracking_uri="http://127.0.0.1:1"), COLUMNS)
    assert commands == []


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        (LOCK, "a stage of a train that was killed still works in this folder"),
        ("pipeline.lock", "another train works in this folder"),
    ],
)
def test_who_still_works_in_the_folder_is_waited_for_and_named(
    project: Path,
    fake: fakes.FakeClient,
    commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    lock: str,
    words: str,
) -> None:
    other = FileLock(Settings(project).scratch / lock)
    other.acquire()

    def ends(told: str) -> None:
        """Let the other one come to its end as soon as it is waited for."""
        if other.is_locked:
            commands.append((told,))
            other.release()

    monkeypatch.setattr(pipeline_run, "say", ends)
    pipeline_run.train(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    assert commands == [(f"{words}; waiting for its end",), ("repro",)]


def test_a_failure_of_dvc_itself_is_one_of_the_world(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc, "run", lambda root, *arguments, **_: 255)
    with pytest.raises(WorldError, match="DVC could not bring the stages up to date"):
        pipeline_run._reproduce(Settings(project), dvc.stages(project))


@pytest.mark.parametrize("name", [".dvc/tmp/rwlock", "dvc.lock"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"schema: '2.0'\nstages: {a: [",
        b"\xff\xfe\x00",
        b"stages:\n<<<<<<< HEAD\n  a: 1\n=======\n  a: 2\n>>>>>>> other\n",
    ],
    ids=["nothing", "half", "no text", "a conflict"],
)
def test_half_of_a_file_that_a_kill_left_is_taken_away(
    project: Path, name: str, content: bytes
) -> None:
    settings = Settings(project)
    (settings.scratch / "other").touch()
    (project / name).write_bytes(content)
    dvc.mend(project)
    assert not (project / name).exists()


def test_a_whole_lock_is_left_as_it_is(project: Path) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    dvc.mend(project)
    assert (project / "dvc.lock").read_text() == "schema: '2.0'\nstages: {}\n"


def test_without_a_model_there_is_nothing_to_evaluate(
    project: Path, fake: fakes.FakeClient, commands: list[tuple[str, ...]]
) -> None:
    shutil.rmtree(project / MODEL)
    with pytest.raises(UsageError, match="models/model: there is no model yet; run `nox -s train`"):
        pipeline_run.evaluate(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    assert [command[0] for command in commands] == ["checkout"]


def test_a_model_that_dvc_cannot_bring_back_is_not_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc, "run", lambda root, *words, **_: 255)
    monkeypatch.setattr(pipeline_run, "_ready", lambda *_: (None, ""))
    monkeypatch.setattr(pipeline_run, "_reproduce", lambda *words: pytest.fail("it ran the model"))
    with pytest.raises(WorldError, match="DVC's cache lacks some of what the stages made; run"):
        pipeline_run.evaluate(Settings(project), COLUMNS)


def test_an_evaluation_of_this_model_is_recorded(
    project: Path, fake: fakes.FakeClient, commands: list[tuple[str, ...]]
) -> None:
    pipeline_run.evaluate(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    assert commands == [
        ("checkout", "--quiet", "--force"),
        ("repro", "--single-item", "evaluate"),
    ]
    only_run(fake)


def test_an_evaluation_of_another_model_is_not_recorded_and_says_so(
    project: Path,
    fake: fakes.FakeClient,
    commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dvc, "is_stale", lambda root: True)
    pipeline_run.evaluate(Settings(project, tracking_uri="sqlite:////fake"), COLUMNS)
    assert "nothing is recorded" in capsys.readouterr().err
    assert fake._runs == {}


@pytest.mark.parametrize("verb", ["push", "pull"])
def test_without_a_remote_it_is_said_how_to_set_one(project: Path, verb: str) -> None:
    with pytest.raises(UsageError, match=r"no remote is set.*dvc remote add --default storage"):
        pipeline_run.share(Settings(project), verb)


def test_what_no_commit_knows_is_neither_sent_nor_taken(
    project: Path, commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = /somewhere\n"
    (project / ".dvc" / "config").write_text(config)
    pipeline_run.share(Settings(project), "push")
    assert commands == [("push",)]  # Not with --run-cache: see decision 24.
    monkeypatch.setattr(dvc, "run", lambda root, *arguments, **_: 1)
    with pytest.raises(WorldError, match="DVC could not pull"):
        pipeline_run.share(Settings(project), "pull")
