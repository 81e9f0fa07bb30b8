"""uvicorn's server, which tells its callers to go before it ends.

After SIGTERM it answers for some seconds as before, but `/ready` says 503, so that a balancer asks
others, and each answer ends its connection, so that nobody writes to one that is about to close.
"""

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn

from . import logs
from .limits import Doorkeeper

SECONDS_TO_STOP = 25
"""Less than the 30 that Kubernetes and SageMaker wait before they kill."""
_SECONDS_FOR_THE_LAST = 0.5
"""For callers who were let in at the end, and whose request is on its way."""


class Server(uvicorn.Server):
    """Drains, stops to listen, and ends when everybody is answered."""

    def __init__(self, config: uvicorn.Config, door: Doorkeeper, drain: float | None) -> None:
        """`drain` is in seconds; None is for a worker, which is drained by orders."""
        super().__init__(config)
        self.door, self._drain, self._until = door, drain, float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain once; a second signal, or a person's Ctrl-C, ends it at once."""
        if self._drain is None:
            return  # Another process ends us.
        if sig == signal.SIGTERM and not self.door.closing and not self.should_exit:
            self._captured_signals.append(sig)
            self.drain()
        else:
            super().handle_exit(sig, frame)

    def drain(self) -> None:
        """Let callers go from now on."""
        self.door.closing = True
        self._until = time.monotonic() + (self._drain or 0)
        logs.log("draining", seconds=self._drain)

    async def on_tick(self, counter: int) -> bool:
        """Tell whether to end."""
        return await super().on_tick(counter) or time.monotonic() >= self._until

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen; let the last callers send what they have begun; then end."""
        self.door.closing = True
        # Closing would reset whoever has connected already; no await may let others come between.
        last = [caller for it in sockets or [] for caller in waiting(it)]
        for server in self.servers:
            server.close()
        for caller in last:
            await self.take(caller)
        until = time.monotonic() + _SECONDS_FOR_THE_LAST
        while self.server_state.connections and time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    async def take(self, caller: socket.socket) -> None:
        """Answer on a connection that was accepted elsewhere."""
        caller.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(self._made, caller)

    def _made(self) -> asyncio.Protocol:
        made: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = made(self.config, self.server_state, self.lifespan.state)
        return protocol


def waiting(listening: socket.socket) -> Iterator[socket.socket]:
    """Yield the connections that were made and not accepted yet."""
    listening.setblocking(False)
    with suppress(OSError):
        while True:
            yield listening.accept()[0]
