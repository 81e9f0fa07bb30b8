"""python -m mlrails.pipeline.forkserver SOCKET: become one stage after the other, by forks.

Most of what a stage takes are its imports. They are made once, while DVC looks what is to be done,
and every stage begins where they end: as a process of its own, with the environment that DVC gives
it, and with the code that lies in the project at that moment, of which nothing is imported before.
"""

import gc
import importlib
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from ..core import processes

LIBRARIES = (
    *("pyarrow.parquet", "pandas", "pyarrow.dataset", "sklearn.ensemble", "skops.io", "mlflow"),
    *("mlflow.store.tracking.sqlalchemy_store", "sklearn.linear_model", "scipy.stats", "jinja2"),
)
"""What stages import; none that begins threads of its own."""
_LATER = ("matplotlib.figure",)
"""What the first stage need not wait for: it is imported while that one reads."""
_STAGE = re.compile(r"python -m (\w+\.steps\.\w+)")
_FORKS = sys.platform == "linux"  # Elsewhere libraries of the system do not live through a fork.


class ForkServer:
    """What runs the stages of a project; `begin` makes it import while there is nothing to run."""

    def __init__(self, root: Path, variables: Mapping[str, str]) -> None:
        self._root, self._variables = root, variables
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go; a stage that outlives this, after an interrupt, comes to its own end."""
        if self._socket and self._process:
            self._socket.close()
            self._process.kill()
            self._process.wait()

    @property
    def has_begun(self) -> bool:
        """Whether it imports, or forks already."""
        return self._socket is not None

    def begin(self) -> None:
        """Start the process, where the system forks and the project's own engine has this file.

        A version of before is made again by its own code, of which nothing newer may be a part.
        """
        ours = Path(self._root, "src", *__name__.split(".")).with_suffix(".py")
        if self._process or not _FORKS or not ours.is_file():
            return
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=self._root,
                env=os.environ | self._variables,
                pass_fds=[theirs.fileno()],
            )

    def run(self, command: str, folder: str, variables: Mapping[str, str]) -> int | None:
        """Run a command in a folder with these variables; return its exit code.

        None where it is no stage of ours, or this system or the process cannot.
        """
        stage = _STAGE.fullmatch(command)
        return self.run_module(stage[1], folder, variables) if stage else None

    def run_module(self, name: str, folder: str, variables: Mapping[str, str]) -> int | None:
        """Run a module as `python -m` does; return its exit code, None where that cannot be."""
        self.begin()
        if not self._socket:
            return None
        asked = {"module": name, "folder": folder, "variables": dict(variables)}
        with self._socket.makefile("r") as lines, suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(json.dumps(asked).encode() + b"\n")
            if lines.readline():  # It has begun: another one beside it would be one too many.
                return int(lines.readline() or -signal.SIGKILL)
        return None


@contextmanager
def interrupts_left_to_the_stage() -> Iterator[None]:
    """Let Ctrl-C end the stage, which says so; whoever waits for it sees how it has ended."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Server:
    """The other side, which forks when somebody asks."""

    def __init__(self, caller: socket.socket) -> None:
        self._caller, self._lines = caller, caller.makefile("r")
        self._stage = 0

    def serve(self) -> str:
        """Return the module of the stage that this process is to be, once it is a fork."""
        signal.signal(signal.SIGCHLD, self._tell)
        while True:
            if module := self._forked():
                return module

    def _forked(self) -> str:
        """Fork for the next request; return the stage's module in the fork, and nothing here."""
        if not (line := self._lines.readline()):
            processes.end(0)
        asked = json.loads(line)
        if not (process := os.fork()):
            self._become(asked["folder"], asked["variables"])
            return str(asked["module"])
        with suppress(OSError):  # Whoever asked may be gone, which the next line tells.
            self._caller.sendall(b"begun\n")
        self._stage = process
        self._tell()  # It may have ended before it was known.
        _import(_LATER)
        return ""

    def _become(self, folder: str, variables: dict[str, str]) -> None:
        self._lines.close()
        self._caller.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)

    def _tell(self, *_: object) -> None:
        """Say how the stage has ended; a library's own child that has ended is none."""
        with suppress(OSError):  # Whoever asked may be gone.
            if self._stage and (ended := os.waitpid(self._stage, os.WNOHANG))[0]:
                self._stage = 0
                self._caller.sendall(b"%d\n" % os.waitstatus_to_exitcode(ended[1]))


def _import(libraries: Iterable[str]) -> None:
    """Import what is there; it stays, so nobody looks for garbage in it, here or in a fork."""
    gc.disable()
    for library in libraries:
        with suppress(Exception):  # Of another framework, or broken: who needs it says so.
            importlib.import_module(library)
    gc.freeze()
    gc.enable()


def main(number: int) -> None:
    """Serve on a socket that was inherited; in a fork, be the stage."""
    processes.begin()
    processes.configure_mlflow()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Whoever waits for it tells of an interrupt.
    _import(LIBRARIES)
    # Threads that libraries of numbers begin on import end before a fork, and begin again after it.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    stage = _Server(socket.socket(fileno=number)).serve()
    runpy.run_module(stage, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
