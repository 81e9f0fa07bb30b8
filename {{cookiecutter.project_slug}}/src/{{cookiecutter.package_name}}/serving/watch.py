"""Keeps the served model up to date with what the scout finds; a bad one changes nothing."""

import asyncio
import gc
import json
import shutil
import signal
import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import served
from ..errors import ProjectError, WorldError
from ..served import Origin, Served
from . import logs
from .current import Holder
from .metrics import Metrics
from .order import Order, started

_FOLDERS_KEPT = 2
"""The one that answers, and the one before, which may still be answering."""
_SECONDS_TO_A_NEW_SCOUT = 1, 60
"""At first, and at most: each one that ends in its turn doubles the wait."""


class Watch:
    """The scout, and the models that it has brought."""

    def __init__(self, order: Order, scout: "subprocess.Popen[bytes]") -> None:
        self._order, self._scout = order, scout
        self._folders: deque[Path] = deque()

    def first(self) -> Served:
        """Wait for the first model; raises WorldError where there is none to serve."""
        assert self._scout.stdout is not None
        found = _read(self._scout.stdout.readline())
        if "problem" in found:
            raise WorldError(found["problem"])
        return self._load(found)

    async def __call__(self, holder: Holder, metrics: Metrics) -> None:
        """Serve each model that the scout brings, until cancelled; SIGHUP looks at once."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, AttributeError):  # Windows has no such signal.
            loop.add_signal_handler(signal.SIGHUP, self._ask)
        try:
            await self._keep_on(holder, metrics)
        finally:
            self._scout.kill()
            self._scout.wait()

    async def _keep_on(self, holder: Holder, metrics: Metrics) -> None:
        """Follow one scout after the other."""
        wait, most = _SECONDS_TO_A_NEW_SCOUT
        while self._order.seconds:
            brought = await self._follow(holder, metrics)
            logs.write("scout ended", again_in_seconds=wait)
            await asyncio.sleep(wait)
            wait = _SECONDS_TO_A_NEW_SCOUT[0] if brought else min(2 * wait, most)
            origin = holder.now.served.origin
            self._order = replace(self._order, serving=(origin.version, origin.digest))
            self._scout = started(self._order)

    async def _follow(self, holder: Holder, metrics: Metrics) -> bool:
        """Read what the scout says until it ends; tell whether it has brought anything."""
        reader, brought = asyncio.StreamReader(limit=2**20), False
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._scout.stdout
        )
        while line := await reader.readline():
            found = _read(line)
            if "problem" in found:
                logs.write("registry", problem=found["problem"])
                metrics.swaps.labels("refused").inc()
                continue
            brought = True
            await self._swap(found, holder, metrics)
        return brought

    async def _swap(self, found: dict[str, Any], holder: Holder, metrics: Metrics) -> None:
        origin = found["origin"]
        try:
            new = await asyncio.to_thread(self._load, found)
        except ProjectError as error:
            logs.write("model refused", version=origin["version"], problem=str(error))
            metrics.swaps.labels("refused").inc()
            return
        before = holder.now.served.origin
        holder.replace(new)
        gc.freeze()
        metrics.serves(new.origin)
        metrics.swaps.labels("served").inc()
        logs.write("model served", **origin, before=before.version)

    def _load(self, found: dict[str, Any]) -> Served:
        folder = Path(found["folder"])
        new = served.load(folder, Origin(**found["origin"]), found["expected"])
        self._folders.append(folder)
        while len(self._folders) > _FOLDERS_KEPT:
            shutil.rmtree(self._folders.popleft(), ignore_errors=True)
        return new

    def _ask(self) -> None:
        """Let the scout look at once."""
        assert self._scout.stdin is not None
        with suppress(OSError):
            self._scout.stdin.write(b"look\n")
            self._scout.stdin.flush()


def _read(line: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"problem": "the scout has found no model to serve, and said why above"}
    return found
