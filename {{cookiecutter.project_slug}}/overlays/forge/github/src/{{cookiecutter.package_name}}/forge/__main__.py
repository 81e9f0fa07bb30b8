"""python -m {{ cookiecutter.package_name }}.forge review|prove

The verbs of a job of the forge; `nox -s review` and `nox -s prove` call them.
"""

from typing import Annotated

import typer

from .. import processes
from ..doors.leaving import at, here, leave

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def review(
    base: Annotated[str, typer.Option(help="The revision whose bounds count.")],
    registry: Annotated[str | None, typer.Option(help="local, branch or server.")] = None,
    floors_at_least: Annotated[
        bool, typer.Option(help="Where the registry needs a secret, say so and go on.")
    ] = False,
) -> None:
    """Hold the gate with the bounds of a base, pack the candidate, and write the report."""
    from .review import review

    at(registry, lambda there: review(there, base, floors_at_least), writes=False)


@app.command()
def prove() -> None:
    """Compare the model of merged code with the one that its pull request has evaluated."""
    from .prove import prove

    leave(lambda: prove(here()))


if __name__ == "__main__":
    processes.begin()
    app(prog_name="python -m {{ cookiecutter.package_name }}.forge")
