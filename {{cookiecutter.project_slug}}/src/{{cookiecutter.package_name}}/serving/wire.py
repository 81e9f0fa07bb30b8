"""A connection that waits only so long for its caller, and goes on in HTTP/1.1 with every one."""

import asyncio
import fcntl
import struct
import termios
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import logs
from .limits import Limits
from .parser import Parser

_SECONDS_FOR_A_HEAD = 10
_LARGEST_HEAD = 2**16


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which by itself waits for ever for heads and for readers."""

    head_alone = b""
    """The head that the parser has met, without its wish for another protocol."""
    seconds_unread = Limits.unread_seconds
    _timer: asyncio.TimerHandle | None = None
    _in_head = False
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
        self._expect_head()
        self._look_later()

    def on_message_begin(self) -> None:
        """Note that a head has begun, which most often ends in the same breath."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """Let the request take its time from now on: limits.py bounds the rest."""
        self._forget_head()
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise ValueError("no tunnel leads through here")
        if self.parser.should_upgrade():
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
        self._kept_until = self.loop.time() + self.timeout_keep_alive
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it is a head without an end."""
        super().data_received(data)
        if self._in_head and self._timer is None:
            self._expect_head(len(data))  # Of what comes with its beginning, much may be a body.
        self._end_in_time()
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
        waiting = _unread(self.transport)
        before, self._seen = self._seen, (waiting, self._answered)
        if waiting and self._seen == before:
            logs.write("answer not read", bytes_left=waiting)
            self.transport.abort()
        else:
            self._look_later()

    def _expect_head(self, arrived: int = 0) -> None:
        self._size = -arrived
        self._timer = self.loop.call_later(_SECONDS_FOR_A_HEAD, self.transport.close)

    def _forget_head(self) -> None:
        self._in_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _unread(transport: asyncio.Transport) -> int:
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
