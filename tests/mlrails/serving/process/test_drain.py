"""A server that is told to stop lets its callers go first; none of them writes to a closed one."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import callers
import pytest

from mlrails.core.params import Task
from mlrails.serving.process import server
from mlrails.serving.process.options import Manner

ASK = b"GET /%b HTTP/1.1\r\nHost: here\r\n\r\n"


class Caller:
    """One who keeps a connection as long as the server does, and then opens another."""

    def __init__(self, place: tuple[str, int]) -> None:
        self._place = place
        self._writer: asyncio.StreamWriter | None = None
        self.refused = False

    async def ask(self, path: bytes) -> tuple[int, bool]:
        """Return the status and whether the connection ends, or raise what a socket raises."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._place)
        self._writer.write(ASK % path)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await self._reader.readexactly(size)
        ends = b"connection: close" in head
        if ends:
            self._writer.close()
            self._writer = None
        return int(head.split()[1]), ends

    async def keep_asking(self) -> int:
        """Ask until the server refuses a new connection; return how often it has answered."""
        answered = 0
        while True:
            try:
                status, _ = await self.ask(b"version")
            except ConnectionRefusedError:
                assert self._writer is None
                return answered
            assert status == 200
            answered += 1


def serving(
    folder: Path, drain: float, what: Callable[[Any, tuple[str, int]], Coroutine[Any, Any, Any]]
) -> Any:
    """Serve a model directory as `run` does, and let `what` have the server."""
    _, front, config = server.assemble(callers.model(folder), Manner(drain=drain))

    async def both() -> Any:
        here = server.Server(config, front.door, drain)
        listening = server.listen("127.0.0.1", 0, "another")
        place = listening.getsockname()
        serves = asyncio.ensure_future(here.serve([listening]))
        try:
            async with asyncio.timeout(60):
                while not here.started:
                    await asyncio.sleep(0.01)
                return await what(here, place)
        finally:
            here.should_exit = True
            await serves

    return asyncio.run(both())


@pytest.fixture
def folder(model_of: Callable[[Task], Path]) -> Path:
    return model_of(Task.CLASSIFICATION)


def test_nobody_who_asks_again_and_again_meets_a_closed_connection(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "raise_signal", lambda number: None)

    async def told_to_stop(here: server.Server, place: tuple[str, int]) -> list[int]:
        asking = [asyncio.ensure_future(Caller(place).keep_asking()) for _ in range(8)]
        await asyncio.sleep(0.1)
        here.handle_exit(signal.SIGTERM, None)
        return await asyncio.gather(*asking)

    assert all(serving(folder, 0.3, told_to_stop))


def test_a_drain_is_told_to_probes_and_to_every_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "raise_signal", lambda number: None)

    async def asked(here: server.Server, place: tuple[str, int]) -> list[tuple[int, bool]]:
        caller, found = Caller(place), []
        found.append(await caller.ask(b"ready"))
        here.handle_exit(signal.SIGTERM, None)
        found += [await caller.ask(path) for path in (b"ready", b"ping", b"version")]
        assert not here.should_exit
        here.handle_exit(signal.SIGTERM, None)  # Whoever is in a hurry says it twice.
        assert here.should_exit
        return found

    assert serving(folder, 3600, asked) == [(200, False), (503, True), (200, True), (200, True)]


def test_who_has_connected_when_the_server_stops_to_listen_is_answered(folder: Path) -> None:
    async def asked(here: server.Server, place: tuple[str, int]) -> tuple[int, bool]:
        caller = Caller(place)
        # Its request comes only after the end has begun.
        caller._reader, caller._writer = await asyncio.open_connection(*place)
        here.should_exit = True
        while here.server_state.connections and not here.door.closing:
            await asyncio.sleep(0.01)
        return await caller.ask(b"version")

    assert serving(folder, 0, asked) == (200, True)
