"""How the engine's tests run: beside a sample project, which stands for the user's."""

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import postgres  # noqa: E402 - it lies here
import sample  # noqa: E402
import surroundings  # noqa: E402

# A machine of CI is one also for the workers, which get what is left of its variables.
os.environ.setdefault("PYTEST_IN_CI", os.environ.get("CI", ""))
# Before anything is imported: libraries read their variables when they are.
surroundings.leave(os.environ)
# A shell that starts tests beside it lets them ignore an interrupt, and so do their children.
signal.signal(signal.SIGINT, signal.default_int_handler)
ROOT = Path(tempfile.mkdtemp(prefix="sample-"))
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
sample.lay(ROOT)
sample.ROOT = ROOT
# The engine's own source comes before the sample's copy of it.
sys.path[:0] = [str(sample.SHIPPED / "src"), str(ROOT / "src")]


def pytest_configure(config: pytest.Config) -> None:
    """Load what the tests share; a process that only hands them out is spared its imports."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of PostgreSQL where none can run; on a machine of CI they fail there."""
    wanted = [it for it in items if it.get_closest_marker("postgres")]
    if wanted and _without_postgres():
        config.hook.pytest_deselected(items=wanted)
        items[:] = [it for it in items if it not in wanted]


def _without_postgres() -> str | None:
    return None if os.environ["PYTEST_IN_CI"] else postgres.hindrance()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what was left out, and why."""
    if reason := _without_postgres():
        terminalreporter.section("not tested: rows of PostgreSQL", yellow=True, bold=True)
        terminalreporter.line(f"its tests were left out: {reason}")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported, and most of its rounds: an eighth of the time.

    It would look at all of MLflow again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def pytest_sessionfinish() -> None:
    """Spare it what the tests have left, which ends with the process."""
    gc.freeze()
