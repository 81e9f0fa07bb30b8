"""`serve`: the champion, or what is asked for, on this machine."""

import os
import signal
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..core import files, processes
from ..core.console import say
from ..core.settings import Settings
from ..modeling import isolation
from ..registry.versions import CHAMPION
from .model.order import Order, started
from .process.options import Manner
from .requests.pieces import prepare

if TYPE_CHECKING:
    from .model.reload import Watch


_SECONDS_OF_A_BRANCH = 60.0
"""Between looks at a branch, each of which asks the remote."""


@dataclass(frozen=True)
class ServeOptions:
    """What to serve and where, in the words of the command line."""

    host: str
    port: int
    model: str = CHAMPION
    """A version's number, an alias, or what means the model of this folder (`named`)."""
    registry: str | None = None
    every: float = 5.0
    everyone: bool = False
    manner: Manner = field(default_factory=Manner)


def serve(settings: Settings, wanted: ServeOptions, package: str = "") -> None:
    """Serve until interrupted; raises UsageError or WorldError where that cannot begin.

    What models of the `package` import is imported while the model is looked for.
    """
    os.chdir(settings.root)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # It means: look at once, which we do anyway.
        signal.signal(signal.SIGHUP, processes.on_hangup(lambda: None))
    if rules := wanted.manner.rules:
        prepare(rules.folder)  # Before anything starts.
    seconds = 0.0 if wanted.model.isdecimal() else wanted.every
    if settings.on_branch and seconds:
        seconds = max(seconds, _SECONDS_OF_A_BRANCH)
    with files.scratch_folder(settings.scratch) as folder:
        order = Order(wanted.model, seconds, str(folder), wanted.registry)
        fetcher = started(order)  # It imports while we do.
        try:
            if wanted.manner.workers == 1 and package:
                isolation.warm(package)
            from .model.current import NOTICE
            from .model.reload import Watch
            from .process import server

            watch = Watch(order, fetcher)
            manner = replace(wanted.manner, notice=str(folder / NOTICE))
            server.check_open(wanted.host, wanted.manner.token, wanted.everyone, "--everyone")
            listening = server.listen(wanted.host, wanted.port, "--port")
            _serve(watch, listening, manner)
        finally:
            fetcher.kill()
            fetcher.wait()


def _serve(watch: "Watch", listening: socket.socket, manner: Manner) -> None:
    """Serve what the fetcher brings, in this process or in several."""
    from .model.current import load_found
    from .process import server

    found = watch.first()
    host, port = listening.getsockname()[:2]
    place = f"[{host}]" if ":" in host else host

    def ready() -> None:
        say(f"serve: {watch.named} on http://{place}:{port} (stop with Ctrl-C)")

    if manner.workers > 1:
        from .process import supervisor

        supervisor.serve(found, listening, manner, watch, ready)
    else:
        first = load_found(found)
        ready()
        server.serve(first, listening, manner, watch)
