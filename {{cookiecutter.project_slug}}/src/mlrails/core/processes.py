"""Processes: how one of ours begins and ends, by which name others know it, and whether it is gone.

Whoever holds a stage, a run or a turn writes that name down, so that the next one can tell what a
kill has left from what somebody works on.
"""

import gc
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from .errors import INTERRUPTED, Exit

_OBJECTS_BETWEEN_LOOKS = 100_000
_SECONDS_BETWEEN_LOOKS = 0.5
"""For the caller; whoever ends it waits about as long for the rest to end."""
_ASKED_ONCE = {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "KMP_BLOCKTIME": "0",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_NUM_INTRAOP_THREADS": "1",
}
"""What libraries ask of the environment as they begin, if at all.

PyTorch and TensorFlow add up in one order so, on a GPU and on any number of cores, and TensorFlow
tells of errors and not of what it finds in the machine, and takes of a GPU's memory what it needs.
OpenMP's threads sleep while they wait, in GNU's library and in LLVM's: by default they spin, and
beside other work a fit took three times the processor's time, and four times as long.
"""
_MLFLOW_VARIABLES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Seven tries, its default, keep a person waiting for minutes when a server is gone.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""What MLflow reads when it is imported: no telemetry, no chatter."""

PROCESS = "process"
"""The tag of a run that says which process waits for it or holds it open."""

_CLOCK_MAY_MOVE = 60
"""Seconds by which the clock may be set while a process lives, which moves when it seems to have
started; within a minute no system gives a process id again."""

_BOOT_ID, _ID_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


def begin() -> None:
    """Get through the imports: quickly, and with one line where they are interrupted.

    Garbage is looked for seldom: libraries make a million objects on import, and all of them stay.
    """
    add_up_in_one_order()
    speak_any_encoding()
    tell_warnings()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, 50, 100)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_interrupted)


def tell_warnings() -> None:
    """Let warnings be told and not raised, also in a shell that asks for errors of its own tests.

    Libraries warn of what their next versions change, which is no failure of a command.
    """
    if any(it[:1] == "e" for it in sys.warnoptions):  # Python takes any beginning of `error`.
        warnings.simplefilter("default")


def _end_interrupted(*_: object) -> NoReturn:
    os.write(2, f"error: {INTERRUPTED}\n".encode())
    os._exit(Exit.WORLD)


def catch_interrupts() -> None:
    """Let an interrupt be an exception again, where somebody cleans up after it and tells it."""
    if signal.getsignal(signal.SIGINT) is _end_interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP be what Ctrl-C is: children end as well, and somebody cleans up.

    A signal that whoever started this process has ignored, as nohup does, stays ignored.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows knows no SIGHUP.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end_all)


def _end_all(number: int, *_: object) -> NoReturn:
    import psutil

    signal.signal(number, signal.SIG_DFL)  # Whoever cannot wait says it twice.
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.terminate()
    raise KeyboardInterrupt


def on_hangup(look: Callable[[], None]) -> Callable[..., None]:
    """Return what SIGHUP means to a server: `look`, or its end where its terminal has gone.

    A server that was told to outlive its terminal, as by nohup, has none to lose.
    """
    had = _has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def hung_up(*_: object) -> None:
        if had and not _has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            look()

    return hung_up


def _has_terminal() -> bool:
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
        return True
    return False


def end_with(caller: int | None) -> None:
    """End as on SIGTERM when the process that has started this one is gone.

    `caller` is its id, where it says that nothing goes on without it; children of ours, which
    inherit that word, are not meant.
    """
    if caller is not None and caller == os.getppid():
        threading.Thread(target=_watch, args=(caller,), daemon=True).start()


def _watch(caller: int) -> None:
    while os.getppid() == caller:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGTERM)


def end_with_input() -> None:
    """End at once where our input ends, as it does with whoever holds its other end."""

    def listen() -> None:
        for _ in sys.stdin:
            pass
        os._exit(Exit.WORLD)

    threading.Thread(target=listen, daemon=True).start()


def same_code() -> dict[str, str]:
    """Return the environment of a process that imports the code that this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def speak_any_encoding() -> None:
    """Let a letter that the console's encoding lacks be a question mark instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def add_up_in_one_order() -> None:
    """Let libraries that begin from now on add up in one order and say little, unless told so."""
    for name, value in _ASKED_ONCE.items():
        os.environ.setdefault(name, value)
    # `requests` silences this too, but a thread that imports beside it may undo that.
    warnings.filterwarnings("ignore", "SOCKS support in urllib3")


def configure_mlflow() -> None:
    """Set what MLflow reads when it is imported, unless the user has set it."""
    for name, value in _MLFLOW_VARIABLES.items():
        os.environ.setdefault(name, value)


def cores() -> int:
    """Return how many cores this process may use."""
    import psutil

    try:
        return len(psutil.Process().cpu_affinity())
    except AttributeError:  # macOS does not tell.
        return psutil.cpu_count() or 1


def use_one_thread() -> None:
    """Let numeric libraries that are imported from now on use one thread, unless told otherwise.

    Threads that score a few rows wait for each other longer than they work: on a busy machine a
    server with two answered a hundredth of the requests.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def end(code: int) -> NoReturn:
    """End at once: what Python would take down piece by piece, the system frees in no time."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # Nobody reads on; Python has its own way of saying so.
        sys.exit(code)
    os._exit(code)


@cache
def process_id() -> str:
    """Return where it runs, its process id and when it started, which no other process shares."""
    import psutil

    return f"{_where_ids_count()}/{os.getpid()}/{psutil.Process().create_time():.0f}"


def _where_ids_count() -> str:
    """Return the host, its boot and the namespace in which its process ids count.

    Containers may share a host's name, and never see each other's processes.
    """
    import psutil

    try:
        boot, namespace = _BOOT_ID.read_text("ascii").strip(), _ID_NAMESPACE.stat().st_ino
    except OSError:  # not Linux
        boot, namespace = f"{psutil.boot_time():.0f}", 0
    return f"{socket.gethostname()}/{boot}/{namespace}"


def is_gone(process: str) -> bool:
    """Tell whether a process that would be seen from here has ended; of others nothing is known."""
    import psutil

    place, pid, started = ["", "", *process.rsplit("/", 2)][-3:]
    if place != _where_ids_count() or not (pid.isdigit() and started.isdigit()):
        return False
    try:
        found = psutil.Process(int(pid))
        dead = found.status() == psutil.STATUS_ZOMBIE  # and nobody has asked how it ended
        return bool(dead or abs(found.create_time() - int(started)) > _CLOCK_MAY_MOVE)
    except psutil.NoSuchProcess:
        return True


def readable(process: str) -> str:
    """Return what a person calls a process."""
    host, _, rest = process.partition("/")
    pid = rest.rpartition("/")[0].rpartition("/")[2]
    return f"process {pid} on {host}" if pid else process
