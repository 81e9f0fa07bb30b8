"""One process that serves until it is told to stop, and then answers what it has taken.

After SIGTERM it answers for some seconds as before, but `/ready` says 503, so that a balancer asks
others, and each answer ends its connection, so that nobody writes to one that is about to close.
"""

import asyncio
import gc
import importlib.util
import ipaddress
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from ...core import sockets
from ...core.errors import UsageError
from ...data.reading import Reading
from ...modeling.loading import LoadedModel
from ..http import telemetry
from ..http.limits import Doorkeeper
from ..http.telemetry import Metrics
from ..model.current import Holder
from ..requests.log import RequestLog, keeping
from ..web import app
from ..web.front import Front
from .options import Manner

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
        telemetry.log("draining", seconds=self._drain)

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


_BACKLOG = 2048
_SECONDS_KEPT = 75
"""Longer than load balancers keep a connection, so that it is they who end it."""
Follow = Callable[[Holder, Metrics], Awaitable[None]]


def listen(host: str, port: int, option: str) -> socket.socket:
    """Return a socket that listens, with room for callers who come at once; raises as it does."""
    return sockets.listen(host, port, option, _BACKLOG)


def check_open(host: str, token: str | None, everyone: bool, allowing: str) -> None:
    """Raise UsageError where others than this machine could ask without a token.

    `allowing` is how to say that they may.
    """
    if token is None and not everyone and not _is_loopback(host):
        raise UsageError(
            f"{host}: others could ask the model; set SERVING_TOKEN, or allow it to everyone "
            f"with {allowing}"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(
    first: LoadedModel, listening: socket.socket, manner: Manner, watch: Follow | None
) -> None:
    """Serve a model, and whatever `watch` puts in its place, until a signal comes."""
    metrics = Metrics()
    with keeping(manner.rules, metrics) as log:
        holder, front, config = assemble(first, manner, metrics, log)
        server = Server(config, front.door, manner.drain)
        _end_on_signals(server)
        settle()
        telemetry.log("serving", version=first.origin.version, digest=first.origin.digest)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as loop:
            loop.run(_run(server, listening, watch, holder, metrics))
    telemetry.log("stopped")


def settle() -> None:
    """Make ready what every process that answers wants to be ready."""
    telemetry.take_over_logging()
    open_as_many_as_allowed()
    # What is loaded stays: looked at again and again it would cost 70 ms now and then.
    gc.collect()
    gc.freeze()


def assemble(
    first: LoadedModel,
    manner: Manner,
    metrics: Metrics | None = None,
    log: RequestLog | None = None,
) -> tuple[Holder, Front, uvicorn.Config]:
    """Return what holds the model, what answers with it, and how that is put on a socket."""
    how = Reading.of_words(manner.written) if manner.written else None
    holder = Holder(first, Path(manner.notice) if manner.notice else None, how)
    given = metrics or Metrics()
    front = app.make(holder, given, manner.token, root_path=manner.root_path, log=log)
    config = uvicorn.Config(
        front,
        http=_connection(),
        loop="uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        lifespan="off",
        ws="none",
        proxy_headers=False,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_SECONDS_KEPT,
        timeout_graceful_shutdown=SECONDS_TO_STOP,
    )
    return holder, front, config


async def _run(
    server: Server,
    listening: socket.socket,
    watch: Follow | None,
    holder: Holder,
    metrics: Metrics,
) -> None:
    watching = asyncio.ensure_future(watch(holder, metrics)) if watch else None
    try:
        await server.serve(sockets=[listening])
    finally:
        if watching:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def _connection() -> Any:
    if sys.platform == "win32":  # Where httptools is not to be had.
        return "h11"
    from ..http.connection import Connection

    return Connection


def open_as_many_as_allowed() -> None:
    """Let each caller and the next model have a file; by default many systems allow 1,024."""
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limit.
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _end_on_signals(server: uvicorn.Server) -> None:
    """Let a signal that comes before uvicorn looks out for it count all the same.

    When it has stopped, it raises the signals again that have stopped it, which changes nothing.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
