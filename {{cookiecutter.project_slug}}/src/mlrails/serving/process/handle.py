"""A worker as the process sees it that looks after it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from ...core.errors import WorldError
from ..model.events import FoundModel, Message
from .options import Manner

_SECONDS_TO_LOAD = 120


class WorkerGoneError(Exception):
    """The worker has ended."""


class Worker:
    """One process that answers, as the one sees it that looks after it."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        callers: socket.socket,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.process, self._callers = process, callers
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()

    async def ask(self, act: str, **said: object) -> Message:
        """Return what the worker says to an order; raises WorkerGoneError where it has ended."""
        async with self._turn:
            try:
                self._writer.write(json.dumps({"act": act, **said}).encode() + b"\n")
                answer: Message = json.loads(await self._reader.readline())
            except (OSError, ValueError):
                raise WorkerGoneError from None
        return answer

    def hand(self, caller: socket.socket) -> bool:
        """Hand a connection to the worker; tell whether it could be."""
        try:
            socket.send_fds(self._callers, [b"c"], [caller.fileno()])
        except OSError:  # It has ended, or has not taken the ones before.
            return False
        return True

    def close(self) -> None:
        """End the process, and all that leads to it."""
        self.process.kill()
        self.process.wait()
        self._callers.close()
        self._writer.close()


async def hired(manner: Manner, found: FoundModel) -> Worker:
    """Return a worker that has loaded a model; raises WorldError where it could not."""
    order, theirs = socket.socketpair()
    callers, taken = socket.socketpair()
    words = [str(it.fileno()) for it in (theirs, taken)]
    with theirs, taken:
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", *words],
            pass_fds=[int(it) for it in words],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": _places()},
            start_new_session=True,  # A Ctrl-C is for us, who end the workers.
        )
    callers.setblocking(False)
    worker = Worker(process, callers, *await asyncio.open_connection(sock=order))
    try:
        async with asyncio.timeout(_SECONDS_TO_LOAD):
            said = await worker.ask("begin", manner=asdict(manner), found=found)
    except (WorkerGoneError, TimeoutError):
        said = {"problem": "a worker could not begin, and said why above"}
    except BaseException:
        worker.close()
        raise
    if "problem" in said:
        worker.close()
        raise WorldError(said["problem"])
    return worker


def _places() -> str:
    # Wherever we were started: the package lies in the working directory alone after `cd src`.
    places = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.pathsep.join(places)
