"""The doors: each verb composes acts and has no logic of its own.

Heavy libraries are imported inside the verbs, so that --help answers at once.
"""

from typing import Annotated

import typer

from . import cli_serving
from .doors import Kind, leave, settings_of

_HELP = "Train, promote and track the model; every verb is a nox session of the same name."
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP
)
Bounds = Annotated[str | None, typer.Option(help="A git revision whose bounds count.")]
Again = Annotated[str | None, typer.Option(help="Why a rolled-back model may come back.")]
app.add_typer(cli_serving.app)
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
    from . import pipeline, workspace

    leave(lambda: workspace.here_or_in_a_copy(settings_of(), context.args, pipeline.train))


@app.command(context_settings=_CHANGES)
def evaluate(context: typer.Context) -> None:
    """Make the report of the model that is there, without training."""
    from . import pipeline, workspace

    leave(lambda: workspace.here_or_in_a_copy(settings_of(), context.args, pipeline.evaluate))


@app.command()
def register(
    version: Annotated[int | None, typer.Argument(help="Sign one that is there instead.")] = None,
    registry: Kind = None,
) -> None:
    """Version the model by its digest."""
    from .acts.register import register

    leave(lambda: register(settings_of(registry), version))


@app.command()
def gate(registry: Kind = None, bounds: Bounds = None, again: Again = None) -> None:
    """Compare the model with the champion, and write the verdict."""
    from .acts.gate import gate

    leave(lambda: gate(settings_of(registry), bounds, again))


@app.command()
def promote(
    registry: Kind = None,
    bounds: Bounds = None,
    again: Again = None,
    dirty: Annotated[bool, typer.Option(help="Promote uncommitted changes on main.")] = False,
) -> None:
    """Register, gate, and make the model champion when the verdict allows it."""
    from .acts.promote import promote

    leave(lambda: promote(settings_of(registry), bounds, again, dirty))


@app.command()
def rollback(
    version: Annotated[int | None, typer.Argument(help="By default the previous champion.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the ledger.")] = None,
    registry: Kind = None,
) -> None:
    """Make the previous champion, or a version, the champion again."""
    from .acts.rollback import rollback

    leave(lambda: rollback(settings_of(registry), version, reason))


@app.command()
def reproduce(
    version: Annotated[str, typer.Argument(help="A number or an alias.")] = "champion",
    registry: Kind = None,
) -> None:
    """Make a version again from its commit, data and lock, and compare."""
    from .acts.reproduce import reproduce

    leave(lambda: reproduce(settings_of(registry), version))


@app.command()
def history(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    commit: Annotated[str | None, typer.Option(help="Print the versions of a commit.")] = None,
    registry: Kind = None,
) -> None:
    """Tell who was champion when, why, by which commit, by whom."""
    from .acts.history import history

    leave(lambda: history(settings_of(registry), json, commit))


@app.command()
def push() -> None:
    """Send data and models to the DVC remote."""
    from . import pipeline

    leave(lambda: pipeline.share(settings_of(), "push"))


@app.command()
def pull() -> None:
    """Fetch the data and models of this commit from the DVC remote."""
    from . import pipeline

    leave(lambda: pipeline.share(settings_of(), "pull"))


@app.command()
def ui(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 5000,
) -> None:
    """Show the runs of the project's own store in MLflow's web pages."""
    from . import store

    leave(lambda: store.show(settings_of(), host, port))
