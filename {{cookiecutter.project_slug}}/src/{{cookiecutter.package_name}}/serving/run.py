"""One process that serves until it is told to stop, and then answers what it has taken."""

import asyncio
import gc
import importlib.util
import ipaddress
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn

from .. import sockets
from ..errors import UsageError
from ..served import Served
from . import app, logs
from .current import Holder
from .front import Front
from .manner import Manner
from .metrics import Metrics
from .server import SECONDS_TO_STOP, Server

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


def serve(first: Served, listening: socket.socket, manner: Manner, watch: Follow | None) -> None:
    """Serve a model, and whatever `watch` puts in its place, until a signal comes."""
    metrics = Metrics()
    holder, front, config = made(first, manner, metrics)
    server = Server(config, front.door, manner.drain)
    _end_on_signals(server)
    settle()
    logs.log("serving", version=first.origin.version, digest=first.origin.digest)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as loop:
        loop.run(_run(server, listening, watch, holder, metrics))
    logs.log("stopped")


def settle() -> None:
    """Make ready what every process that answers wants to be ready."""
    logs.take_over_logging()
    open_as_many_as_allowed()
    # What is loaded stays: looked at again and again it would cost 70 ms now and then.
    gc.collect()
    gc.freeze()


def made(
    first: Served, manner: Manner, metrics: Metrics | None = None
) -> tuple[Holder, Front, uvicorn.Config]:
    """Return what holds the model, what answers with it, and how that is put on a socket."""
    holder = Holder(first, Path(manner.notice) if manner.notice else None)
    front = app.make(holder, metrics or Metrics(), manner.token, root_path=manner.root_path)
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
    from .wire import Connection

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
