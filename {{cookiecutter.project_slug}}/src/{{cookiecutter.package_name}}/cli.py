"""The command line: every verb of the doors, under one roof.

Heavy libraries are imported inside the verbs, so that --help answers at once.
"""

from pathlib import Path

import typer

from . import identity, settings
from .doors.forge import forge_verbs
from .doors.lifecycle import lifecycle_verbs
from .doors.pipeline import pipeline_verbs
from .doors.serving import serving_verbs
from .errors import UsageError

_HELP = "Train, promote and track the model; every verb is a nox session of the same name."
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP
)
for verbs in (pipeline_verbs, lifecycle_verbs, serving_verbs, forge_verbs):
    app.add_typer(verbs)


def main(package: str) -> None:
    """Run the command line of a package, which is told how it is called.

    Raises UsageError where it is called in another copy of the project.
    """
    try:
        root = settings.find_root(Path.cwd())
    except UsageError:  # --help needs no project, and a verb says so itself.
        root = None
    if root is not None:
        identity.check_code(root)
    app(prog_name=f"python -m {package}")
