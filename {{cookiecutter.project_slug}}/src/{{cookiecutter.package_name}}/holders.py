"""Which process holds a run open, and whether it is gone."""

import os
import socket
from functools import cache

PROCESS = "process"
"""The tag of a run that says so."""


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
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.0f}" != started
    except psutil.NoSuchProcess:
        return True
