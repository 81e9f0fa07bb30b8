"""Verbs of a job of the forge: what happens between a pull request and its merge."""

import os
from typing import Annotated

import typer

from ..core.errors import Exit
from .leaving import Kind, at, handed, here, leave

forge_verbs = typer.Typer()


@forge_verbs.command()
def review(
    context: typer.Context,
    base: Annotated[str, typer.Option(help="The revision whose bounds count.")],
    registry: Kind = None,
    floors_at_least: Annotated[
        bool, typer.Option(help="Where the registry needs a secret, say so and go on.")
    ] = False,
) -> None:
    """Hold the gate with the bounds of a base, pack the candidate, and write the report."""
    from ..github.review import review

    own = handed(context).own
    at(registry, lambda there: review(there, base, floors_at_least, own), writes=False)


@forge_verbs.command()
def watch(
    context: typer.Context,
    registry: Kind = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="Retrain after an alarm.")] = False,
) -> None:
    """Watch the champion, or retrain after an alarm, and hand over what the issue is to say.

    Each is a process of its own, as MLflow tracks in one place for all of a process.
    """
    from ..github import watch
    from .monitoring import looked, retrained

    def advance() -> Exit:
        there = here().of_registry(registry)
        # An account that may only read could track no run on its server, and stages ask for it.
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        local = here()
        return watch.advance(local, lambda: retrained(context, local, there))

    leave(advance if retrain else lambda: watch.watch(here(), lambda: looked(context, registry)))


@forge_verbs.command()
def prove() -> None:
    """Compare the model of merged code with the one that its pull request has evaluated."""
    from ..github.prove import prove

    leave(lambda: prove(here()))
