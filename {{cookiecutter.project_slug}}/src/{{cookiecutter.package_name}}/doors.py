"""What every verb of the command line begins and ends with."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from . import settings
from .errors import reported

Kind = Annotated[str | None, typer.Option("--registry", help="local or server.")]


def settings_of(registry: str | None = None) -> settings.Settings:
    """Read the machine's side; raises UsageError for a registry that there is not."""
    return settings.from_environment(os.environ, Path.cwd()).of_registry(registry)


def leave(act: Callable[[], object]) -> None:
    """Do what a verb does, and end with its exit code."""
    raise typer.Exit(reported(act))
