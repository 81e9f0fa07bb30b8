"""Which process waits for a stage or holds a run open, and whether it is gone."""

import os
import socket
from functools import cache
from pathlib import Path

PROCESS = "process"
"""The tag of a run that says so."""

_CLOCK = 60
"""Seconds by which the clock may be set while a process lives, which moves when it seems to have
started; within a minute no system gives a process id again."""

_BOOT, _NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


@cache
def this_process() -> str:
    """Return where it runs, its process id and when it started, which no other process shares."""
    import psutil

    return f"{_place()}/{os.getpid()}/{psutil.Process().create_time():.0f}"


def _place() -> str:
    """Return the host, its boot and the namespace in which its process ids count.

    Containers may share a host's name, and never see each other's processes.
    """
    import psutil

    try:
        boot, namespace = _BOOT.read_text("ascii").strip(), _NAMESPACE.stat().st_ino
    except OSError:  # not Linux
        boot, namespace = f"{psutil.boot_time():.0f}", 0
    return f"{socket.gethostname()}/{boot}/{namespace}"


def is_gone(process: str) -> bool:
    """Tell whether a process that would be seen from here has ended; of others nothing is known."""
    import psutil

    place, pid, started = ["", "", *process.rsplit("/", 2)][-3:]
    if place != _place() or not (pid.isdigit() and started.isdigit()):
        return False
    try:
        found = psutil.Process(int(pid))
        dead = found.status() == psutil.STATUS_ZOMBIE  # and nobody has asked how it ended
        return bool(dead or abs(found.create_time() - int(started)) > _CLOCK)
    except psutil.NoSuchProcess:
        return True


def named(process: str) -> str:
    """Return what a person calls a process."""
    host, _, rest = process.partition("/")
    pid = rest.rpartition("/")[0].rpartition("/")[2]
    return f"process {pid} on {host}" if pid else process
