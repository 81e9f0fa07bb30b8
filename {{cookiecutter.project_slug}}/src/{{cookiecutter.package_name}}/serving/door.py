"""`serve`: the champion, or what is asked for, on this machine."""

import os
import signal
from dataclasses import dataclass, field

from .. import carried, copies, processes
from ..console import say
from ..settings import Settings
from ..versions import named
from .manner import Manner
from .order import Order, started

_SECONDS_OF_A_BRANCH = 60.0
"""Between looks at a branch, each of which asks the remote."""


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
    manner: Manner = field(default_factory=Manner)


def serve(settings: Settings, wanted: Wanted) -> None:
    """Serve until interrupted; raises UsageError or WorldError where that cannot begin."""
    os.chdir(settings.root)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # It means: look at once, which we do anyway.
        signal.signal(signal.SIGHUP, processes.on_hangup(lambda: None))
    name = named(wanted.version, wanted.alias)
    seconds = 0.0 if wanted.version is not None else wanted.every
    if settings.on_branch and seconds:
        seconds = max(seconds, _SECONDS_OF_A_BRANCH)
    with copies.folder(settings) as folder:
        order = Order(name, seconds, str(folder), wanted.registry)
        scout = started(order)  # It imports while we do.
        try:
            carried.warm()
            from . import run
            from .watch import Watch

            watch = Watch(order, scout)
            run.check_open(wanted.host, wanted.manner.token, wanted.everyone, "--everyone")
            listening = run.listen(wanted.host, wanted.port, "--port")
            first = watch.first()
            host, port = listening.getsockname()[:2]
            place = f"[{host}]" if ":" in host else host
            say(
                f"serve: version {first.origin.version} on http://{place}:{port} (stop with Ctrl-C)"
            )
            run.serve(first, listening, wanted.manner, watch)
        finally:
            scout.kill()
            scout.wait()
