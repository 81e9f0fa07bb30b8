"""How the tests run; what they share is in `shared.py`."""

import gc
import os

import pytest

# Small fits do not gain from several threads, and on a busy machine they wait for each other.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
# A repository without the samples of its hooks: a dozen files fewer to write for each test.
os.environ["GIT_TEMPLATE_DIR"] = ""


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
