"""How a process of this project starts and ends: half of a short one's time is Python's own."""

import gc
import os
import signal
import sys
from typing import NoReturn

from .errors import INTERRUPTED, Exit

_OBJECTS_BETWEEN_LOOKS = 100_000
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


def begin() -> None:
    """Get through the imports: quickly, and with one line where they are interrupted.

    Garbage is looked for seldom: libraries make a million objects on import, and all of them stay.
    """
    add_up_in_one_order()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, 50, 100)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_interrupted)


def _end_interrupted(*_: object) -> NoReturn:
    os.write(2, f"error: {INTERRUPTED}\n".encode())
    os._exit(Exit.WORLD)


def catch_interrupts() -> None:
    """Let an interrupt be an exception again, where somebody cleans up after it and tells it."""
    if signal.getsignal(signal.SIGINT) is _end_interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def add_up_in_one_order() -> None:
    """Let libraries that begin from now on add up in one order and say little, unless told so."""
    for name, value in _ASKED_ONCE.items():
        os.environ.setdefault(name, value)


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
