"""python warm.py SOCKET: be the command line of projects, by forks of a process with its imports.

Most of what a verb takes are the imports of its libraries. A story that calls many verbs lets them
begin where those end: each is a process of its own, with its own folder, variables, input and
output, and with the code that lies there at that moment, of which nothing is imported before. It
runs in the environment of the projects, of which each verb is begun from nothing by other stories.

python warm.py SOCKET MODULE [WORD ...]: ask for one, in the folder and with the variables of here.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

FORKS = sys.platform == "linux"
"""Elsewhere libraries of the system do not live through a fork."""
VARIABLES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""What libraries read on import: the engine asks for the same before it imports them."""
LIBRARIES = (
    *("pyarrow.parquet", "pandas", "pyarrow.dataset", "sklearn.ensemble", "sklearn.linear_model"),
    *("skops.io", "scipy.stats", "mlflow", "mlflow.artifacts", "typer", "jinja2"),
    *("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store"),
    *("matplotlib.backends.backend_svg", "dvc.repo", "pydantic", "psutil"),
)
_ENDS_WITHIN, _BEGINS_WITHIN = 600, 120


class Warm:
    """The process of an environment's Python that forks; it begins when it is first asked."""

    def __init__(self, python: str) -> None:
        self.python = python
        self._folder = tempfile.TemporaryDirectory(prefix="warm-")  # Sockets have short names.
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> str:
        """The name of the socket, which is there once it forks."""
        path = Path(self._folder.name) / "socket"
        if self._process is None:
            words = [self.python, __file__, str(path)]
            env = {it: value for it, value in os.environ.items() if not it.startswith("PYTHON")}
            self._process = subprocess.Popen(words, env=env, stdin=subprocess.PIPE)
            for _ in range(_BEGINS_WITHIN * 20):
                assert self._process.poll() is None, words
                if path.exists():
                    break
                time.sleep(0.05)
        return str(path)

    def run(
        self, module: str, words: Sequence[str], folder: Path, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a module as `python -m` does, or code as `-c`, and keep what it says."""
        with (
            Path(os.devnull).open("rb") as nothing,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            files = [it.fileno() for it in (nothing, out, err)]
            code = ask(self.socket, module, words, str(folder), variables, files)
            told = []
            for file in (out, err):
                file.seek(0)
                told.append(file.read().decode())
        return subprocess.CompletedProcess([module, *words], code, *told)

    def end(self) -> None:
        """End it; what it has forked comes to its own end."""
        if self._process is not None:
            self._process.communicate()
        self._folder.cleanup()


def ask(
    path: str,
    module: str,
    words: Sequence[str],
    folder: str,
    variables: Mapping[str, str],
    files: Sequence[int] = (0, 1, 2),
) -> int:
    """Let a fork be a module, with open files for input, output, errors; return its exit code."""
    asked = {"module": module, "words": [*words], "folder": folder, "variables": {**variables}}
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(_ENDS_WITHIN)
        there.connect(path)
        socket.send_fds(there, [json.dumps(asked).encode()], [*files])
        there.shutdown(socket.SHUT_WR)
        return int(there.recv(100) or -signal.SIGKILL)


def serve(path: str) -> NoReturn:
    """Import, listen, and let a fork answer each caller."""
    os.environ.update(VARIABLES)
    warnings.filterwarnings("ignore", "SOCKS support in urllib3")
    for library in LIBRARIES:
        with suppress(ImportError):  # One that this environment has not.
            importlib.import_module(library)
    # Threads that libraries of numbers begin on import end before a fork, and begin again after it.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    signal.signal(signal.SIGCHLD, _forget)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{path}.new")
        listening.listen()
        Path(f"{path}.new").rename(path)
        # Its input ends with whoever has started it, however that ends.
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            caller, _ = listening.accept()
            if not os.fork():
                listening.close()
                _answer(caller)
            caller.close()
    sys.exit()


def _forget(*_: object) -> None:
    """Let go of those who have answered, as nobody waits for them."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _answer(caller: socket.socket) -> NoReturn:
    """Let a child be what the caller asks for, and say how it has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, sent, _, _ = caller.recvmsg(2**16, socket.CMSG_SPACE(3 * array("i").itemsize))
    files = [*array("i", sent[0][2])]
    while more := caller.recv(2**16):
        text += more
    if not (child := os.fork()):
        caller.close()
        _become(files, **json.loads(text))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):  # Whoever asked may be gone.
        caller.sendall(b"%d" % code)
    os._exit(0)


def _become(
    files: list[int], module: str, words: list[str], folder: str, variables: dict[str, str]
) -> NoReturn:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    paths = variables.get("PYTHONPATH", "").split(os.pathsep)
    sys.argv[1:], sys.path[:1] = words, [folder, *filter(None, paths)]
    code: object = 1
    try:
        if module == "-c":
            exec(sys.argv.pop(1), {"__name__": "__main__"})  # noqa: S102 - as Python does
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as done:
        code = done.code
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else bool(code))


if __name__ == "__main__":
    place, *asked = sys.argv[1:]
    if not asked:
        serve(place)
    sys.exit(ask(place, asked[0], asked[1:], str(Path.cwd()), os.environ))
