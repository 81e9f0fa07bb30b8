"""A connection that waits for a request's head only so long, and answers a half-closed caller."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_SECONDS_FOR_A_HEAD = 10
_LARGEST_HEAD = 2**16


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which by itself waits for ever for a head, of any size."""

    _timer: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head soon."""
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        """Expect the rest of a head that has begun on a connection that was kept."""
        super().on_message_begin()
        if self._timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Let the request take its time from now on: limits.py bounds the rest."""
        self._forget_head()
        super().on_headers_complete()

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
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._size = 0
        self._timer = self.loop.call_later(_SECONDS_FOR_A_HEAD, self.transport.close)

    def _forget_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
