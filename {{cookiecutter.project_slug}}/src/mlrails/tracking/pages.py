"""python -m mlrails.tracking.pages HOST PORT STORE ARTIFACTS: MLflow's pages of one store.

A process of its own, which ends with whoever has started it, and with it all that MLflow starts.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from ..core import processes, sockets
from ..core.console import say
from ..core.errors import UsageError, WorldError
from ..core.settings import STARTED_BY, Settings, started_by
from . import embedded
from .store import address, is_embedded, links, pages

_SECONDS_TO_END = 10
_SECONDS_BETWEEN_LOOKS = 0.2
_SERVER_VARIABLES = {
    # Nothing here looks at runs with a language model, for which MLflow starts seven processes.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
    "PYTHONIOENCODING": ":replace",
}
"""What the server and its children read, unless the user has set it."""
_DIRECT = build_opener(ProxyHandler({}))
"""What is on this machine, no proxy reaches."""
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on


def show(settings: Settings, host: str, port: int) -> None:
    """Serve MLflow's pages of the project's own store until interrupted, and say where they are.

    A server has pages of its own, so only that is said. Raises WorldError where the address is
    taken, and where MLflow cannot serve.
    """
    if not is_embedded(settings):
        _tell_server(settings)
        return
    # Somebody who listens there already would answer in our place.
    sockets.listen(host, port, "--port").close()
    embedded.prepare(settings)
    folder = settings.store_folder
    command = [sys.executable, "-m", __name__, host, str(port)]
    command += [embedded.address(folder), embedded.artifacts(folder)]
    try:
        with _started(command) as server:
            base = f"http://{_reached(host)}:{port}"
            if _answers(server, f"{base}/health"):
                name = settings.name
                found = embedded.experiment(folder, name), embedded.has_model(folder, name)
                say("\n".join([*links(base, name, *found), "ui: stop with Ctrl-C"]))
                server.wait()
        raise WorldError(f"MLflow could not serve its pages on {host}:{port}; it said why above")
    except KeyboardInterrupt:
        say("ui: stopped")


def _tell_server(settings: Settings) -> None:
    if not address(settings).startswith("http"):
        raise UsageError(
            "the runs are in a database that MLFLOW_TRACKING_URI names; show them with `mlflow "
            "server --backend-store-uri` and its address"
        )
    say("\n".join(pages(settings)))


@contextmanager
def _started(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a program with a group of its own, and end the whole group, whatever happens."""
    environment = {**os.environ, STARTED_BY: str(os.getpid())}
    # A Ctrl-C is for us, who end the group.
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield server
    finally:
        _end(server)


def _end(server: "subprocess.Popen[bytes]") -> None:
    _signal(server, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(_SECONDS_TO_END)
    _signal(server, getattr(signal, "SIGKILL", signal.SIGTERM))
    server.wait()


def _signal(server: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(OSError):  # Nobody of the group is left.
        if sys.platform == "win32":
            server.send_signal(number)
        else:
            os.killpg(server.pid, number)


def _answers(server: "subprocess.Popen[bytes]", health: str) -> bool:
    """Wait until the pages are there; False where the server has ended instead."""
    while server.poll() is None:
        with suppress(OSError, HTTPException):
            _DIRECT.open(health, timeout=1).close()
            return True
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return False


def _reached(host: str) -> str:
    """Return a host as it stands in an address that a browser opens here."""
    named = _ANYWHERE.get(host, host)
    return f"[{named}]" if ":" in named else named


def main(host: str, port: str, store: str, artifacts: str) -> None:
    """Serve until a signal comes; MLflow passes SIGTERM and SIGINT on to its own children."""
    processes.begin()
    processes.end_with(started_by(os.environ))
    processes.configure_mlflow()
    for name, value in _SERVER_VARIABLES.items():
        os.environ.setdefault(name, value)
    from mlflow.cli import cli

    words = ["--backend-store-uri", store, "--registry-store-uri", store]
    words += ["--default-artifact-root", artifacts, "--host", host, "--port", port]
    cli(["server", *words, "--workers", "1", "--uvicorn-opts", "--log-level=warning"])


if __name__ == "__main__":
    main(*sys.argv[1:])
