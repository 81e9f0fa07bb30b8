"""Verbs that act on the registry."""

from pathlib import Path
from typing import Annotated

import typer

from ..core import console
from .leaving import Kind, at, handed

lifecycle_verbs = typer.Typer()
Bounds = Annotated[str | None, typer.Option(help="A git revision whose bounds count.")]
Again = Annotated[str | None, typer.Option(help="Why it may return.", callback=console.one_line)]
Reason = Annotated[str | None, typer.Option(help="Why, to keep.", callback=console.one_line)]


def _number(word: str) -> int | None:
    return None if word == "previous" else int(word)


@lifecycle_verbs.command()
def register(
    version: Annotated[int | None, typer.Argument(help="Sign one that is there instead.")] = None,
    registry: Kind = None,
) -> None:
    """Version the model by its digest."""
    from ..lifecycle.register import register

    at(registry, lambda there: register(there, version))


@lifecycle_verbs.command()
def gate(
    context: typer.Context, registry: Kind = None, bounds: Bounds = None, again: Again = None
) -> None:
    """Compare the model with the champion, and write the verdict."""
    from ..lifecycle.promote import gate

    own = handed(context).own
    at(registry, lambda there: gate(there, bounds, again, own), writes=False)


@lifecycle_verbs.command()
def promote(
    context: typer.Context,
    registry: Kind = None,
    bounds: Bounds = None,
    again: Again = None,
    dirty: Annotated[bool, typer.Option(help="Promote uncommitted code or params.")] = False,
    candidate: Annotated[
        Path | None, typer.Option(help="The folder that `review` has packed elsewhere.")
    ] = None,
    tip: Annotated[str | None, typer.Option(help="A branch that must not have moved on.")] = None,
) -> None:
    """Register, gate, and make the model champion when the verdict allows it."""
    from ..lifecycle.promote import promote

    own = handed(context).own
    at(registry, lambda there: promote(there, bounds, again, dirty, candidate, tip, own))


@lifecycle_verbs.command()
def holdout(
    context: typer.Context,
    opens: Annotated[
        bool, typer.Option("--open", help="Judge the champion by them; once.")
    ] = False,
    again: Annotated[
        str | None, typer.Option(help="Why they are opened again.", callback=console.one_line)
    ] = None,
    registry: Kind = None,
) -> None:
    """Tell of the final rows, which nobody has seen, or open them."""
    from ..lifecycle.holdout import holdout

    own = handed(context).own
    at(registry, lambda there: holdout(there, opens, again, own), writes=opens)


@lifecycle_verbs.command()
def rollback(
    version: Annotated[
        int | None, typer.Argument(help="A number, or previous.", parser=_number)
    ] = None,
    reason: Reason = None,
    registry: Kind = None,
) -> None:
    """Make the previous champion, or a version, the champion again."""
    from ..lifecycle.rollback import rollback

    at(registry, lambda there: rollback(there, version, reason))


@lifecycle_verbs.command()
def reproduce(
    version: Annotated[str, typer.Argument(help="A number or an alias.")] = "champion",
    registry: Kind = None,
) -> None:
    """Make a version again from its commit, data and lock, and compare."""
    from ..lifecycle.reproduce import reproduce

    at(registry, lambda there: reproduce(there, version))


@lifecycle_verbs.command()
def history(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    commit: Annotated[str | None, typer.Option(help="Print the versions of a commit.")] = None,
    registry: Kind = None,
) -> None:
    """Tell who was champion when, why, by which commit, by whom."""
    from ..lifecycle.history import history

    at(registry, lambda there: history(there, json, commit), writes=False)


@lifecycle_verbs.command()
def ui(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 5000,
    registry: Kind = None,
) -> None:
    """Show the runs of the project's own store, or of its branch, in MLflow's web pages."""
    from ..tracking import pages

    at(registry, lambda there: pages.show(there, host, port), writes=False)
