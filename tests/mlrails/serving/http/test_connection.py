"""A connection and the callers who ask for another protocol, or do not read what they get."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import callers
import pytest
import uvicorn
from uvicorn.server import ServerState

from mlrails.core.params import Task
from mlrails.serving.http.limits import Doorkeeper, Limits
from mlrails.serving.http.messages import Reply, WholeRequest
from mlrails.serving.http.telemetry import Metrics
from mlrails.serving.web.front import Front

wire = pytest.importorskip("mlrails.serving.http.connection", exc_type=ImportError)
LARGE = 2**24
"""More than the buffers of a connection take."""


@asynccontextmanager
async def listening(front: Front) -> AsyncIterator[tuple[str, int]]:
    """Yield where an application answers; a test that would wait for ever fails instead."""
    config = uvicorn.Config(
        front,
        http=wire.Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        proxy_headers=False,  # As run.py has it: else another application stands before ours.
    )
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


def answers(front: Front, sent: bytes, at_once: int = 10**6) -> bytes:
    """Return all that comes back on one connection until the server ends it."""

    async def found() -> bytes:
        async with listening(front) as place:
            reader, writer = await asyncio.open_connection(*place)
            for start in range(0, len(sent), at_once):
                writer.write(sent[start : start + at_once])
                await asyncio.sleep(0)
            told = await reader.read()
            writer.close()
            return told

    return asyncio.run(found())


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

    found = answers(front, asked + asked + last, at_once)
    assert found.count(b"HTTP/1.1 200") == 2 and found.count(b"HTTP/1.1 400") == 1
    assert found.count(b'"prediction":') == 2


def echo(seen: list[bytes] | None = None) -> Front:
    """Return an application that answers with the size of what it was sent, and writes it down."""

    async def answer(asked: WholeRequest) -> Reply:
        if seen is not None:
            seen.append(asked.body)
        return Reply(b"size %d" % len(asked.body))

    inside: Any = None
    door = Doorkeeper(Limits())
    return Front({("POST", "/predict"): answer}, inside, (), door, Metrics(), None)


@pytest.mark.parametrize("upgrade", [("Connection: Upgrade, close", "Upgrade: h2c"), ()])
def test_the_last_request_of_a_connection_is_answered(upgrade: tuple[str, ...]) -> None:
    sent = posted(b"abc", *(upgrade or ["Connection: close"])) + b"GET /more HTTP/1.1\r\n\r\n"
    assert answers(echo(), sent).endswith(b"size 3")


def test_no_tunnel_repeats_what_another_caller_has_asked() -> None:
    tunnel = b"CONNECT /nobody HTTP/1.1\r\nHost: here\r\n\r\nEVI"
    seen: list[bytes] = []
    found = answers(echo(seen), posted(b"abc", *UPGRADE) + tunnel)
    assert seen == [b"abc"] and b"HTTP/1.1 400" in found


def test_a_large_body_is_no_large_head_of_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    made, connections = wire.Connection.connection_made, []

    def noting(self: Any, transport: asyncio.Transport) -> None:
        connections.append(self)
        made(self, transport)

    monkeypatch.setattr(wire.Connection, "connection_made", noting)
    last = posted(b"", "Connection: close")

    async def found() -> bytes:
        async with listening(echo()) as place:
            reader, writer = await asyncio.open_connection(*place)
            writer.write(posted(b"abc"))
            told = await reader.readuntil(b"size 3")
            # As if all of it had arrived at once.
            connections[0].data_received(posted(bytes(100_000)) + last[:20])
            connections[0].data_received(last[20:])
            told += await reader.read()
            writer.close()
            return told

    assert asyncio.run(found()).count(b"HTTP/1.1 200") == 3


CHUNKED = b"POST /predict HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n"


def test_what_stands_behind_a_body_is_no_line_of_the_head(model_of: Callable[[Task], Path]) -> None:
    front, _ = callers.application(model_of(Task.CLASSIFICATION))
    sent = CHUNKED + b"X-Request-Id: first\r\nConnection: close\r\n\r\n1\r\n{\r\n0\r\n"
    found = answers(front, sent + b"X-Request-Id: second\r\n\r\n")
    assert b"HTTP/1.1 400" in found and b"x-request-id: first\r\n" in found


@pytest.mark.parametrize("path", [b"/predict", b"/nowhere"])
@pytest.mark.parametrize("line", [b"x: " + bytes([97]) * 1000 + b"\r\n", b"a" * 1000])
def test_lines_without_an_end_behind_a_body_end_the_connection(
    model_of: Callable[[Task], Path], path: bytes, line: bytes
) -> None:
    front, _ = callers.application(model_of(Task.CLASSIFICATION))

    async def sent() -> int:
        async with listening(front) as place:
            _, writer = await asyncio.open_connection(*place)
            writer.write(CHUNKED.replace(b"/predict", path) + b"\r\n2\r\n{}\r\n0\r\nx: ")
            written = 0
            with suppress(ConnectionError):
                while True:
                    writer.write(line)
                    written += len(line)
                    await writer.drain()
                    await asyncio.sleep(0)
            writer.close()
            return written

    assert asyncio.run(sent()) < 2**23


def test_the_parts_of_a_body_may_come_one_by_one() -> None:
    parts = b"".join(b"1\r\n%c\r\n" % it for it in b"abc") + b"0\r\nx: y\r\n\r\n"
    found = answers(echo(), CHUNKED + b"\r\n" + parts + posted(b"", "Connection: close"), 5)
    assert b"size 3HTTP/1.1" in found and found.endswith(b"size 0")


def test_a_byte_now_and_then_keeps_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = wire.Connection.on_response_complete

    def soon(self: Any) -> None:
        self.timeout_keep_alive = 0.05
        kept(self)

    monkeypatch.setattr(wire.Connection, "on_response_complete", soon)

    async def ended() -> bytes:
        async with listening(echo()) as place:
            reader, writer = await asyncio.open_connection(*place)
            writer.write(posted(b"abc"))
            found = await reader.readuntil(b"size 3")
            writer.write(b"\r\n")
            found += await reader.read()
            writer.close()
            return found

    assert asyncio.run(ended()).endswith(b"size 3")


def test_what_the_system_still_holds_is_unread_as_well() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as caller:
        served, _ = listener.accept()
        held = {"get_write_buffer_size": lambda: 5, "get_extra_info": lambda name: served}
        transport: Any = SimpleNamespace(**held)
        served.setblocking(False)
        with served:
            with suppress(BlockingIOError):
                while True:
                    served.send(bytes(2**16))
            full = wire.unread(transport)
            caller.recv(2**20, socket.MSG_WAITALL)
            while wire.unread(transport) == full:
                time.sleep(0.001)  # The system tells it a little later.
            assert 5 <= wire.unread(transport) < full


def large(bodies: int) -> tuple[Front, Doorkeeper]:
    """Return an application with one large answer, and who counts its bytes."""

    async def answer(asked: WholeRequest) -> Reply:
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


LINES = {
    "two hosts": (b"Host: here\r\nHost: there\r\n", "names two hosts"),
    "no host": (b"", "names no host"),
    "a host that is none": (b"Host: here/../there\r\n", "no name of a host"),
    "two lengths": (b"Host: here\r\nContent-Length: 2\r\nContent-Length: 2\r\n", ""),
    "a length beside chunks": (
        b"Host: here\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "",
    ),
}


@pytest.mark.parametrize(("lines", "said"), LINES.values(), ids=LINES)
def test_a_head_that_two_readers_may_read_in_two_ways_ends_the_connection(
    lines: bytes, said: str
) -> None:
    asked: list[Any] = []

    async def asking(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)

    front: Any = asking
    found = answers(front, b"GET /ping HTTP/1.1\r\n" + lines + b"\r\n{}")
    assert found.startswith(b"HTTP/1.1 400") and b"connection: close" in found
    assert found.count(b"HTTP/1.1") == 1 and said.encode() in found
    assert not asked


def in_parts(found: bytes) -> list[tuple[bytes, set[bytes], bytes]]:
    """Return status, header lines and body of each answer, without what differs by nature."""
    parts = []
    while found:
        head, _, rest = found.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        size = next(int(it[16:]) for it in lines if it.startswith(b"content-length"))
        named = {it for it in lines if not it.startswith((b"x-request-id", b"date", b"connection"))}
        parts.append((first, named, rest[:size]))
        found = rest[size:]
    return parts


@pytest.mark.parametrize("path", ["/invocations", "/predict"])
def test_what_comes_whole_is_answered_as_what_comes_byte_by_byte(
    model_of: Callable[[Task], Path], path: str
) -> None:
    front, holder = callers.application(model_of(Task.CLASSIFICATION))
    names = {"/invocations": "instances", "/predict": "rows"}
    rows_ = [dict(it) for it in holder.now.served.interface.example]
    good = [posted(json.dumps({names[path]: [it]}).encode()) for it in rows_]
    bad = posted(json.dumps({names[path]: [rows_[0] | {"carrier": 1}]}).encode())
    last = posted(json.dumps({names[path]: rows_}).encode(), "Connection: close")
    sent = b"".join([*good, bad, last]).replace(b"/predict", path.encode())
    whole, slowly = (in_parts(answers(front, sent, at_once)) for at_once in (10**6, 7))
    assert whole == slowly
    statuses = [first.split()[1] for first, _, _ in whole]
    assert statuses == [b"200", b"200", b"422", b"200"]
    assert whole[0][2] != whole[1][2]


def test_a_whole_request_needs_no_task_unless_it_is_unusual(
    model_of: Callable[[Task], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    front, holder = callers.application(model_of(Task.CLASSIFICATION), "secret")
    usual: list[str] = []
    call = type(front).__call__

    async def counted(self: Front, scope: Any, *more: Any) -> None:
        usual.append(scope["path"])
        await call(self, scope, *more)

    monkeypatch.setattr(Front, "__call__", counted)
    body = json.dumps({"rows": [dict(holder.now.served.interface.example[0])]}).encode()
    token = "Authorization: Bearer secret"  # noqa: S105 - of the test
    plain = [answers(front, posted(body, token, "Connection: close"))]
    assert not usual and b" 200 OK" in plain[0] and b"x-model-version: 1" in plain[0]
    for lines, status in {
        (): b" 401 ",
        (token, "Content-Encoding: gzip"): b" 415 ",
        (token, "X-Amzn-SageMaker-Custom-Attributes: a"): b" 200 ",
    }.items():
        assert status in answers(front, posted(body, *lines, "Connection: close"))
    assert usual == ["/predict"] * 3
    front.door.closing = True
    found = answers(front, posted(body, token))
    assert b" 200 " in found and b"connection: close" in found
    assert front.door.inside == 0 == front.door._held


def test_a_model_that_fails_is_told_to_its_own_caller(
    model_of: Callable[[Task], Path],
) -> None:
    front, holder = callers.application(model_of(Task.CLASSIFICATION))
    row = dict(holder.now.served.interface.example[0])

    def predict(columns: Any) -> Any:
        raise ValueError("SECRET")

    predictor: Any = SimpleNamespace(predict=predict)
    holder.replace(replace(holder.now.served, predictor=predictor))
    body = json.dumps({"rows": [row]}).encode()
    found = answers(front, posted(body) + posted(body, "Connection: close"))
    assert found.count(b"HTTP/1.1 500") == 2 and b"SECRET" not in found
    assert front.door.inside == 0 == front.door._held
