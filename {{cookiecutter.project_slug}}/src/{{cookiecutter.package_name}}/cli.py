"""The command line: every verb of the doors, under one roof.

Heavy libraries are imported inside the verbs, so that --help answers at once.
"""

import typer

from .doors import forge, lifecycle, pipeline, serving

_HELP = "Train, promote and track the model; every verb is a nox session of the same name."
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP
)
for door in (pipeline, lifecycle, serving, forge):
    app.add_typer(door.app)


def main(package: str) -> None:
    """Run the command line of a package, which is told how it is called."""
    app(prog_name=f"python -m {package}")
