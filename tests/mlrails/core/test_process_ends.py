"""What a process says on any console, whom it ends with, and who ends with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
import rows

SAID = """
from mlrails.core import console, processes
processes.begin()
console.say("before \\u2013 after \\u2026 \\u2500")
console.warn("\\u4e16")
print("\\ud800", flush=True)
"""


@pytest.mark.parametrize("encoding", ["latin-1", "cp437", "cp932", "ascii", "utf-8"])
def test_a_console_without_a_letter_shows_a_question_mark(encoding: str) -> None:
    done = run(SAID, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"before ") and b"after" in done.stdout


def run(program: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        cwd=rows.ROOT / "src",
        env=os.environ | variables,
        check=False,
    )


WAITING = """
import os, signal, subprocess, sys, time
from mlrails.core import errors, processes
for name in ("SIGTERM", "SIGHUP"):  # whoever runs the tests may ignore them
    signal.signal(getattr(signal, name), signal.{before})
processes.begin()
processes.end_on_signals()
processes.end_with(int(os.environ.get("STARTED_BY", 0)))

def act():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        print(child.pid, flush=True)
        child.wait(60)
    finally:
        print("cleaned up", flush=True)

processes.end(errors.reported(act))
"""


@contextmanager
def waiting(before: str = "SIG_DFL") -> "Iterator[tuple[subprocess.Popen[str], psutil.Process]]":
    """Yield a process that waits for its child, and the child; neither outlives the block."""
    program = WAITING.format(before=before)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=rows.ROOT / "src",
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        try:
            yield process, child
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_children_and_lets_their_caller_clean_up(number: int) -> None:
    with waiting() as (process, child):
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.wait(), out) == (1, "cleaned up\n")
        assert err == "error: interrupted; run the same command again to go on\n"
        child.wait(60)


def test_a_signal_that_was_ignored_before_stays_ignored() -> None:
    with waiting("SIG_IGN") as (process, child):
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        assert child.is_running()


CALLER = """
import os, subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]],
    stdout=subprocess.PIPE,
    text=True,
    env=os.environ | {"STARTED_BY": str(os.getpid())},
)
print(child.pid, child.stdout.readline().strip(), flush=True)
input()
"""


def test_who_is_started_by_nox_ends_with_it_and_so_do_its_children() -> None:
    program = WAITING.format(before="SIG_DFL")
    with subprocess.Popen(
        [sys.executable, "-c", CALLER, program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=rows.ROOT / "src",
    ) as caller:
        assert caller.stdout is not None
        started = [psutil.Process(int(pid)) for pid in caller.stdout.readline().split()]
        caller.kill()
    _, alive = psutil.wait_procs(started, timeout=60)
    assert alive == []


HUNG_UP = """
import os, pty, signal, sys, time
pid, terminal = pty.fork()
if pid == 0:
    from mlrails.core import processes
    signal.signal(signal.SIGHUP, signal.{before})
    wanted = processes.on_hangup(lambda: os.write(1, b"looked"))
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, wanted)
    os.write(1, b"ready")
    for _ in range(100):
        time.sleep(0.1)
    os._exit(7)
assert b"ready" in os.read(terminal, 100)
if {look}:
    os.kill(pid, signal.SIGHUP)
    assert b"looked" in os.read(terminal, 100)
os.close(terminal)
time.sleep(1)
ended = os.waitpid(pid, os.WNOHANG)
print(os.waitstatus_to_exitcode(ended[1]) if ended[0] else "goes on")
if not ended[0]:
    os.kill(pid, signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("before", "look", "told"),
    [("SIG_DFL", True, str(-signal.SIGTERM)), ("SIG_IGN", False, "goes on")],
    ids=["in a terminal", "below nohup"],
)
def test_a_hangup_asks_for_a_look_until_the_terminal_has_gone(
    before: str, look: bool, told: str
) -> None:
    program = HUNG_UP.format(before=before, look=look)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=rows.ROOT / "src",
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == (told, "")


PROXIES = """
import warnings
from mlrails.core import processes
processes.begin()
with warnings.catch_warnings():
    try:
        import urllib3.contrib.socks
    except ImportError:
        pass
"""


def test_proxies_that_nobody_has_asked_for_are_not_spoken_of() -> None:
    assert b"SOCKS support" in run(PROXIES.replace("processes.begin()", "")).stderr
    assert run(PROXIES).stderr == b""


@pytest.mark.parametrize("words", ["error", "e", "ignore,error::DeprecationWarning"])
def test_what_a_library_warns_of_ends_no_command(words: str) -> None:
    warn = "import warnings; warnings.warn('of tomorrow', DeprecationWarning)"
    for begin, code in (("", 1), ("from mlrails.core.processes import begin; begin(); ", 0)):
        done = subprocess.run(
            [sys.executable, "-c", begin + warn],
            capture_output=True,
            text=True,
            cwd=rows.ROOT / "src",
            env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": words},
            check=False,
        )
        assert (done.returncode, "of tomorrow" in done.stderr) == (code, True), done.stderr
