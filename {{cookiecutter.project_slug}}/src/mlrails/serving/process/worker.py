"""python -m mlrails.serving.process.worker ORDERS CALLERS: one of several processes that answer.

Both are sockets that it was given: orders come in lines of JSON and are answered by one each, and
connections come as they are. When nobody gives orders any more, it ends.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...core import processes
from ...core.errors import ProjectError
from ..model.events import FoundModel, Message


class Duty:
    """What a worker does on orders."""

    def __init__(self, holder: Any, server: Any, metrics: Any, callers: socket.socket) -> None:
        self._holder, self._server, self._metrics = holder, server, metrics
        self._callers = callers
        self._new: Any = None
        self._taking: set[asyncio.Task[None]] = set()

    async def load(self, found: FoundModel) -> Message:
        """Load a model beside the one that answers."""
        from ..model.current import load_found

        try:
            self._new = await asyncio.to_thread(load_found, found)
        except ProjectError as error:
            return {"problem": str(error)}
        return {}

    async def hold(self) -> Message:
        """Begin nothing more, and end what waits for its batch."""
        self._server.door.hold()
        for _ in range(3):  # What has begun is scored in the next turn, and answered in one more.
            await asyncio.sleep(0)
        return {}

    async def use(self) -> Message:
        """Answer with the new model."""
        if self._new is not None:
            self._holder.put(self._new, self._metrics)
        return await self.forget()

    async def forget(self) -> Message:
        """Go on with the model that is there."""
        self._new = None
        self._server.door.release()
        return {}

    async def drain(self) -> Message:
        """Let callers go."""
        self._server.door.closing = True
        return {}

    async def end(self) -> Message:
        """Take in who was handed here, and end."""
        self.take_callers()
        if self._taking:
            await asyncio.wait(self._taking)
        self._server.should_exit = True
        return {}

    def take_callers(self) -> None:
        """Take in the connections that were handed here."""
        with suppress(OSError):
            while True:
                word, places, _, _ = socket.recv_fds(self._callers, 1, 1)
                for place in places:
                    task = asyncio.ensure_future(self._server.take(socket.socket(fileno=place)))
                    self._taking.add(task)
                    task.add_done_callback(self._taking.discard)
                if not word:  # Nobody is there any more.
                    asyncio.get_running_loop().remove_reader(self._callers)
                    return


async def obey(duty: Duty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do what is ordered until nobody is there any more."""
    with suppress(OSError):
        while line := await reader.readline():
            order = json.loads(line)
            answer = await getattr(duty, order.pop("act"))(**order)
            writer.write(json.dumps(answer).encode() + b"\n")
    duty._server.should_exit = True


def work(first: Any, orders: socket.socket, callers: socket.socket, manner: Any) -> None:
    """Serve as one of several: connections and orders come from the process that began us."""
    from ..http.telemetry import Metrics
    from ..requests.log import keeping
    from .server import Server, assemble, settle

    metrics = Metrics(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))

    async def both(server: Any, holder: Any) -> None:
        duty = Duty(holder, server, metrics, callers)
        reader, writer = await asyncio.open_connection(sock=orders)
        serving = asyncio.ensure_future(server.serve(sockets=[]))
        while not server.started:
            await asyncio.sleep(0.01)
        callers.setblocking(False)
        asyncio.get_running_loop().add_reader(callers, duty.take_callers)
        writer.write(b"{}\n")
        obeying = asyncio.ensure_future(obey(duty, reader, writer))
        await serving
        obeying.cancel()

    with keeping(manner.rules, metrics) as log:
        holder, front, config = assemble(first, manner, metrics, log)
        settle()
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as loop:
            loop.run(both(Server(config, front.door, None), holder))


def main() -> None:
    """Load the model of the first order, and answer."""
    processes.use_one_thread()
    # Who ends us is the one that has begun us; a signal to all of us is for it alone.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    orders, callers = (socket.socket(fileno=int(it)) for it in sys.argv[1:])
    first = json.loads(_line(orders))
    from ..model.current import load_found
    from .options import Manner

    try:
        model = load_found(first["found"])
    except ProjectError as error:
        orders.sendall(json.dumps({"problem": str(error)}).encode() + b"\n")
        return
    work(model, orders, callers, Manner(**first["manner"]))


def _line(orders: socket.socket) -> bytes:
    """Return the first order: nothing comes behind it until it is answered."""
    line = b""
    while not line.endswith(b"\n") and (part := orders.recv(2**16)):
        line += part
    return line


if __name__ == "__main__":
    main()
