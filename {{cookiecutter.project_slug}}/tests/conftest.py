"""How the tests run; what they share is in `shared.py`."""

import gc
import os

import pytest

import surroundings

# Before anything is imported: libraries read their variables when they are.
surroundings.leave(os.environ)


def pytest_configure(config: pytest.Config) -> None:
    """Load what the tests share; a process that only hands them out is spared its imports."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared")


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
