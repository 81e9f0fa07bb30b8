"""python -m mlrails.serving.model.fetcher: finds the model to serve, puts its bytes in a folder.

With FOLDER and ORIGIN behind, it lets that model answer its own example, and ends (`smoke_test`).

A process beside the server, since MLflow takes seconds to import and 200 MB to hold, and since what
a bad model does to whoever loads it first must not happen to the server. It reads an `Order` from
standard input, looks again after some time and on each further line, and writes a line for each
model that it has found, checked and tried, or for what was wrong.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue

from ...core import errors, settings
from ...core.console import warn
from ...core.errors import OutageError, ProjectError, UsageError, WorldError
from ...core.settings import Settings
from ...modeling import checked_copy, loading
from ...registry import git_branch, resolve
from ...registry.versions import LOCAL
from . import last_good
from .order import Order

_SECONDS_TO_ANSWER = 120


class Fetcher:
    """Looks, and remembers what it has seen."""

    def __init__(self, order: Order, there: Settings) -> None:
        self._order, self._there = order, there
        self._sought: resolve.Resolver | None = None
        self._seen = tuple(order.serving) if order.serving else None
        # Another fetcher may have told of a problem before this one began.
        self._told = "unknown" if order.serving else ""

    def look(self) -> None:
        """Look once, and tell what is new."""
        try:
            git_branch.act_on(self._there, self._look_at, writes=False)
        except (ProjectError, OSError) as error:
            problem = str(error if isinstance(error, ProjectError) else errors.of_os(error))
            if self._seen is None and isinstance(error, OutageError) and self._go_back(problem):
                return
            if problem != self._told:
                self._told = problem
                usage = {"usage": True} if isinstance(error, UsageError) else {}
                tell(problem=problem, **usage)

    def _go_back(self, problem: str) -> bool:
        """Bring the last model that was good, where a registry is away before there is another."""
        try:
            with last_good.found(self._there, self._order.wanted) as kept:
                if kept is None:
                    return False
                model, origin = kept
                target = self._laid(model)
        except (ProjectError, OSError) as error:
            warn(f"{error}")
            return False
        self._seen, self._told = (origin.version, origin.digest), problem
        named = f"version {origin.version} ({origin.digest[:12]}), the last that was good,"
        tell_model(target, origin, None, named=named, outage=problem)
        return True

    def _laid(self, model: Path) -> Path:
        """Move a checked copy, which is gone else, to where the server's own folder is."""
        target = Path(self._order.into) / uuid.uuid4().hex
        shutil.move(model, target)
        return target

    def _look_at(self, there: Settings) -> None:
        if self._sought is None or there.on_branch:  # A branch is another copy each time.
            self._sought = resolve.Resolver(there, self._order.wanted)
        found = self._sought.pointed()
        if found != self._seen:
            self._bring(self._sought, *found)
            self._seen, self._told = found, ""
        elif self._told:
            self._told = ""
            tell(well=True)

    def _bring(self, there: resolve.Resolver, version: str, digest: str) -> None:
        """Put the bytes into a folder of their own; a model that takes a place is tried first."""
        with there.bytes(version, digest) as (folder, origin):
            target = self._laid(folder)
        expected, first = None, self._seen is None
        if not first:
            try:
                expected = smoke_test(target, origin)
            except WorldError:
                # It was looked at, and stays bad: no need to try it again and again.
                self._seen = version, digest
                shutil.rmtree(target)
                raise
        named = there.named(version, digest)
        tell_model(target, origin, expected, named=named)
        self._keep(there, target, origin, first)

    def _keep(
        self, there: resolve.Resolver, folder: Path, origin: loading.ModelOrigin, untried: bool
    ) -> None:
        """Keep a model for a restart without the registry; nothing that is served hangs on it."""
        wanted = self._order.wanted
        if origin.version == LOCAL or last_good.has(self._there, wanted, origin.digest):
            return
        try:
            with tempfile.TemporaryDirectory() as scratch:
                signature = there.signature(origin.version, Path(scratch))
                if untried:
                    smoke_test(folder, origin)
                last_good.keep(self._there, wanted, folder, origin, signature)
        except (ProjectError, OSError) as error:
            warn(f"version {origin.version} is not kept for a restart ({error})")


def tell(**said: object) -> None:
    """Write a line to the server."""
    with suppress(BrokenPipeError):
        print(json.dumps(said), flush=True)


def tell_model(
    folder: Path, origin: loading.ModelOrigin, expected: loading.Answer | None, **said: object
) -> None:
    """Write which model may be served, a checked copy in the folder of the server's own."""
    told = {"folder": str(folder), "private": True, "origin": asdict(origin)}
    tell(**told, expected=expected, **said)


def smoke_test(folder: Path, origin: loading.ModelOrigin) -> loading.Answer:
    """Return the model's answer to its example; raises WorldError where it has none.

    It is tried in a process of its own, since a model brings code: what crashes or hangs there
    harms nobody.
    """
    command = [
        sys.executable,
        "-m",
        f"{__package__}.fetcher",
        str(folder),
        json.dumps(asdict(origin)),
    ]
    name = f"version {origin.version} ({origin.digest[:12]})"
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS_TO_ANSWER,
        )
    except subprocess.TimeoutExpired:
        raise WorldError(
            f"{name}: has not answered its example in {_SECONDS_TO_ANSWER} s"
        ) from None
    if done.returncode == 0:
        with suppress(ValueError):
            answer: loading.Answer = json.loads(done.stdout.strip().rpartition("\n")[2])
            return answer
    said = done.stderr.strip().splitlines()
    reason = said[-1] if said else f"it ended with {done.returncode}, without an answer"
    raise WorldError(f"{name}: could not be tried, and is not served ({reason[:300]})")


def _answer_example(folder: Path, origin: loading.ModelOrigin) -> None:
    """Print the answer as JSON, or end with what is wrong in one line."""
    try:
        answer = loading.load_copy(checked_copy.again(folder, origin.digest), origin).try_example()
    except ProjectError as error:
        sys.exit(str(error))
    print(json.dumps(answer))


def main() -> None:
    """Try one model where one is named; else look until nobody listens any more."""
    if words := sys.argv[1:]:
        _answer_example(Path(words[0]), loading.ModelOrigin(**json.loads(words[1])))
    else:
        _look_again_and_again()


def _look_again_and_again() -> None:
    order = Order(**json.loads(sys.stdin.readline()))
    asked: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    there = settings.from_environment(os.environ, Path.cwd()).of_registry(order.registry)
    fetcher = Fetcher(order, there)
    fetcher.look()
    while order.seconds:
        with suppress(Empty):
            if not asked.get(timeout=order.seconds):
                break
        fetcher.look()


def _listen(asked: "SimpleQueue[str]") -> None:
    """Pass lines on; the empty one says that nobody is there any more."""
    line = "\n"
    while line:
        line = sys.stdin.readline()
        asked.put(line)


if __name__ == "__main__":
    main()
