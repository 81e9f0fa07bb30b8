"""A connection that waits only so long for its caller, and reads heads strictly.

What uvicorn's parser takes and RFC 9110 does not is refused here; two lengths, and a length beside
chunks, it refuses by itself.
"""

import asyncio
import fcntl
import re
import struct
import termios
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import telemetry
from .limits import Limits


def unread(transport: asyncio.Transport) -> int:
    """Return how many bytes the caller has not taken yet, if some still wait here.

    A slow caller takes what the system has for a long time before it asks for more.
    """
    waiting = transport.get_write_buffer_size()
    if waiting:
        with suppress(OSError):
            place = transport.get_extra_info("socket").fileno()
            (held,) = struct.unpack("i", fcntl.ioctl(place, termios.TIOCOUTQ, bytes(4)))
            waiting += held
    return waiting


class Parser(httptools.HttpRequestParser):
    """Lets pass that a caller would rather speak another protocol (RFC 9110, 7.8)."""

    def __init__(self, connection: Any) -> None:
        """`connection` has a `parser`, and the `head_alone` that it has met last."""
        super().__init__(connection)
        self._connection = connection
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # As uvicorn has it.

    def feed_data(self, data: Any) -> None:
        """Read on after a head that asks for another protocol as if it did not.

        The parser that has met it reads no body any more: another one takes its place.
        """
        rest, parser = memoryview(data), self
        while rest:
            try:
                super(Parser, parser).feed_data(rest)
                return
            except httptools.HttpParserUpgrade as asked:
                rest = rest[asked.args[0] :]
                parser = self._connection.parser = Parser(self._connection)
                super(Parser, parser).feed_data(self._connection.head_alone)


_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
"""A name or an address, which may be empty, and a port (RFC 3986, 3.2.2)."""


def check_host(headers: Iterable[tuple[bytes, bytes]], version: str) -> None:
    """Raise ValueError where a head names no host, several, or what cannot be one."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1:
        raise ValueError("The request names two hosts; send one line Host.")
    if not hosts and version != "1.0":
        raise ValueError("The request names no host; send a line Host.")
    if hosts and not _HOST.fullmatch(hosts[0].strip()):
        raise ValueError("The request's Host is no name of a host.")


_SECONDS_FOR_A_HEAD = 10
_LARGEST_HEAD = 2**16


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which by itself waits for ever for heads and for readers."""

    head_alone = b""
    """The head that the parser has met, without its wish for another protocol."""
    seconds_unread = Limits.unread_seconds
    _timer: asyncio.TimerHandle | None = None
    _in_head = _in_lines = False
    _wrong = ""
    _reading = False
    _first: Any = None
    """A request that may be whole when all that has come is read."""
    _size = 0
    _kept_until = 0.0
    _answered = 0
    _seen: tuple[int, int] = (0, 0)

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.parser = Parser(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head soon."""
        super().connection_made(transport)
        self._expect_lines()
        self._look_later()

    def on_message_begin(self) -> None:
        """Note that a head has begun, which most often ends in the same breath."""
        super().on_message_begin()
        self._in_head = self._in_lines = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a line of the head; one behind the body may not stand for it (RFC 9110, 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the request take its time from now on: limits.py bounds the body."""
        self._in_head = False
        self._end_lines()
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise ValueError("no tunnel leads through here")
        try:
            check_host(self.headers, self.parser.get_http_version())
        except ValueError as error:
            self._wrong = str(error)
            raise
        if self.parser.should_upgrade():
            first = b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())
            lines = [b"%b: %b" % it for it in self.headers if it[0] != b"upgrade"]
            self.head_alone = b"\r\n".join([first, *lines, b"", b""])
        else:
            super().on_headers_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        quick = getattr(self.app, "quick", None)
        if self._reading and quick is not None and quick.takes(cycle.scope):
            self._first = cycle
        else:
            super()._start_asgi_task(cycle, app)

    def _begin_first(self) -> None:
        """Answer a request that is whole in the quick way, and any other in the usual one."""
        cycle, self._first = self._first, None

        def usual() -> None:
            HttpToolsProtocol._start_asgi_task(self, cycle, self.app)

        whole = not cycle.more_body and not self.transport.is_closing()
        if not whole or not self.app.quick.answer(cycle, usual):
            usual()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with the head, and end the connection."""
        super().send_400_response(self._wrong or msg)

    def on_chunk_header(self) -> None:
        """Expect lines again, unless a part of the body comes: behind the last part they follow."""
        self._in_lines = True

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._end_lines()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer what is whole, and not a head that is to be read again."""
        self._end_lines()
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Count the answers, so that a new one does not look like an old one."""
        self._answered += 1
        self._kept_until = self.loop.time() + self.timeout_keep_alive
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it is lines without an end."""
        self._reading = True
        super().data_received(data)
        self._reading = False
        if self._first is not None:
            self._begin_first()
        if self._in_lines and self._timer is None:
            self._expect_lines(len(data))  # Of what comes with the first, much may be a body.
        self._end_in_time()
        if self._timer is not None and self.parser is not None:
            self._size += len(data)
            if self._size > _LARGEST_HEAD and not self.transport.is_closing():
                self._refuse_lines()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the way back open where the caller has sent all and waits for the answer."""
        cycle = self.cycle
        owed = cycle is not None and not cycle.response_complete and not cycle.more_body
        if owed:
            cycle.keep_alive = False
        return owed

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._end_lines()
        self._looking.cancel()
        super().connection_lost(exc)

    def _end_in_time(self) -> None:
        """Take up the wait for another request again, which any byte ends."""
        waits = self._timer is not None or self.timeout_keep_alive_task is not None
        if self.cycle and self.cycle.response_complete and not waits:
            self.timeout_keep_alive_task = self.loop.call_at(
                self._kept_until, self.timeout_keep_alive_handler
            )

    def _look_later(self) -> None:
        self._looking = self.loop.call_later(self.seconds_unread, self._look)

    def _look(self) -> None:
        """Give up a caller who has read nothing of what waits for it since the last look."""
        waiting = unread(self.transport)
        before, self._seen = self._seen, (waiting, self._answered)
        if waiting and self._seen == before:
            telemetry.log("answer not read", bytes_left=waiting)
            self.transport.abort()
        else:
            self._look_later()

    def _refuse_lines(self) -> None:
        if self._in_head:
            self.send_400_response("The head of the request is too large.")
        else:  # It may have been answered already.
            self.transport.abort()

    def _expect_lines(self, arrived: int = 0) -> None:
        self._size = -arrived
        self._timer = self.loop.call_later(_SECONDS_FOR_A_HEAD, self.transport.close)

    def _end_lines(self) -> None:
        self._in_lines = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
