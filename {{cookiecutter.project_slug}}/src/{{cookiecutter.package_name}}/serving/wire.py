"""A connection that waits only so long for its caller, and goes on in HTTP/1.1 with every one."""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import logs
from .limits import Limits

_SECONDS_FOR_A_HEAD = 10
_LARGEST_HEAD = 2**16


class _Parser(httptools.HttpRequestParser):
    """Lets pass that a caller would rather speak another protocol (RFC 9110, 7.8)."""

    def __init__(self, connection: "Connection") -> None:
        super().__init__(connection)
        self._connection = connection

    def feed_data(self, data: Any) -> None:
        """Read on after a head that asks for another protocol as if it did not."""
        rest = memoryview(data)
        while rest:
            try:
                super().feed_data(rest)
                return
            except httptools.HttpParserUpgrade as asked:
                rest = rest[asked.args[0] :]
                super().feed_data(self._connection.head_alone)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which by itself waits for ever for heads and for readers."""

    head_alone = b""
    """The head that the parser has met, without its wish for another protocol."""
    seconds_unread = Limits.unread_seconds
    _timer: asyncio.TimerHandle | None = None
    _size = 0
    _answered = 0
    _seen: tuple[int, int] = (0, 0)

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.parser = _Parser(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head soon."""
        super().connection_made(transport)
        self._expect_head()
        self._look_later()

    def on_message_begin(self) -> None:
        """Expect the rest of a head that has begun on a connection that was kept."""
        super().on_message_begin()
        if self._timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Let the request take its time from now on: limits.py bounds the rest."""
        self._forget_head()
        method = self.parser.get_method()
        if self.parser.should_upgrade() and method != b"CONNECT":
            first = b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())
            lines = [b"%b: %b" % it for it in self.headers if it[0] != b"upgrade"]
            self.head_alone = b"\r\n".join([first, *lines, b"", b""])
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Answer what is whole, and not a head that is to be read again."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Count the answers, so that a new one does not look like an old one."""
        self._answered += 1
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it is a head without an end."""
        super().data_received(data)
        if self._timer is not None and self.parser is not None:
            self._size += len(data)
            if self._size > _LARGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the way back open where the caller has sent all and waits for the answer."""
        cycle = self.cycle
        owed = cycle is not None and not cycle.response_complete and not cycle.more_body
        if owed:
            cycle.keep_alive = False
        return owed

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._forget_head()
        self._looking.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._looking = self.loop.call_later(self.seconds_unread, self._look)

    def _look(self) -> None:
        """Give up a caller who has read nothing of what waits for it since the last look."""
        waiting = self.transport.get_write_buffer_size()
        before, self._seen = self._seen, (waiting, self._answered)
        if waiting and self._seen == before:
            logs.write("answer not read", bytes_left=waiting)
            self.transport.abort()
        else:
            self._look_later()

    def _expect_head(self) -> None:
        self._size = 0
        self._timer = self.loop.call_later(_SECONDS_FOR_A_HEAD, self.transport.close)

    def _forget_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
