"""What a training process tells its run while it works.

A fit must neither wait for a tracking server nor be lost with one. All is told in order by a
thread of its own; where that fails, the user is warned once, the work goes on, and the next `train`
records from the files what is missing.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import provenance, recording
from .console import warn
from .errors import WorldError
from .foreign import in_words
from .params import Params
from .places import Project
from .runs import Run
from .settings import Settings


class Log:
    """A run that may be lost; without one it keeps silent."""

    def __init__(self, line: Executor) -> None:
        self._line = line
        self._told: list[Future[None]] = []
        self._run: Run | None = None
        self._system: Any = None

    def open(self, settings: Settings, params: Params) -> None:
        """Open the run of this input key and tell it what is known before the fit."""

        def begin() -> None:
            run = recording.open_run(settings, provenance.input_key(settings.root))
            run.begin()
            recording.log_inputs(run, Project(settings.root), params, settings.name)
            self._run = run
            self._system = _system_of(run)

        self._told.append(self._line.submit(self._try, begin))

    def metrics(self, step: int, figures: Mapping[str, float]) -> None:
        """Log the figures of one iteration."""
        self._tell(lambda run: run.log_metrics(figures, step))

    def model(self, folder: Path, digest: str) -> None:
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
        def write() -> None:
            if self._run:
                what(self._run)

        self._told.append(self._line.submit(self._try, write))

    def wait(self) -> None:
        """Wait until all is told, or given up; a defect of ours is raised here."""
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
def run(settings: Settings, params: Params) -> Iterator[Log]:
    """Hold the run open, and end it as what happened: FINISHED, FAILED or KILLED."""
    with ThreadPoolExecutor(1) as line:
        log = Log(line)
        log.open(settings, params)
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
