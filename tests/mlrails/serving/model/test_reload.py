"""Whoever brings a model to the server may fail in any way; it goes on, and asks again."""

import asyncio
import errno
import json
import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import callers
import pytest

from mlrails.core import hashing
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.modeling import loading
from mlrails.serving import serve
from mlrails.serving.http import telemetry
from mlrails.serving.http.telemetry import Metrics
from mlrails.serving.model import fetcher, reload
from mlrails.serving.model.current import Holder
from mlrails.serving.model.fetcher import smoke_test
from mlrails.serving.model.order import Order
from mlrails.serving.process import server

FULL = OSError(errno.EMFILE, "Too many open files")
ORIGIN = loading.ModelOrigin("ab" * 32, "2", "flights")


@pytest.fixture
def folder(model_of: Callable[[Task], Path], tmp_path: Path) -> Path:
    shutil.copytree(model_of(Task.CLASSIFICATION), tmp_path / "model")
    return tmp_path / "model"


def told(*said: object) -> "subprocess.Popen[bytes]":
    """Return one that says what it is told to, and ends; without a word it waits."""
    code = "for line in sys.argv[1:]: print(line)" if said else "sys.stdin.read()"
    words = [sys.executable, "-S", "-c", f"import sys\n{code}", *map(json.dumps, said)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def follow(monkeypatch: pytest.MonkeyPatch, holder: Holder, *fetchers: Any) -> Metrics:
    """Follow fetchers until one waits; an error stands for one that cannot be started."""
    waiting, metrics, end = [*fetchers, told()], Metrics(), asyncio.Event()

    def started(order: Order) -> Any:
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        if not waiting:
            end.set()
        return found

    monkeypatch.setattr(reload, "started", started)
    monkeypatch.setattr(reload, "_SECONDS_TO_A_NEW_FETCHER", (0, 0))
    following = reload.Watch(Order("champion", 5, "into"), waiting.pop(0))
    task = asyncio.ensure_future(following(holder, metrics))
    await asyncio.wait([task, asyncio.ensure_future(end.wait())], return_when="FIRST_COMPLETED")
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    return metrics


@pytest.mark.parametrize(("usage", "kind"), [({}, WorldError), ({"usage": True}, UsageError)])
def test_what_keeps_the_first_model_away_is_raised_as_what_it_is(
    usage: dict[str, bool], kind: type[Exception]
) -> None:
    there = reload.Watch(Order("9", 0, "into"), told({"problem": "there is no version 9", **usage}))
    with pytest.raises(kind, match="there is no version 9"):
        there.first()


def test_a_fetcher_that_ends_or_cannot_be_started_is_followed_by_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = asdict(loading.ModelOrigin(hashing.of_folder(folder), "2", "flights"))
    brought = {"folder": str(folder), "origin": origin, "expected": None}
    holder, problem = Holder(callers.model(folder)), {"problem": "no luck"}
    fetchers = told(problem), FULL, FULL, told({"neither": 1}), told(problem), told(brought)
    metrics = asyncio.run(follow(monkeypatch, holder, *fetchers)).text().decode()
    assert holder.now.served.origin.version == "2"
    assert "fetchers_ended_total 6.0" in metrics
    assert 'model_swaps_total{result="refused"} 2.0' in metrics


@pytest.mark.parametrize("said", ["", "\n\n", "no JSON\n"])
def test_a_model_that_ends_well_without_an_answer_is_not_served(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    done = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(WorldError, match=r"could not be tried.*it ended with 0, without an answer"):
        smoke_test(Path("folder"), ORIGIN)


def test_the_answer_of_a_trial_is_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 0, 'hello\n{"prediction": [1]}\n', "")
    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda words, **_: asked.append(words) or done)
    assert smoke_test(Path("folder"), ORIGIN) == {"prediction": [1]}
    assert asked[0][1:3] == ["-m", fetcher.__name__]


def test_a_server_mayopen_as_many_files_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    limits = SimpleNamespace(
        RLIMIT_NOFILE=7,
        getrlimit=lambda which: (1024, 4096),
        setrlimit=lambda *limit: asked.append(limit),
    )
    monkeypatch.setitem(sys.modules, "resource", limits)
    server.open_as_many_as_allowed()
    assert asked == [(7, (4096, 4096))]
    monkeypatch.setitem(sys.modules, "resource", None)
    server.open_as_many_as_allowed()


def test_a_hang_up_before_there_is_a_model_changes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[Order] = []

    def started(order: Order) -> Any:
        assert signal.getsignal(signal.SIGHUP) not in {signal.SIG_DFL, before}
        orders.append(order)
        raise WorldError("enough")

    monkeypatch.setattr(serve, "started", started)
    before = signal.getsignal(signal.SIGHUP)
    try:
        with pytest.raises(WorldError, match="enough"):
            serve.serve(Settings(project), serve.ServeOptions("127.0.0.1", 0))
    finally:
        signal.signal(signal.SIGHUP, before)
    # What a killed server has left there is removed by the next one (test_workspace.py).
    assert Path(orders[0].into).parent == Settings(project).scratch / "copies"
    assert not Path(orders[0].into).exists()


def test_what_libraries_log_is_json_without_the_objects_that_it_shows(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    telemetry.take_over_logging()
    try:
        float("SECRET")
    except ValueError as error:
        words = "Task exception was never retrieved\nfuture: <Task result=SECRET>"
        logging.getLogger("a library").error(words, exc_info=error)
    logging.getLogger("uvicorn.error").info("not worth a line")
    said = capfd.readouterr().err
    first, second = map(json.loads, said.splitlines())
    assert first["message"] == "Task exception was never retrieved"
    assert second["raised"][0]["type"] == "ValueError"
    assert "test_what_libraries_log" in second["raised"][0]["frames"][0]
    assert "SECRET" not in said
