"""`serve`: the champion, or what is asked for, on this machine."""

import os
import tempfile
from dataclasses import dataclass

from .. import sought
from ..console import say
from ..settings import Settings
from .order import Order
from .watch import Watch

THREADS = "OMP_NUM_THREADS"
"""More threads than one make the slowest answers slower: they wait for each other."""


@dataclass(frozen=True)
class Wanted:
    """What to serve and where, in the words of the command line."""

    host: str
    port: int
    version: int | None = None
    alias: str | None = None
    registry: str | None = None
    every: float = 5.0
    everyone: bool = False


def serve(settings: Settings, wanted: Wanted) -> None:
    """Serve until interrupted; raises UsageError or WorldError where that cannot begin."""
    os.environ.setdefault(THREADS, "1")
    os.chdir(settings.root)
    name = sought.named(wanted.version, wanted.alias)
    seconds = 0.0 if wanted.version is not None else wanted.every
    with tempfile.TemporaryDirectory(prefix="serving-", dir=settings.scratch) as folder:
        watch = Watch(Order(name, seconds, folder, wanted.registry))  # It imports while we do.
        try:
            from . import run

            run.check_open(wanted.host, settings.serving_token, wanted.everyone)
            listening = run.listen(wanted.host, wanted.port)
            first = watch.first()
            host, port = listening.getsockname()[:2]
            place = f"[{host}]" if ":" in host else host
            say(
                f"serve: version {first.origin.version} on http://{place}:{port} (stop with Ctrl-C)"
            )
            run.serve(first, listening, settings.serving_token, watch)
        finally:
            watch.close()
