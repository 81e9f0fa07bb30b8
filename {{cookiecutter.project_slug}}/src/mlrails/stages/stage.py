"""What every stage of `dvc.yaml` shares: settings, params, a lock, and errors in words."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core import dvc_lock, processes
from ..core.errors import WorldError, reported
from ..core.params import Params, load
from ..core.settings import Settings, check_code, from_environment

LOCK = "stage.lock"
"""Held by the stage that works, also where whoever called it is gone."""


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
        here = from_environment(os.environ, Path.cwd())
        check_code(here.root)
        with FileLock(here.scratch / LOCK):
            if here.caller and processes.is_gone(here.caller):
                raise WorldError("whoever called this stage is gone; run `nox -s train` again")
            if here.stage:
                dvc_lock.verify_inputs(here.root, here.stage)
            step(Stage(here, load(here.root)))

    processes.add_up_in_one_order()
    processes.speak_any_encoding()
    processes.catch_interrupts()
    processes.end(reported(work))
