"""Stages as forks: each a process of its own, of the code and the variables of its moment."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import mlrails
from mlrails.pipeline import dvc, forkserver
from mlrails.pipeline.forkserver import ForkServer

TELLS = """
import gc, json, os, signal, sys, threading
from pathlib import Path
import own
told = {
    "name": __name__, "package": own.NAME, "pandas": hasattr(sys.modules["pandas"], "DataFrame"),
    "variables": dict(os.environ), "folder": os.getcwd(), "group": os.getpgid(0),
    "threads": threading.active_count(), "parent": os.getppid(), "process": os.getpid(),
    "interrupts": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "drawing": "matplotlib.figure" in sys.modules,
    "garbage": gc.isenabled() and gc.get_freeze_count() > 100_000,
    "children": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
}
Path("told.json").write_text(json.dumps(told))
"""
WAITS = """
import time
from pathlib import Path
Path("begun").touch()
time.sleep(SECONDS)
Path("ended").touch()
"""


SOURCE = Path(mlrails.__file__).parents[1]


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of empty modules that are called what stages import, which takes no time."""
    folder = tmp_path_factory.mktemp("libraries")
    for name in forkserver.LIBRARIES:
        package = folder
        for part in name.split("."):
            package /= part
            package.mkdir(exist_ok=True)
            (package / "__init__.py").touch()
    return folder


@pytest.fixture(autouse=True)
def engine(stand_ins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes that are started here find the engine, and nothing that takes its time."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(stand_ins), str(SOURCE)]))


@pytest.fixture
def with_libraries(engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let them find the libraries themselves."""
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    steps = tmp_path / "src" / "own" / "steps"
    steps.mkdir(parents=True)
    (tmp_path / "src" / "own" / "__init__.py").write_text("NAME = 'before'\n", "utf-8")
    (steps / "__init__.py").touch()
    (steps / "tells.py").write_text(TELLS, "utf-8")
    engine = tmp_path / "src" / "mlrails"
    engine.symlink_to(Path(mlrails.__file__).parent)
    return tmp_path


@pytest.fixture
def stages(root: Path) -> Iterator[ForkServer]:
    with dvc.stages(root) as stages:
        yield stages


def write(root: Path, name: str, code: str) -> None:
    (root / "src" / "own" / "steps" / f"{name}.py").write_text(code, "utf-8")


def run(stages: ForkServer, root: Path, name: str, **variables: str) -> int | None:
    given = {**os.environ, **dvc.surroundings(root), **variables}
    return stages.run(f"python -m own.steps.{name}", str(root), given)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_stage_is_a_process_like_any_other_that_has_its_libraries(
    with_libraries: None, root: Path, stages: ForkServer
) -> None:
    assert run(stages, root, "tells", SAID="this") == 0
    (root / "src" / "own" / "__init__.py").write_text("NAME = 'after'\n", "utf-8")
    assert run(stages, root, "tells", SAID="that") == 0
    told = json.loads((root / "told.json").read_text("utf-8"))
    assert told["name"] == "__main__" and told["package"] == "after"
    assert told["pandas"] and told["interrupts"] and told["children"] and told["threads"] == 1
    assert told["variables"]["SAID"] == "that" and told["folder"] == str(root)
    assert told["group"] == os.getpgid(0) and told["garbage"]
    (server,) = psutil.Process().children()
    assert told["parent"] == server.pid != told["process"]


def test_what_draws_is_imported_beside_the_first_stage_and_not_before_it(
    root: Path, stages: ForkServer
) -> None:
    found = []
    for _ in range(2):
        assert run(stages, root, "tells") == 0
        found.append(json.loads((root / "told.json").read_text("utf-8"))["drawing"])
    assert found == [False, True]


def test_a_library_that_cannot_be_imported_ends_no_server_beside_its_stage(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that finds no folder to write to."""
    broken = root / "broken" / "matplotlib"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('no folder')", "utf-8")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(broken.parent), os.environ["PYTHONPATH"]])
    )
    with dvc.stages(root) as stages:
        assert [run(stages, root, "tells") for _ in range(2)] == [0, 0]


def test_the_run_is_told_by_a_fork_which_says_what_it_cannot(
    with_libraries: None, root: Path, stages: ForkServer, capfd: pytest.CaptureFixture[str]
) -> None:
    given = {**os.environ, **dvc.surroundings(root)}
    assert stages.run_module("mlrails.pipeline.record", str(root), given) == 2
    assert capfd.readouterr().err.startswith("error: ")


def test_the_libraries_begin_no_thread_that_a_fork_would_lose(with_libraries: None) -> None:
    code = (
        "import importlib, threading; from mlrails.pipeline import forkserver; "
        "[importlib.import_module(it) for it in forkserver.LIBRARIES + forkserver._LATER]; "
        "print(threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("raise SystemExit(2)", 2),
        ("raise ValueError", 1),
        ("import os; os._exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_it_ends_as_it_does_alone(root: Path, stages: ForkServer, code: str, expected: int) -> None:
    write(root, "ends", code)
    assert run(stages, root, "ends") == expected
    assert run(stages, root, "tells") == 0  # The next one is none the worse for it.


def test_the_end_of_a_child_of_something_else_is_not_that_of_the_stage(
    root: Path, stages: ForkServer
) -> None:
    write(root, "ends", "import subprocess, sys\nsubprocess.run(['true'])\nsys.exit(5)")
    assert run(stages, root, "ends") == 5


def test_what_is_no_stage_is_left_to_dvc(root: Path, stages: ForkServer) -> None:
    for command in ("echo python -m own.steps.tells", "python -m own.steps.tells --more", "true"):
        assert stages.run(command, str(root), os.environ) is None


def test_where_the_system_does_not_fork_dvc_runs_the_stages(
    root: Path, stages: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forkserver, "_FORKS", False)
    assert run(stages, root, "tells") is None
    assert not psutil.Process().children()


def test_a_version_of_before_there_were_servers_is_made_by_dvc_and_its_own_code(
    root: Path, stages: ForkServer, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / "src" / "mlrails").unlink()
    stages.begin()
    assert run(stages, root, "tells") is None
    assert not psutil.Process().children() and capfd.readouterr().err == ""


def test_a_server_that_was_killed_leaves_the_stages_to_dvc(root: Path, stages: ForkServer) -> None:
    stages.begin()
    (server,) = psutil.Process().children()
    server.kill()
    assert run(stages, root, "tells") is None
    assert not (root / "told.json").exists()


def test_one_that_is_killed_beside_its_stage_is_no_reason_for_another_stage(
    root: Path, stages: ForkServer
) -> None:
    write(root, "waits", WAITS.replace("SECONDS", "1"))
    codes: list[int | None] = []
    waiting = threading.Thread(target=lambda: codes.append(run(stages, root, "waits")))
    waiting.start()
    until((root / "begun").exists)
    psutil.Process().children()[0].kill()
    waiting.join()
    assert codes == [-signal.SIGKILL]
    until((root / "ended").exists)


def test_an_interrupt_is_the_stage_s(root: Path) -> None:
    """As from a terminal: all of the group get it, and who waits sees how the stage has ended."""
    write(
        root,
        "waits",
        "import time\nfrom pathlib import Path\nPath('begun').touch()\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    raise SystemExit(7)\n",
    )
    code = (
        "import os, sys; from pathlib import Path; from mlrails.pipeline import dvc, forkserver\n"
        "root = Path.cwd()\n"
        "with dvc.stages(root) as stages, forkserver.interrupts_left_to_the_stage():\n"
        "    told = os.environ | dvc.surroundings(root)\n"
        "    print(stages.run('python -m own.steps.waits', str(root), told))\n"
    )
    waiting = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until((root / "begun").exists)
    os.killpg(waiting.pid, signal.SIGINT)
    assert waiting.communicate(timeout=60)[0] == "7\n"


def test_an_interrupt_while_there_is_no_stage_is_told_by_who_waits_alone(
    root: Path, stages: ForkServer, capfd: pytest.CaptureFixture[str]
) -> None:
    stages.begin()
    (server,) = psutil.Process().children()
    until(lambda: sigint_is_ignored(server.pid))
    server.send_signal(signal.SIGINT)
    assert run(stages, root, "tells") == 0 and capfd.readouterr().err == ""


def sigint_is_ignored(process: int) -> bool:
    told = Path(f"/proc/{process}/status").read_text("utf-8")
    (ignored,) = re.findall(r"SigIgn:\s*(\w+)", told)
    return bool(int(ignored, 16) >> (signal.SIGINT - 1) & 1)


def test_a_caller_that_was_killed_before_its_stage_began_is_no_defect(root: Path) -> None:
    code = (
        "import json, socket; from mlrails.pipeline.forkserver import _Server\n"
        "caller, ours = socket.socketpair()\n"
        "asked = {'module': 'own.steps.tells', 'folder': '.', 'variables': {}}\n"
        "caller.sendall(json.dumps(asked).encode() + b'\\n'); caller.close()\n"
        "print(_Server(ours).serve())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "own.steps.tells\n", "")


def test_a_stage_whose_caller_was_killed_comes_to_its_end_and_the_server_with_it(
    root: Path,
) -> None:
    write(root, "waits", WAITS.replace("SECONDS", "1"))
    code = (
        "import os; from pathlib import Path; from mlrails.pipeline import dvc\n"
        "root = Path.cwd()\n"
        "with dvc.stages(root) as stages:\n"
        "    told = os.environ | dvc.surroundings(root)\n"
        "    stages.run('python -m own.steps.waits', str(root), told)\n"
    )
    waiting = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    until((root / "begun").exists)
    below = psutil.Process(waiting.pid).children(recursive=True)
    assert len(below) == 2
    waiting.kill()
    waiting.wait()
    until((root / "ended").exists)
    until(lambda: not any(it.is_running() for it in below))
