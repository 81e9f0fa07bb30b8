"""A served model, as tests and the benchmark start, ask and load it."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from baking import Project

HERE = Path(__file__).parent


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def started(
    project: Project,
    command: Sequence[str],
    port: int,
    log: Path,
    path: str = "/ping",
    **more: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server in the project's environment, wait until it answers, and end it after."""
    programs = os.pathsep.join([str(Path(project.python).parent), project.env["PATH"]])
    env = {**project.env, "PATH": programs, "PYTHONPATH": str(project.root / "src"), **more}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=project.root, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        for _ in range(1200):
            assert process.poll() is None, log.read_text("utf-8")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def ours(project: Project, port: int, *words: str) -> list[str]:
    """Return the command that serves the champion."""
    return [project.python, "-m", project.package, "serve", "--port", str(port), *words]


def asks(project: Project, file: Path, requests: int, rows: int, *models: Path) -> Path:
    """Write requests of real rows, and what each model says to them."""
    words = [file, requests, rows, *models]
    done = project.run(project.python, str(HERE / "asks.py"), *map(str, words))
    assert done.returncode == 0, done.stderr
    return file


def load(
    project: Project,
    port: int,
    connections: int,
    seconds: float,
    file: Path,
    tolerance: float = 1e-9,
) -> dict:
    """Ask for some seconds over some connections; return the figures.

    An answer is wrong that is off by more than the tolerance, and by that part of what is expected.
    """
    words = [port, connections, seconds, file, tolerance]
    done = project.run(project.python, str(HERE / "load.py"), *map(str, words))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def events(log: Path) -> list[dict]:
    """Return what the server has logged."""
    return [json.loads(it) for it in log.read_text("utf-8").splitlines() if it.startswith("{")]
