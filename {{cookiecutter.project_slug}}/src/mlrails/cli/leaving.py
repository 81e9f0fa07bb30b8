"""How every verb reads its settings, finds its registry and leaves with an exit code."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..core import processes, settings
from ..core.errors import reported
from ..core.settings import Settings
from ..data.schema import Column
from ..evaluation.own import Own, OwnMetric

Kind = Annotated[str | None, typer.Option("--registry", help="local, branch or server.")]


@dataclass(frozen=True)
class Handed:
    """What the user's package hands over to the verbs, in its `__main__`."""

    package: str = ""
    columns: Sequence[Column] = ()
    metrics: Sequence[OwnMetric] = ()

    @property
    def own(self) -> Own:
        """The metrics that the package declares."""
        return Own(self.package, self.metrics)


def handed(context: typer.Context) -> Handed:
    """Return what was handed over."""
    found: Handed = context.ensure_object(Handed)
    return found


def here() -> Settings:
    """Return the settings of this folder and environment."""
    return settings.from_environment(os.environ, Path.cwd())


def leave(act: Callable[[], object]) -> None:
    """Leave with the exit code of an act."""
    processes.catch_interrupts()
    processes.end_on_signals()
    processes.end_with(settings.started_by(os.environ))
    raise typer.Exit(reported(act))


def at(kind: str | None, act: Callable[[Settings], object], writes: bool = True) -> None:
    """Leave with the answer of an act on a registry: local, branch or server."""
    from ..registry import git_branch

    leave(lambda: git_branch.act_on(here().of_registry(kind), act, writes))
