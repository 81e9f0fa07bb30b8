"""MLflow's pages: their addresses are told, they tell nobody, and they end with who asked."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import fakes
import psutil
import pytest
import rows

from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.tracking import embedded, pages, store


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def shown(root: Path, port: int) -> "Iterator[tuple[subprocess.Popen[str], list[str]]]":
    """Yield the process that serves the pages of a folder, and what it has said of them."""
    root.joinpath("dvc.yaml").touch()
    root.joinpath("params.yaml").touch()
    rows.write_pyproject(root)
    environment = {"PYTHONPATH": str(rows.ROOT / "src"), "HTTP_PROXY": "http://127.0.0.1:9"}
    with subprocess.Popen(
        [sys.executable, "-m", rows.PACKAGE, "ui", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | environment,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, [process.stdout.readline().strip() for _ in range(3)]
        finally:
            process.kill()


def test_the_pages_are_told_tell_nobody_and_end_with_who_asked(settings: Settings) -> None:
    client = store.connect(settings)
    experiment = store.experiment(client, settings)
    port = free_port()
    with shown(settings.root, port) as (process, said):
        base = f"http://127.0.0.1:{port}"
        assert said == [
            f"ui: runs: {base}/#/experiments/{experiment}/runs",
            "ui: model: none is registered; `nox -s promote`",
            "ui: stop with Ctrl-C",
        ]
        asked = f"{base}/ajax-api/3.0/mlflow/ui-telemetry"
        with urlopen(asked) as answer:  # noqa: S310 - http
            assert b'"disable_ui_telemetry":true' in answer.read()
        started = psutil.Process(process.pid).children(recursive=True)
        # MLflow's command and its server; nothing that looks at runs.
        assert len(started) == 2
        process.kill()
        _, alive = psutil.wait_procs(started, timeout=60)
        assert alive == []


def test_an_address_that_is_taken_is_told_before_anything_starts(settings: Settings) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(WorldError, match=rf"127.0.0.1:{port}: cannot listen there .*--port"):
            pages.show(settings, "127.0.0.1", port)
    with pytest.raises(UsageError, match=r"--port: 70000 is no port"):
        pages.show(settings, "127.0.0.1", 70000)


def test_a_server_that_ends_early_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(WorldError, match="MLflow could not serve its pages on"):
        pages.show(settings, "127.0.0.1", free_port())


def test_the_pages_of_a_server_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = fakes.FakeClient()
    monkeypatch.setattr(store, "connect", lambda settings: client)
    address = "http://me:secret@server:5000/"  # pragma: allowlist secret
    there = Settings(tmp_path, tracking_uri=address)
    pages.show(there, "127.0.0.1", 5000)
    assert "runs: none; `nox -s train`" in capsys.readouterr().out
    experiment = store.experiment(client, there)
    client.create_registered_model(rows.NAME)
    pages.show(there, "127.0.0.1", 5000)
    assert capsys.readouterr().out.splitlines() == [
        f"ui: runs: http://server:5000/#/experiments/{experiment}/runs",
        f"ui: model: http://server:5000/#/models/{rows.NAME}",
    ]


def test_a_database_that_is_nobodys_server_has_no_pages(tmp_path: Path) -> None:
    there = Settings(tmp_path, tracking_uri="postgresql://server/runs")
    with pytest.raises(UsageError, match="mlflow server --backend-store-uri"):
        pages.show(there, "127.0.0.1", 5000)


@pytest.mark.parametrize(
    ("host", "reached"),
    [("::", "[::1]"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],  # noqa: S104
)
def test_what_listens_everywhere_is_reached_on_this_machine(host: str, reached: str) -> None:
    assert pages._reached(host) == reached


def test_a_store_tells_what_it_holds(settings: Settings) -> None:
    assert embedded.experiment(settings.root, rows.NAME) is None
    assert not embedded.has_model(settings.root, rows.NAME)
    client = store.connect(settings)
    made = store.experiment(client, settings)
    client.create_registered_model(rows.NAME)
    assert embedded.experiment(settings.root, rows.NAME) == made
    assert embedded.has_model(settings.root, rows.NAME)
