"""How a process starts, is interrupted, and ends: at once, but not before all is said."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import rows

LEAVE = """
import atexit, sys
from mlrails.core import processes
processes.begin()
atexit.register(lambda: print("taken down piece by piece"))
sys.stdout.write("said")
sys.stderr.write("warned")
processes.end({code})
"""


@pytest.mark.parametrize("code", [0, 3])
def test_all_is_said_and_nothing_taken_down(code: int) -> None:
    program = LEAVE.format(code=code)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=rows.ROOT / "src",
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "said", "warned")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_what_cannot_be_said_is_left_to_python() -> None:
    program = LEAVE.format(code=0)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full,
            cwd=rows.ROOT / "src",
            env=os.environ | {"PYTHONUNBUFFERED": ""},
            check=False,
        )
    assert done.returncode == 120


TELL = """
import os
from mlrails.core import processes
processes.begin()
print(*(os.environ[name] for name in processes._ASKED_ONCE))
"""


@pytest.mark.parametrize("told", [{}, {"TF_CPP_MIN_LOG_LEVEL": "0"}])
def test_libraries_add_up_in_one_order_and_say_what_they_are_told_to(told: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        stdout=subprocess.PIPE,
        text=True,
        cwd=rows.ROOT / "src",
        env={"PATH": os.environ["PATH"], **told},
        check=True,
    )
    level = told.get("TF_CPP_MIN_LOG_LEVEL", "2")
    assert done.stdout.split() == [":4096:8", "0", "PASSIVE", level, "true", "1"]


INTERRUPTED = """
import os, signal
from mlrails.core import errors, processes
{before}
processes.begin()
{after}
os.kill(os.getpid(), signal.SIGINT)
print("went on", flush=True)
"""


@pytest.mark.parametrize(
    ("before", "after", "code", "out", "err"),
    [
        ("", "", 1, "", "error: interrupted; run the same command again to go on\n"),
        ("", "processes.catch_interrupts()", -signal.SIGINT, "", "KeyboardInterrupt\n"),
        ("signal.signal(signal.SIGINT, signal.SIG_IGN)", "", 0, "went on\n", ""),
    ],
    ids=["while it imports", "where it is caught", "where it is ignored"],
)
def test_an_interrupt_is_one_line_until_it_is_caught(
    before: str, after: str, code: int, out: str, err: str
) -> None:
    program = INTERRUPTED.format(before=before, after=after)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=rows.ROOT / "src",
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, out)
    assert done.stderr.splitlines()[-1:] == err.splitlines()
    assert code != 1 or done.stderr == err


@pytest.mark.parametrize(
    ("told", "policy"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")]
)
def test_threads_that_wait_leave_the_processor_to_others(told: dict[str, str], policy: str) -> None:
    """OpenMP tells how it runs as scikit-learn loads it; threads that spin would say ACTIVE."""
    program = f"import {rows.PACKAGE}.steps, sklearn.ensemble"
    env = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=rows.ROOT / "src",
        env={**env, "OMP_DISPLAY_ENV": "TRUE", **told},
        check=True,
    )
    assert f"OMP_WAIT_POLICY = '{policy}'" in done.stderr
