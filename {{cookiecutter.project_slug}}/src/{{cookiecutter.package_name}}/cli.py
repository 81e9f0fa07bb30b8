"""The doors: each verb composes acts and has no logic of its own.

Heavy libraries are imported inside the verbs, so that --help answers at once.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from . import settings
from .errors import reported

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Train, evaluate and track the model; every verb is a nox session of the same name.",
)
_CHANGES = {"allow_extra_args": True, "ignore_unknown_options": True}


def main() -> None:
    """Run the command line."""
    app(prog_name="python -m {{ cookiecutter.package_name }}")


@app.command(context_settings=_CHANGES)
def train(context: typer.Context) -> None:
    """Bring the pipeline up to date, track it, and print the figures.

    --NAME VALUE changes a param for this run alone, as in --learning_rate 0.05 or
    --split.test "3 months": it is trained in a copy, and the files here stay as they are.
    """
    from . import pipeline

    _leave(lambda: _here_or_in_a_copy(context.args, pipeline.train))


@app.command(context_settings=_CHANGES)
def evaluate(context: typer.Context) -> None:
    """Make the report of the model that is there, without training."""
    from . import pipeline

    _leave(lambda: _here_or_in_a_copy(context.args, pipeline.evaluate))


@app.command()
def push() -> None:
    """Send data and models to the DVC remote."""
    from . import pipeline

    _leave(lambda: pipeline.share(_settings(), "push"))


@app.command()
def pull() -> None:
    """Fetch the data and models of this commit from the DVC remote."""
    from . import pipeline

    _leave(lambda: pipeline.share(_settings(), "pull"))


@app.command()
def ui(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 5000,
) -> None:
    """Show the runs of the project's own store in MLflow's web pages."""
    from . import store

    _leave(lambda: store.show(_settings(), host, port))


def _settings() -> settings.Settings:
    return settings.from_environment(os.environ, Path.cwd())


def _here_or_in_a_copy(words: list[str], act: Callable[[settings.Settings], None]) -> None:
    """Leave the user's files alone where params are changed, or where `mlflow run` has called."""
    from . import workspace

    here, changes = _settings(), workspace.changes(words)
    if changes or here.opened_run:
        with workspace.copy(here, changes) as there:
            act(there)
    else:
        act(here)


def _leave(act: Callable[[], object]) -> None:
    raise typer.Exit(reported(act))
