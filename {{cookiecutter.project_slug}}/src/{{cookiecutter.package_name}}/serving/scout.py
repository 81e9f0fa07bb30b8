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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from .. import data, errors, fetched, registry, settings
from ..errors import ProjectError, UsageError, WorldError
from ..foreign import in_words
from ..registry import Registry
from ..served import Origin
from ..settings import NAME, Settings
from ..versions import CHAMPION
from . import trial
from .order import Order

LOCAL = "local"
"""What the model of this folder is called, where a version has its number."""


class Scout:
    """Looks, and remembers what it has seen."""

    def __init__(self, order: Order, there: Settings) -> None:
        self._order, self._settings = order, there
        self._seen = tuple(order.serving) if order.serving else None
        self._told = ""
        self._registry: Registry | None = None

    def look(self) -> None:
        """Look once, and tell what is new."""
        try:
            found = self._pointed()
            if found != self._seen:
                self._bring(*found)
                self._seen, self._told = found, ""
        except (ProjectError, OSError) as error:
            problem = str(error if isinstance(error, ProjectError) else errors.of_os(error))
            if problem != self._told:
                self._told = problem
                tell(problem=problem)

    def _pointed(self) -> tuple[str, str]:
        """Return the version and the digest of what is wanted now."""
        if self._registry is None:
            self._registry = registry.connect(self._settings)
        wanted, there = self._order.wanted, self._registry
        if wanted.isdecimal():
            found = there.get(int(wanted))
            return str(found.number), found.digest
        aliased = there.aliased(wanted)
        if aliased is not None:
            return str(aliased.number), aliased.digest
        if wanted != CHAMPION:
            raise UsageError(f"{there.name}: no version has the alias {wanted!r}")
        return LOCAL, _digest_here(self._settings.root)

    def _bring(self, version: str, digest: str) -> None:
        """Put the bytes into a folder of their own; a model that takes a place is tried first."""
        with self._bytes(version, digest) as (folder, trained):
            origin = Origin(digest, version, NAME, trained)
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
        tell(folder=str(target), origin=asdict(origin), expected=expected)

    @contextmanager
    def _bytes(self, version: str, digest: str) -> Iterator[tuple[Path, str]]:
        """Yield verified bytes, and when they were made."""
        if version == LOCAL:
            model = self._settings.root / data.MODEL
            with fetched.copied(model, digest) as folder:
                yield folder, _as_time((model / "MLmodel").stat().st_mtime)
            return
        assert self._registry is not None
        found = self._registry.get(int(version))
        with in_words(self._registry.uri):
            began = self._registry.client.get_run(found.run_id).info.start_time / 1000
        with fetched.model(self._registry, found, self._settings) as folder:
            yield folder, _as_time(began)


def _digest_here(root: Path) -> str:
    try:
        return str(json.loads((root / data.METRICS).read_text("utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            "there is no model to serve yet: run `nox -s train`, or `nox -s promote`"
        ) from None


def _as_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


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
