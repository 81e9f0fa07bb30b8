"""What a training process tells its run while it works.

A fit must neither wait for a tracking server nor be lost with one. All is told in order by a
thread of its own; where that fails, the user is warned once, the work goes on, and the next `train`
records from the files what is missing.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.console import warn
from ..core.errors import WorldError
from ..core.layout import Part
from ..core.params import Params
from ..core.settings import Settings
from . import recording
from .client import in_words
from .origin import Project
from .runs import Run

_SECONDS_TOGETHER = 1.0
"""A call takes milliseconds of the processor that fits, and a server's answer longer."""


class LiveRun:
    """A run that may be lost; without one it keeps silent. Its methods are called as MLflow's."""

    def __init__(self, line: Executor, place: Project, project: str) -> None:
        self._place, self._project = place, project
        self._known = False
        self._line = line
        self._told: list[Future[None]] = []
        self._fresh: dict[str, dict[int, float]] = defaultdict(dict)
        self._last_told = -math.inf
        self._run: Run | None = None
        self._system: Any = None

    def open(self, settings: Settings, key: str) -> None:
        """Open the run of an input key."""

        def begin() -> None:
            run = recording.open_run(settings, key)
            run.begin()
            self._known = recording.is_told(run)
            self._run = run
            self._system = _system_of(run)

        self._told.append(self._line.submit(self._try, begin))

    def log_params(self, params: Params) -> None:
        """Log every number of `params.yaml`."""
        self._tell_once(lambda run: recording.log_params(run, params))

    def log_input(self, part: Part) -> None:
        """Log which rows a part is."""
        self._tell_once(lambda run: recording.log_input(run, self._place, part))

    def log_source(self) -> None:
        """Log code, lock, machine and commit: after them nothing before the fit is told again."""
        self._tell_once(lambda run: recording.log_source(run, self._place, self._project))

    def log_metrics(self, figures: Mapping[str, float], step: int) -> None:
        """Log the figures of one iteration; those of a second go together."""
        for name, value in figures.items():
            self._fresh[name][step] = value
        if time.monotonic() - self._last_told >= _SECONDS_TOGETHER:
            self._tell_fresh()

    def log_model(self, folder: Path, digest: str) -> None:
        """Log the model directory."""
        self._tell(lambda run: recording.log_model(run, folder, digest))

    def close(self, status: str) -> None:
        """End the run."""

        def end(run: Run) -> None:
            if self._system:
                self._system.finish()
            run.finish(status)

        self._tell(end)

    def _tell(self, what: Callable[[Run], object]) -> None:
        self._tell_fresh()
        self._submit(what)

    def _tell_fresh(self) -> None:
        if fresh := dict(self._fresh):
            self._fresh.clear()
            self._last_told = time.monotonic()
            self._submit(lambda run: run.log_history(fresh))

    def _submit(self, what: Callable[[Run], object]) -> None:
        def write() -> None:
            if self._run:
                what(self._run)

        self._told.append(self._line.submit(self._try, write))

    def _tell_once(self, what: Callable[[Run], object]) -> None:
        self._tell(lambda run: None if self._known else what(run))

    def wait(self) -> None:
        """Wait until all is told, or given up; a defect of ours is raised here."""
        self._tell_fresh()
        while self._told:
            self._told.pop(0).result()

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except WorldError as error:
            self._run = None
            warn(f"{error}; the work goes on, and the next `nox -s train` records it")


def _system_of(run: Run) -> Any:
    """Return what logs the machine's figures until it is finished, or None: nobody asked for it.

    MLflow's own variable asks: MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=true.
    """
    from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING

    if not MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.get():
        return None
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    with in_words(run.uri, run.needs):
        monitor = SystemMetricsMonitor(run.id, resume_logging=True, tracking_uri=run.uri)
        monitor.start()
    return monitor


@contextmanager
def start_run(settings: Settings, key: str) -> Iterator[LiveRun]:
    """Hold the run of an input key open; it ends as what happened: FINISHED, FAILED or KILLED."""
    with ThreadPoolExecutor(1) as line:
        log = LiveRun(line, Project(settings.root), settings.name)
        log.open(settings, key)
        try:
            yield log
        except KeyboardInterrupt:
            log.close("KILLED")
            raise
        except BaseException:
            log.close("FAILED")
            raise
        log.close("FINISHED")
        log.wait()
