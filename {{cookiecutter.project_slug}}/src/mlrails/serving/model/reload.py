"""Keeps the served model up to date with what the fetcher finds; a bad one changes nothing."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ...core import processes
from ...core.errors import ProjectError, UsageError, WorldError
from ...modeling.loading import ModelOrigin
from ..http import telemetry
from ..http.telemetry import Metrics
from .current import NOTICE
from .events import FoundModel, Message
from .order import Order, started

_FOLDERS_KEPT = 2
"""The one that answers, and the one before, which may still be answering."""
_NOTICE = "the registry cannot be followed, so this is the last model that was good"
_SECONDS_TO_A_NEW_FETCHER = 1, 60
"""At first, and at most: each one that ends in its turn doubles the wait."""


class Target(Protocol):
    """Who answers: this process, or several."""

    @property
    def origin(self) -> ModelOrigin:
        """Say which model answers."""

    async def take(self, found: FoundModel) -> None:
        """Let another model answer; raises WorldError, and changes nothing, where it cannot."""


class Watch:
    """The fetcher, and the models that it has brought."""

    def __init__(self, order: Order, fetcher: "subprocess.Popen[bytes]") -> None:
        self._order, self._fetcher = order, fetcher
        self._folders: deque[Path] = deque()
        self._ended, self._brought = False, 0
        self._problem = ""
        self.named = ""
        """What a person calls the first model, and where it is from."""

    def first(self) -> FoundModel:
        """Wait for the first model.

        Raises WorldError where there is none to serve, UsageError where what is asked for is none.
        """
        assert self._fetcher.stdout is not None
        found = _read(self._fetcher.stdout.readline())
        if "problem" in found:
            error = UsageError if found.get("usage") else WorldError
            raise error(found["problem"])
        self.named = found["named"]
        if "outage" in found:
            self._problem = str(found["outage"])
            self._note(True)
        self._keep(Path(found["folder"]))
        return found

    async def __call__(self, target: Target, metrics: Metrics) -> None:
        """Serve each model that the fetcher brings, until cancelled; SIGHUP looks at once."""
        loop = asyncio.get_running_loop()
        if self._problem:
            telemetry.log("last good model", problem=self._problem)
            metrics.registry_problem.set(1)
        if sys.platform != "win32":  # It has no such signal.
            loop.add_signal_handler(signal.SIGHUP, processes.on_hangup(self._ask))
        try:
            await self._keep_on(target, metrics)
        finally:
            self._end()

    async def _keep_on(self, target: Target, metrics: Metrics) -> None:
        """Follow one fetcher after the other, whatever ends them."""
        shortest, longest = _SECONDS_TO_A_NEW_FETCHER
        wait = shortest
        while self._order.seconds:
            brought = self._brought
            try:
                await self._follow(target, metrics)
            except Exception as error:  # No file or memory is left, say, which may change.
                telemetry.log_defect(error, while_doing="watch")
            self._end()
            metrics.fetchers_ended.inc()
            telemetry.log("fetcher ended", again_in_seconds=wait)
            await asyncio.sleep(wait)
            wait = shortest if self._brought > brought else min(2 * wait, longest)

    async def _follow(self, target: Target, metrics: Metrics) -> None:
        """Read what the fetcher says until it ends; start another where it has ended."""
        if self._ended:
            origin = target.origin
            self._order = replace(self._order, serving=(origin.version, origin.digest))
            self._fetcher, self._ended = started(self._order), False
        reader = asyncio.StreamReader(limit=2**20)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._fetcher.stdout
        )
        try:
            while line := await reader.readline():
                await self._hear(_read(line), target, metrics)
        finally:
            pipe.close()

    async def _hear(self, found: Message, target: Target, metrics: Metrics) -> None:
        if "problem" in found:
            telemetry.log("registry", problem=found["problem"])
            metrics.swaps.labels("refused").inc()
            metrics.registry_problem.set(1)
            self._note(True)
            return
        if "well" in found:
            telemetry.log("registry followed")
        else:
            await self._swap(found, target, metrics)
            self._brought += 1
        metrics.registry_problem.set(0)
        self._note(False)

    def _note(self, problem: bool) -> None:
        """Let every process that answers know, in words that anybody may read."""
        notice = Path(self._order.into) / NOTICE
        with suppress(OSError):  # A full disk must not keep a good model away.
            if problem and not notice.exists():
                now = datetime.now(UTC).isoformat(timespec="seconds")
                notice.write_text(f"{_NOTICE} (since {now})", "utf-8")
            if not problem:
                notice.unlink(missing_ok=True)

    async def _swap(self, found: FoundModel, target: Target, metrics: Metrics) -> None:
        origin, folder, before = found["origin"], Path(found["folder"]), target.origin
        try:
            await target.take(found)
        except ProjectError as error:
            shutil.rmtree(folder, ignore_errors=True)
            telemetry.log("model refused", version=origin["version"], problem=str(error))
            metrics.swaps.labels("refused").inc()
            return
        self._keep(folder)
        metrics.serves(target.origin)
        metrics.swaps.labels("served").inc()
        telemetry.log("model served", **origin, before=before.version, named=found.get("named"))

    def _keep(self, folder: Path) -> None:
        self._folders.append(folder)
        while len(self._folders) > _FOLDERS_KEPT:
            shutil.rmtree(self._folders.popleft(), ignore_errors=True)

    def _ask(self) -> None:
        """Let the fetcher look at once."""
        assert self._fetcher.stdin is not None
        with suppress(OSError):
            self._fetcher.stdin.write(b"look\n")
            self._fetcher.stdin.flush()

    def _end(self) -> None:
        """End the fetcher, to which nobody listens any more."""
        self._fetcher.kill()
        self._fetcher.wait()
        self._ended = True


def _read(line: bytes) -> Message:
    try:
        found: Message = json.loads(line)
    except ValueError:
        return {"problem": "the fetcher has found no model to serve, and said why above"}
    return found
