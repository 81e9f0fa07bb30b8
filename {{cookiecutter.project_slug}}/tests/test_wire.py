"""A connection and the callers who ask for another protocol, or do not read what they get."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from flight_delays.serving.front import Front
from flight_delays.serving.limits import Doorkeeper, Limits
from flight_delays.serving.metrics import Metrics
from flight_delays.serving.replies import Asked, Reply
from flight_delays.task import Task

import callers
import rows

wire = pytest.importorskip(f"{rows.PACKAGE}.serving.wire", exc_type=ImportError)
LARGE = 2**24
"""More than the buffers of a connection take."""


@asynccontextmanager
async def listening(front: Front) -> AsyncIterator[tuple[str, int]]:
    """Yield where an application answers; a test that would wait for ever fails instead."""
    config = uvicorn.Config(front, http=wire.Connection, ws="none", lifespan="off", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: wire.Connection(config, ServerState(), {}, loop), "127.0.0.1", 0
    )
    async with server, asyncio.timeout(30):
        yield server.sockets[0].getsockname()


def posted(body: bytes, *lines: str) -> bytes:
    head = ["POST /predict HTTP/1.1", "Host: here", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA")


@pytest.mark.parametrize("upgrade", [UPGRADE, ("Connection: upgrade", "Upgrade: websocket")])
@pytest.mark.parametrize("at_once", [10**6, 10])
def test_who_asks_for_another_protocol_is_answered_in_this_one(
    model_of: Callable[[Task], Path], upgrade: tuple[str, ...], at_once: int
) -> None:
    front, holder = callers.application(model_of(Task.CLASSIFICATION))
    row = holder.now.served.interface.example[0]
    asked = posted(json.dumps({"rows": [row]}).encode(), *upgrade)
    last = posted(b"{", "Connection: close")

    async def answers() -> bytes:
        async with listening(front) as place:
            reader, writer = await asyncio.open_connection(*place)
            for start in range(0, len(asked + asked + last), at_once):
                writer.write((asked + asked + last)[start : start + at_once])
                await asyncio.sleep(0)
            found = await reader.read()
            writer.close()
            return found

    found = asyncio.run(answers())
    assert found.count(b"HTTP/1.1 200") == 2 and found.count(b"HTTP/1.1 400") == 1
    assert found.count(b'"prediction":') == 2


def large(bodies: int) -> tuple[Front, Doorkeeper]:
    """Return an application with one large answer, and who counts its bytes."""

    async def answer(asked: Asked) -> Reply:
        return Reply(bytes(LARGE))

    door = Doorkeeper(Limits(bodies=bodies))
    inside: Any = None
    return Front({("POST", "/predict"): answer}, inside, (), door, Metrics(), None), door


async def asking_for(place: tuple[str, int]) -> socket.socket:
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    caller.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(caller, place)
    await loop.sock_sendall(caller, posted(b"x", "Connection: close"))
    assert await loop.sock_recv(caller, 15) == b"HTTP/1.1 200 OK"
    return caller


def test_an_answer_counts_until_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire.Connection, "seconds_unread", 3600)
    front, door = large(bodies=LARGE - 1)

    async def read() -> bytearray:
        loop = asyncio.get_running_loop()
        async with listening(front) as place:
            caller = await asking_for(place)
            assert door.inside == 1
            found = await callers.asking(front, "POST", "/predict", b"x")
            assert (found.status, found.headers["retry-after"]) == (503, "1")
            whole = bytearray()
            while part := await loop.sock_recv(caller, LARGE):
                whole += part
            caller.close()
        assert door.inside == 0
        return whole

    assert asyncio.run(read()).count(b"\0") == LARGE
    found = callers.ask(front, "POST", "/predict", b"x")
    assert (found.status, len(found.body)) == (200, LARGE)


def test_whoever_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire.Connection, "seconds_unread", 0.01)
    front, door = large(bodies=LARGE)

    async def given_up() -> None:
        async with listening(front) as place:
            caller = await asking_for(place)
            while door.inside:
                await asyncio.sleep(0.01)
            caller.close()

    asyncio.run(given_up())
