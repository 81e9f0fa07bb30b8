"""Which process waits for a stage or holds a run open, and whether it is gone."""

import os
import socket
from functools import cache

PROCESS = "process"
"""The tag of a run that says so."""

_CLOCK = 60
"""Seconds by which the clock may be set while a process lives, which moves when it seems to have
started; within a minute no system gives a process id again."""


@cache
def this_process() -> str:
    """Return the machine, the process id and when it started, which no other process shares."""
    import psutil

    return f"{socket.gethostname()}/{os.getpid()}/{psutil.Process().create_time():.0f}"


def is_gone(process: str) -> bool:
    """Tell whether a process of this machine has ended; of another machine's nothing is known."""
    import psutil

    host, _, rest = process.partition("/")
    pid, _, started = rest.partition("/")
    if host != socket.gethostname() or not (pid.isdigit() and started.isdigit()):
        return False
    try:
        found = psutil.Process(int(pid))
        dead = found.status() == psutil.STATUS_ZOMBIE  # and nobody has asked how it ended
        return bool(dead or abs(found.create_time() - int(started)) > _CLOCK)
    except psutil.NoSuchProcess:
        return True
