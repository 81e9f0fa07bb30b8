"""python -m PACKAGE.serving.scout: looks for the model to serve, and puts its bytes in a folder.

A process beside the server, since MLflow takes seconds to import and 200 MB to hold, and since what
a bad model does to whoever loads it first must not happen to the server. It reads an `Order` from
standard input, looks again after some time and on each further line, and writes a line for each
model that it has found, checked and tried, or for what was wrong.
"""

import json
import os
import shutil
import sys
import threading
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue

from .. import branch, errors, settings, sought
from ..errors import ProjectError, WorldError
from ..settings import Settings
from . import trial
from .order import Order


class Scout:
    """Looks, and remembers what it has seen."""

    def __init__(self, order: Order, there: Settings) -> None:
        self._order, self._there = order, there
        self._sought: sought.Sought | None = None
        self._seen = tuple(order.serving) if order.serving else None
        self._told = ""

    def look(self) -> None:
        """Look once, and tell what is new."""
        try:
            branch.at(self._there, self._look_at, writes=False)
        except (ProjectError, OSError) as error:
            problem = str(error if isinstance(error, ProjectError) else errors.of_os(error))
            if problem != self._told:
                self._told = problem
                tell(problem=problem)

    def _look_at(self, there: Settings) -> None:
        if self._sought is None or there.on_branch:  # A branch is another copy each time.
            self._sought = sought.Sought(there, self._order.wanted)
        found = self._sought.pointed()
        if found != self._seen:
            self._bring(self._sought, *found)
            self._seen, self._told = found, ""

    def _bring(self, there: sought.Sought, version: str, digest: str) -> None:
        """Put the bytes into a folder of their own; a model that takes a place is tried first."""
        with there.bytes(version, digest) as (folder, origin):
            target = Path(self._order.into) / uuid.uuid4().hex
            shutil.copytree(folder, target)
        expected = None
        if self._seen is not None:
            try:
                expected = trial.run(target, origin)
            except WorldError:
                # It was looked at, and stays bad: no need to try it again and again.
                self._seen = version, digest
                shutil.rmtree(target)
                raise
        named = there.named(version, digest)
        tell(folder=str(target), origin=asdict(origin), expected=expected, named=named)


def tell(**said: object) -> None:
    """Write a line to the server."""
    with suppress(BrokenPipeError):
        print(json.dumps(said), flush=True)


def main() -> None:
    """Look until nobody listens any more."""
    order = Order(**json.loads(sys.stdin.readline()))
    asked: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    there = settings.from_environment(os.environ, Path.cwd()).of_registry(order.registry)
    scout = Scout(order, there)
    scout.look()
    while order.seconds:
        with suppress(Empty):
            if not asked.get(timeout=order.seconds):
                break
        scout.look()


def _listen(asked: "SimpleQueue[str]") -> None:
    """Pass lines on; the empty one says that nobody is there any more."""
    line = "\n"
    while line:
        line = sys.stdin.readline()
        asked.put(line)


if __name__ == "__main__":
    main()
