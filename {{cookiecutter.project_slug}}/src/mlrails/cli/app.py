"""The command line: every verb, under one roof.

Heavy libraries are imported inside the verbs, so that --help answers at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

from ..adopt.writing import JOURNAL
from ..core import processes, settings
from ..core.errors import UsageError, WorldError, reported
from ..data.schema import Column
from ..evaluation.own import OwnMetric
from .adoption import adoption_verbs
from .explaining import explaining_verbs
from .github import forge_verbs
from .leaving import Handed
from .lifecycle import lifecycle_verbs
from .monitoring import monitoring_verbs
from .pipeline import pipeline_verbs
from .serving import serving_verbs

_HELP = "Train, promote and track the model; every verb is a nox session of the same name."
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP
)
_ROOMS = (pipeline_verbs, adoption_verbs, lifecycle_verbs, serving_verbs, monitoring_verbs)
for verbs in (*_ROOMS, explaining_verbs, forge_verbs):
    app.add_typer(verbs)


def main(package: str, columns: Sequence[Column], metrics: Sequence[OwnMetric] = ()) -> None:
    """Run what the command line asks for, with what the user's package hands over.

    Raises UsageError where it is called in another copy of the project.
    """
    try:
        root = settings.find_root(Path.cwd())
    except UsageError:  # --help needs no project, and a verb says so itself.
        root = None
    if root is not None:
        settings.check_code(root)
        _finish_adoption(root)
    app(prog_name=f"python -m {package}", obj=Handed(package, columns, metrics))


def _finish_adoption(root: Path) -> None:
    """Carry on with an adoption that was killed; raises WorldError, as other code runs by then."""
    if (root / JOURNAL).is_file():
        from ..adopt.writing import apply

        apply.finish(root)
        raise WorldError(
            "an adoption had been killed halfway; it is done now (`git diff` shows it): run the "
            "same command again, unless it was that adoption"
        )


def run(
    package: str | None, columns: Sequence[Column], metrics: Sequence[OwnMetric] = ()
) -> NoReturn:
    """Be the process of the command line of a user's package."""
    processes.begin()
    try:
        processes.end(reported(lambda: main(str(package), columns, metrics)))
    except SystemExit as done:
        processes.end(int(done.code or 0))
