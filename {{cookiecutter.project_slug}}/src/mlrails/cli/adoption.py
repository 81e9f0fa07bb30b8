"""The verb that makes somebody's own table the project's data."""

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.errors import UsageError
from .leaving import handed, here, leave

adoption_verbs = typer.Typer()


def _column(said: str, metavar: str = "COLUMN") -> Any:
    return typer.Option(metavar=metavar, help=said)


@adoption_verbs.command()
def adopt(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A file, folder, glob or address, CSV or Parquet.")],
    target: Annotated[str | None, _column("What is predicted.")] = None,
    task: Annotated[str | None, _column("By default as its values are.", "TASK")] = None,
    positive: Annotated[str | None, _column("The target's word for the event.", "WORD")] = None,
    time: Annotated[str | None, _column("When a row is of.")] = None,
    group: Annotated[str | None, _column("Whose several rows are.")] = None,
    weight: Annotated[str | None, _column("How much a row counts.")] = None,
    id: Annotated[list[str] | None, _column("Names rows, and tells nothing.")] = None,  # noqa: A002 - the option's name
    drop: Annotated[list[str] | None, _column("Not known when one predicts.")] = None,
    known: Annotated[list[str] | None, _column("Known by then, and why.", "COLUMN=WHY")] = None,
    query: Annotated[str | None, _column("What a database is asked.", "SELECT")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing, leave out doubts.")] = False,
    dirty: Annotated[bool, typer.Option("--dirty", help="Allow uncommitted changes.")] = False,
) -> None:
    """Make your own table the project's data: look at it, show the plan, ask, and write it."""
    from ..adopt.writing.run import Order, Person, adopt

    columns, several = handed(context).columns, (id or (), drop or (), known or ())
    order = Order(source, target, task, time, group, weight, positive, *several, yes, dirty, query)
    width = min(shutil.get_terminal_size((100, 24)).columns, 160)
    person = Person(asked if sys.stdin.isatty() else None, width, Path.cwd())
    leave(lambda: adopt(here(), order, person, columns))


def asked(question: str) -> str:
    """Return what a person types; raises UsageError where they close the input instead."""
    try:
        return input(question)
    except EOFError:
        raise UsageError("no answer was given; nothing has been changed") from None
