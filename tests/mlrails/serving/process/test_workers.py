"""Several workers take another model from one moment on, or none of them does."""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import callers
import pytest

from mlrails.core import hashing
from mlrails.core.errors import WorldError
from mlrails.core.params import Task
from mlrails.serving.http.limits import Doorkeeper, Limits
from mlrails.serving.http.telemetry import Metrics
from mlrails.serving.process import supervisor
from mlrails.serving.process.handle import WorkerGoneError
from mlrails.serving.process.options import Manner
from mlrails.serving.process.worker import Duty, obey

FIRST = {"folder": "a", "origin": {"digest": "1" * 64, "version": "1", "name": "flights"}}
SECOND = {"folder": "b", "origin": {"digest": "2" * 64, "version": "2", "name": "flights"}}


class Fake:
    """A worker that notes what it is told, and may be ill or gone."""

    def __init__(self, told: list[tuple[str, str]], name: str, **says: Any) -> None:
        self._told, self._name, self._says = told, name, says
        self.process = SimpleNamespace(pid=1)

    async def ask(self, act: str, **said: Any) -> Any:
        self._told.append((act, self._name))
        await asyncio.sleep(0)
        answer = self._says.get(act, {})
        if isinstance(answer, BaseException):
            raise answer
        return answer


def several(tmp_path: Path, **second: Any) -> tuple[supervisor.Workers, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    found = supervisor.Workers(Manner(workers=2), Metrics(), tmp_path)
    fakes: list[Any] = [Fake(told, "a"), Fake(told, "b", **second)]
    found._working, found._found = fakes, FIRST
    return found, told


def acts(told: list[tuple[str, str]]) -> list[str]:
    return [act for act, _ in told]


def test_all_have_loaded_before_any_holds_and_all_hold_before_any_uses(tmp_path: Path) -> None:
    found, told = several(tmp_path)
    asyncio.run(found.take(SECOND))
    assert acts(told) == ["load", "load", "hold", "hold", "use", "use"]
    assert found.origin.version == "2"


def test_a_model_that_one_cannot_load_is_taken_by_none(tmp_path: Path) -> None:
    found, told = several(tmp_path, load={"problem": "it is bad"})
    with pytest.raises(WorldError, match="it is bad"):
        asyncio.run(found.take(SECOND))
    assert acts(told) == ["load", "load", "forget", "forget"] and found.origin.version == "1"


@pytest.mark.parametrize("act", ["load", "hold", "use"])
def test_a_worker_that_ends_meanwhile_keeps_no_model_from_the_others(
    tmp_path: Path, act: str
) -> None:
    found, told = several(tmp_path, **{act: WorkerGoneError()})
    asyncio.run(found.take(SECOND))
    assert ("use", "a") in told and found.origin.version == "2"


@pytest.fixture
def folder(model_of: Callable[[Task], Path]) -> Path:
    return model_of(Task.CLASSIFICATION)


def test_who_is_held_back_is_answered_by_the_new_model(
    folder: Path, model_of: Callable[[Task], Path]
) -> None:
    front, holder = callers.application(folder)
    other = model_of(Task.REGRESSION)
    origin = {"digest": hashing.of_folder(other), "version": "2", "name": "flights"}
    row = {"rows": [dict(holder.now.served.interface.example[0])]}

    async def swapped() -> list[str]:
        ours, theirs = socket.socketpair()
        server: Any = SimpleNamespace(door=front.door, should_exit=False)
        duty = Duty(holder, server, Metrics(), theirs)
        assert await duty.load({"folder": str(other), "origin": origin}) == {}
        assert holder.origin.version == "1"
        before = await callers.asking(front, "POST", "/predict", row)
        assert await duty.hold() == {}
        held = [
            asyncio.ensure_future(callers.asking(front, method, path, row))
            for method, path in (("POST", "/predict"), ("GET", "/version"))
        ]
        probe = await callers.asking(front, "GET", "/metrics")
        done, _ = await asyncio.wait(held, timeout=0.05)
        assert not done and probe.status == 200
        await duty.use()
        ours.close()
        theirs.close()
        answers = [before, *await asyncio.gather(*held)]
        return [it.json()["model"]["version"] for it in answers[:2]] + [answers[2].body.decode()]

    assert asyncio.run(swapped()) == ["1", "2", "2"]


def test_a_worker_refuses_a_model_and_goes_on(folder: Path, tmp_path: Path) -> None:
    _, holder = callers.application(folder)
    server: Any = SimpleNamespace(door=Doorkeeper(Limits()), should_exit=False)
    duty = Duty(holder, server, Metrics(), socket.socket())
    bad = {"folder": str(tmp_path), "origin": FIRST["origin"]}
    said = asyncio.run(duty.load(bad))
    assert "problem" in said and holder.origin.version == "1"


def test_a_worker_ends_when_nobody_gives_orders_any_more(folder: Path) -> None:
    _, holder = callers.application(folder)

    async def left_alone() -> bool:
        ours, theirs = socket.socketpair()
        server: Any = SimpleNamespace(door=Doorkeeper(Limits()), should_exit=False)
        duty = Duty(holder, server, Metrics(), theirs)
        obeying = asyncio.ensure_future(obey(duty, *await asyncio.open_connection(sock=theirs)))
        ours.sendall(json.dumps({"act": "drain"}).encode() + b"\n")
        assert await asyncio.to_thread(ours.recv, 100) == b"{}\n" and server.door.closing
        ours.close()
        await obeying
        return bool(server.should_exit)

    assert asyncio.run(left_alone())
