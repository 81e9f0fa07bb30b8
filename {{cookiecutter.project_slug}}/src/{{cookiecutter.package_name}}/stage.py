"""What every stage of `dvc.yaml` shares: settings, params, a lock, and errors in words."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import holders, params, processes, settings
from .errors import Exit, WorldError, reported
from .params import Params
from .settings import Settings

_FAILURE = "stage-failure.json"
_LOCK = "stage.lock"


@dataclass(frozen=True)
class Stage:
    """What a stage is given."""

    settings: Settings
    params: Params

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.settings.root


def run(step: Callable[[Stage], None]) -> None:
    """Run a stage as a process: DVC starts it, and sees only whether it succeeded.

    A stage whose caller was killed goes on for a while, so the next one waits for its lock. One
    that loses its caller while it waits does not begin: it would write over what came after it.
    """
    from filelock import FileLock

    def work() -> None:
        here = settings.from_environment(os.environ, Path.cwd())
        with FileLock(here.scratch / _LOCK):
            if here.caller and holders.is_gone(here.caller):
                raise WorldError("whoever called this stage is gone; run `nox -s train` again")
            step(Stage(here, params.load(here.root)))

    code = reported(work)
    if code != Exit.DONE:
        _remember(code)
    processes.end(code)


def _remember(code: int) -> None:
    """Leave the exit code for the command line: DVC turns every failure into its own 255."""
    try:
        scratch = settings.from_environment(os.environ, Path.cwd()).scratch
        (scratch / _FAILURE).write_text(json.dumps(code), "utf-8")
    except Exception as error:  # The reason is printed already; only its code is lost.
        print(f"warning: the exit code could not be kept ({error})", file=sys.stderr)


def take_failure(scratch: Path) -> Exit | None:
    """Return the exit code that a failed stage left, once."""
    path = scratch / _FAILURE
    try:
        code = Exit(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None
    path.unlink(missing_ok=True)
    return code
