"""How a process ends: at once, but not before all is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rows

LEAVE = """
import atexit, sys
from {package} import processes
processes.begin()
atexit.register(lambda: print("taken down piece by piece"))
sys.stdout.write("said")
sys.stderr.write("warned")
processes.end({code})
"""


@pytest.mark.parametrize("code", [0, 3])
def test_all_is_said_and_nothing_taken_down(code: int) -> None:
    program = LEAVE.format(package=rows.PACKAGE, code=code)
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
    program = LEAVE.format(package=rows.PACKAGE, code=0)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full,
            cwd=rows.ROOT / "src",
            env=os.environ | {"PYTHONUNBUFFERED": ""},
            check=False,
        )
    assert done.returncode == 120
