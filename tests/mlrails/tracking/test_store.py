"""Where runs are kept: the environment's server, or the project's own store."""

import logging
import multiprocessing
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import fakes
import pytest
import rows
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.tracking import embedded, store


class Foreign(BaseHTTPRequestHandler):
    """A server whose only page is one of MLflow's, or none."""

    page: str | None = None

    def do_GET(self) -> None:
        """Answer 200 or 404."""
        self.send_response(200 if self.path.partition("?")[0] == self.page else 404)
        self.end_headers()


class BehindProxy(Foreign):
    """A server of MLflow whose page of health is hidden."""

    page = "/api/2.0/mlflow/experiments/search"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    httpd = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def server() -> Iterator[str]:
    """Serve an address that refuses everything, but answers."""
    with serving(BaseHTTPRequestHandler) as address:
        yield address


def test_the_environment_says_where_runs_go(tmp_path: Path) -> None:
    own = Settings(tmp_path)
    assert store.address(own) == embedded.address(tmp_path)
    assert store.is_embedded(own)
    theirs = Settings(tmp_path, tracking_uri="http://server:5000")
    assert store.address(theirs) == "http://server:5000"
    assert not store.is_embedded(theirs)


def test_the_projects_own_store_may_be_named_by_its_address(tmp_path: Path) -> None:
    assert store.is_embedded(Settings(tmp_path, tracking_uri=embedded.address(tmp_path)))


def test_a_server_that_answers_is_reachable_whatever_it_answers(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store.check_reachable(server)
    assert "501" in capsys.readouterr().err


def test_what_answers_and_is_no_mlflow_server_is_said_before_any_work() -> None:
    with (
        serving(Foreign) as address,
        pytest.raises(WorldError, match=f"{address} answers, but is no MLflow server; check"),
    ):
        store.check_reachable(address)


def test_a_server_whose_health_a_proxy_hides_is_reachable() -> None:
    with serving(BehindProxy) as address:
        store.check_reachable(address)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://no.such.host.invalid"])
def test_a_server_that_does_not_answer_is_named_with_a_remedy(address: str) -> None:
    with pytest.raises(
        WorldError, match=f"{address} does not answer .*; start it, or unset MLFLOW"
    ):
        store.check_reachable(address)
    with pytest.raises(WorldError, match="does not answer"):
        store.connect(Settings(Path(), tracking_uri=address))


@pytest.mark.parametrize("address", ["sqlite:////somewhere/mlflow.db", "postgresql+psycopg://a/b"])
def test_what_is_no_server_is_not_asked(address: str) -> None:
    store.check_reachable(address)


@pytest.mark.parametrize("address", ["file:///somewhere", "mlruns", "foo://x", "http//x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(
        UsageError, match=r"MLFLOW_TRACKING_URI: .* is no tracking address; use http"
    ):
        store.check_reachable(address)


def test_the_experiment_is_made_once(client: Any, tmp_path: Path) -> None:
    first = store.experiment(client, Settings(tmp_path))
    assert store.experiment(client, Settings(tmp_path)) == first
    assert client.get_experiment(first).name == rows.NAME


def test_an_experiment_that_another_process_makes_meanwhile_is_found(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client.create_experiment(rows.NAME)
    look, looks = client.get_experiment_by_name, iter([True])
    blind_once = lambda name: None if next(looks, False) else look(name)  # noqa: E731
    monkeypatch.setattr(client, "get_experiment_by_name", blind_once)
    assert store.experiment(client, Settings(tmp_path)) == made


def test_the_own_store_has_no_other_experiment_for_runs_that_name_none(
    client: Any, tmp_path: Path
) -> None:
    assert store.experiment(client, Settings(tmp_path)) == store.DEFAULT
    other = store.experiment(client, Settings(tmp_path), "promotions")
    found = client.get_experiment(store.DEFAULT)
    assert found.name == rows.NAME
    assert found.tags["mlflow.experimentKind"] == "custom_model_development"
    assert client.get_experiment(other).name == "promotions"


def test_on_a_server_the_default_experiment_is_everybodys(client: Any, tmp_path: Path) -> None:
    there = Settings(tmp_path, tracking_uri="http://server")
    assert store.experiment(client, there) != store.DEFAULT
    assert client.get_experiment(store.DEFAULT).name == "Default"


def test_an_artifact_is_named_by_where_it_can_be_opened(settings: Settings) -> None:
    client = store.connect(settings)
    run = client.create_run(store.experiment(client, settings)).info
    client.log_text(run.run_id, "hello", "reports/report.html")
    name = "reports/report.html"
    found = store.artifact(settings, run.run_id, name)
    assert found and (settings.root / found).read_text() == "hello"
    copied = Settings(
        settings.root / "copy", tracking_uri=store.address(settings), project=settings.root
    )
    assert store.artifact(copied, run.run_id, name) == found
    elsewhere = Settings(settings.root / "copy", tracking_uri=store.address(settings))
    assert store.artifact(elsewhere, run.run_id, name) == str(settings.root / found)
    assert store.artifact(settings, run.run_id, "reports/none.html") is None
    assert store.artifact(settings, "0" * 32, name) is None


def test_an_artifact_of_a_server_is_a_page_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = fakes.FakeClient()
    monkeypatch.setattr(store, "connect", lambda settings: client)
    run_id = client.create_run("0").info.run_id
    there = Settings(tmp_path, tracking_uri="http://me:word@server/")  # pragma: allowlist secret
    expected = f"http://server/#/experiments/0/runs/{run_id}/artifacts/reports/report.html"
    assert store.artifact(there, run_id, "reports/report.html") == expected
    client.get_run(run_id).info.artifact_uri = "s3://bucket/run"
    there = Settings(tmp_path, tracking_uri="postgresql://server/runs")
    assert store.artifact(there, run_id, "report.html") == "s3://bucket/run/report.html"


def test_a_deleted_experiment_is_told_with_a_remedy(client: Any, tmp_path: Path) -> None:
    client.delete_experiment(store.experiment(client, Settings(tmp_path)))
    with pytest.raises(WorldError, match="was deleted; restore it in the UI"):
        store.experiment(client, Settings(tmp_path))


def test_a_server_is_believed_to_have_its_runs(tmp_path: Path) -> None:
    assert store.has_run(Settings(tmp_path, tracking_uri="http://server:5000"), "any")
    assert not store.has_run(Settings(tmp_path), "any")


def test_a_password_in_an_address_is_not_told() -> None:
    with pytest.raises(WorldError, match="does not answer") as caught:
        store.check_reachable("http://user:secret@127.0.0.1:1")  # pragma: allowlist secret
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["what?", "100%"])
def test_a_path_that_an_address_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot hold the runs; move the project"):
        store.address(Settings(tmp_path / name))


def test_a_user_in_the_address_is_not_taken_for_the_host(server: str) -> None:
    store.check_reachable(server.replace("//", "//user:p%40ss@"))


def start(uri: str, barrier: Any, told: Any) -> None:
    barrier.wait(30)
    try:
        client = store.connect(Settings(Path(), tracking_uri=uri))
        told.put(store.experiment(client, Settings(Path(), tracking_uri=uri)))
    except BaseException as error:  # Whatever it is, somebody waits for an answer.
        told.put(repr(error))


def test_a_shared_database_is_made_once_and_whole_and_its_folder_with_it(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path.as_posix()}/new/shared.db"
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    barrier, told = context.Barrier(3), context.Queue()
    racers = [context.Process(target=start, args=(uri, barrier, told)) for _ in range(3)]
    for racer in racers:
        racer.start()
    assert {told.get(timeout=120) for _ in racers} == {"1"}
    for racer in racers:
        racer.join()
    assert not list(tmp_path.rglob("*.partial"))


def test_what_a_database_refuses_is_told_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("INSERT", None, sqlite3.OperationalError("database is locked"))

    client = store.connect(settings)
    for logger in ("mlflow", "mlflow.store.db.utils"):
        monkeypatch.setattr(logging.getLogger(logger), "propagate", True)
    with caplog.at_level(logging.INFO), pytest.raises(MlflowException, match="locked"):
        monkeypatch.setattr(Session, "flush", refuse)
        client.create_experiment("other")
    assert not [it for it in caplog.records if it.levelno >= logging.ERROR]
