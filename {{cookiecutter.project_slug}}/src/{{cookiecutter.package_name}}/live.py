"""What a training process tells its run while it works.

A fit must not be lost because a tracking server is: where it fails, the user is warned once, the
work goes on, and the next `train` records from the files what is missing.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from . import recording
from .console import warn
from .errors import WorldError
from .params import Params
from .runs import Run
from .settings import Settings


class Log:
    """A run that may be lost; without one it keeps silent."""

    def __init__(self) -> None:
        self._run: Run | None = None

    def open(self, settings: Settings, params: Params) -> None:
        """Open the run of this input key and tell it what is known before the fit."""

        def begin() -> None:
            run = recording.open_run(settings)
            run.begin()
            recording.log_inputs(run, settings, params)
            self._run = run

        self._try(begin)

    def metrics(self, step: int, figures: Mapping[str, float]) -> None:
        """Log the figures of one iteration."""
        if run := self._run:
            self._try(lambda: run.log_metrics(figures, step))

    def model(self, folder: Path, digest: str) -> None:
        """Log the model directory."""
        if run := self._run:
            self._try(lambda: recording.log_model(run, folder, digest))

    def close(self, status: str) -> None:
        """End the run."""
        if run := self._run:
            self._try(lambda: run.finish(status))

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except WorldError as error:
            self._run = None
            warn(f"{error}; the work goes on, and the next `nox -s train` records it")


@contextmanager
def run(settings: Settings, params: Params) -> Iterator[Log]:
    """Hold the run open, and end it as what happened: FINISHED, FAILED or KILLED."""
    log = Log()
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
