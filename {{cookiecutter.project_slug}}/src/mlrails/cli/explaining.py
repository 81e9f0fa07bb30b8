"""The verb that tells why the model says what it says."""

from typing import Annotated

import typer

from ..registry.versions import named
from .leaving import Kind, at

explaining_verbs = typer.Typer()
_ROW = "A JSON object, a file, FILE:NUMBER, or the number of a test row; by default an example."


@explaining_verbs.command()
def explain(
    row: Annotated[str | None, typer.Argument(metavar="ROW", help=_ROW)] = None,
    output: Annotated[str | None, typer.Option(help="What to explain: probability_CLASS.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    version: Annotated[int | None, typer.Option(help="Ask this version.")] = None,
    alias: Annotated[str | None, typer.Option(help="Ask what an alias points to.")] = None,
    registry: Kind = None,
    local: Annotated[bool, typer.Option("--local", help="Ask this folder's model.")] = False,
) -> None:
    """Tell what moved the prediction of a row: each column's share, and what lies outside.

    Base plus shares is the prediction. Rows and files are counted from 1; the values of rows are
    not printed under CI=true.
    """
    from ..batch.explain import Question, explain

    asked = Question(row, output, json)
    at(registry, lambda there: explain(there, asked, named(version, alias, local)), writes=False)
