"""Several processes that answer on one port, each on a core of its own, as if they were one.

This process holds the socket, hands each connection to the next worker, and has no model. A new
model is loaded by every worker first; then all hold back what comes, until all have it. So whoever
has seen the new model once is never answered by the old one again, whichever worker is asked. A
worker that ends is replaced, and its figures stay in the sum.
"""

import asyncio
import os
import signal
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...core.errors import UsageError, WorldError
from ...modeling.loading import ModelOrigin
from ..http import telemetry
from ..http.telemetry import Metrics
from ..model.events import FoundModel, Message
from .handle import Worker, WorkerGoneError, hired
from .options import Manner
from .server import SECONDS_TO_STOP, waiting

Follow = Callable[["Workers", Metrics], Awaitable[None]]
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder that only its maker may enter is made in it
_SECONDS_TO_HOLD = 5
_SECONDS_TO_ANOTHER = 0.1, 30.0
"""At first, and at most: each worker that ends soon doubles the wait for the next one."""
_SOON = 60.0


class Workers:
    """All workers, and the model that they have."""

    def __init__(self, manner: Manner, metrics: Metrics, shared: Path) -> None:
        self._manner, self._metrics, self._shared = manner, metrics, shared
        self._found: FoundModel = {}
        self._working: list[Worker] = []
        self._next = 0
        self._turn = asyncio.Lock()
        self._looking: list[asyncio.Task[None]] = []
        self._listening: socket.socket | None = None

    @property
    def origin(self) -> ModelOrigin:
        """Say which model answers."""
        return ModelOrigin(**self._found["origin"])

    async def begin(self, found: FoundModel) -> None:
        """Let all workers begin with a model; raises WorldError where one cannot."""
        self._found = found
        made = [hired(self._manner, found) for _ in range(self._manner.workers)]
        joined = await asyncio.gather(*made, return_exceptions=True)
        self._working = [it for it in joined if isinstance(it, Worker)]
        for error in (it for it in joined if isinstance(it, BaseException)):
            raise error
        self._looking = [asyncio.ensure_future(self._look_after(it)) for it in self._working]

    async def take(self, found: FoundModel) -> None:
        """Let all answer with another model from one moment on.

        Raises WorldError, and changes nothing, where one of them cannot load it.
        """
        async with self._turn:
            said = await self._all("load", found=found)
            problems = [it["problem"] for it in said if "problem" in it]
            if problems:
                await self._all("forget")
                raise WorldError(problems[0])
            with suppress(TimeoutError):  # Who hangs must not keep the others from their callers.
                async with asyncio.timeout(_SECONDS_TO_HOLD):
                    await self._all("hold")
            self._found = found
            await self._all("use")

    async def _all(self, act: str, **said: object) -> list[Message]:
        """Return what those say to an order who are still there to say something."""
        asked = (it.ask(act, **said) for it in self._working)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for error in answers:
            if isinstance(error, BaseException) and not isinstance(error, WorkerGoneError):
                raise error
        return [it for it in answers if isinstance(it, dict)]

    async def _look_after(self, worker: Worker) -> None:
        """Put another in the place of a worker that ends, and so on."""
        wait, longest = _SECONDS_TO_ANOTHER
        while True:
            began = time.monotonic()
            code = await asyncio.to_thread(worker.process.wait)
            self._leave(worker, code)
            lasted = time.monotonic() - began > _SOON
            wait = _SECONDS_TO_ANOTHER[0] if lasted else min(2 * wait, longest)
            worker = await self._another(wait)

    def _leave(self, worker: Worker, code: int) -> None:
        self._working.remove(worker)
        self._accept_while_there_is_one()
        worker.close()
        self._metrics.ended(worker.process.pid)
        telemetry.log("worker ended", pid=worker.process.pid, code=code)

    async def _another(self, wait: float) -> Worker:
        """Return another worker with the model that the others have, as soon as there can be."""
        while True:
            await asyncio.sleep(wait)
            async with self._turn:
                try:
                    worker = await hired(self._manner, self._found)
                except (WorldError, OSError) as error:
                    telemetry.log("worker refused", problem=str(error), again_in_seconds=wait)
                    wait = min(2 * wait, _SECONDS_TO_ANOTHER[1])
                    continue
                self._working.append(worker)
                self._accept_while_there_is_one()
                telemetry.log("worker replaced", pid=worker.process.pid)
                return worker

    def listen(self, listening: socket.socket) -> None:
        """Accept callers, while there is somebody to answer them."""
        listening.setblocking(False)
        self._listening = listening
        self._accept_while_there_is_one()

    def _accept_while_there_is_one(self) -> None:
        if self._listening is not None:
            loop = asyncio.get_running_loop()
            if self._working:
                loop.add_reader(self._listening, self._accept)
            else:  # They wait in the system's queue.
                loop.remove_reader(self._listening)

    def _accept(self) -> None:
        assert self._listening is not None
        for caller in waiting(self._listening):
            with caller:
                any(self._turned().hand(caller) for _ in self._working)

    def _turned(self) -> Worker:
        self._next = (self._next + 1) % len(self._working)
        return self._working[self._next]

    async def drain(self) -> None:
        """Let callers go from now on."""
        telemetry.log("draining", seconds=self._manner.drain)
        await self._all("drain")

    async def end(self) -> None:
        """Stop to listen, and end the workers when they have answered everybody."""
        if self._listening is not None:
            self._accept()
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
        for task in self._looking:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_STOP + 2):
                await self._all("end")
                for worker in self._working:
                    await asyncio.to_thread(worker.process.wait, SECONDS_TO_STOP)
        self.close()

    def close(self) -> None:
        """End the workers, whatever they do."""
        for worker in self._working:
            worker.close()


def serve(
    found: FoundModel,
    listening: socket.socket,
    manner: Manner,
    watch: Follow | None,
    ready: Callable[[], None],
) -> None:
    """Serve a model, and whatever `watch` puts in its place, until a signal comes.

    `ready` is called when all workers are there. Raises WorldError where one cannot begin.
    """
    if not hasattr(socket, "send_fds"):
        raise UsageError("--workers: this system hands no connections on; start one on each port")
    with _figures() as shared:
        asyncio.run(
            _serve(Workers(manner, Metrics(shared), shared), found, listening, watch, ready)
        )
    telemetry.log("stopped")


@contextmanager
def _figures() -> Iterator[Path]:
    """Yield a folder that the workers' figures lie in; prometheus_client looks for its name."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="figures-", dir=place) as shared:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        yield Path(shared)


async def _serve(
    workers: Workers,
    found: FoundModel,
    listening: socket.socket,
    watch: Follow | None,
    ready: Callable[[], None],
) -> None:
    stopping, hurry = asyncio.Event(), asyncio.Event()
    _hear_signals(stopping, hurry)
    try:
        await workers.begin(found)
    except BaseException:
        workers.close()
        raise
    workers.listen(listening)
    ready()
    telemetry.log("serving", **found["origin"], workers=workers._manner.workers)
    watching = asyncio.ensure_future(watch(workers, workers._metrics)) if watch else None
    await stopping.wait()
    if watching:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    if not hurry.is_set():
        await workers.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), workers._manner.drain)
    await workers.end()


def _hear_signals(stopping: asyncio.Event, hurry: asyncio.Event) -> None:
    """SIGTERM drains; a second one, or a person's Ctrl-C, ends it at once."""

    def stop(number: signal.Signals) -> None:
        if number == signal.SIGINT or stopping.is_set():
            hurry.set()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
