"""Verbs that bring the stages up to date and share what they made."""

from functools import partial
from typing import Annotated

import typer

from .leaving import handed, here, leave

pipeline_verbs = typer.Typer()
_CHANGES = {"allow_extra_args": True, "ignore_unknown_options": True}


@pipeline_verbs.command(context_settings=_CHANGES)
def train(context: typer.Context) -> None:
    """Bring the pipeline up to date, track it, and print the figures.

    --NAME VALUE changes a param for this run alone, as in --learning_rate 0.05 or
    --split.test "3 months": it is trained in a copy, and the files here stay as they are.
    """
    from ..pipeline import run, worktree

    given = handed(context)
    act = partial(run.train, columns=given.columns, own=given.metrics)
    leave(lambda: worktree.here_or_in_a_copy(here(), context.args, act))


@pipeline_verbs.command(context_settings=_CHANGES)
def evaluate(context: typer.Context) -> None:
    """Make the report of the model that is there, without training."""
    from ..pipeline import run, worktree

    given = handed(context)
    act = partial(run.evaluate, columns=given.columns, own=given.metrics)
    leave(lambda: worktree.here_or_in_a_copy(here(), context.args, act))


@pipeline_verbs.command()
def tune(
    context: typer.Context,
    trials: Annotated[
        int | None, typer.Option(help="How many in all; by default tune.trials.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds; no trial begins after.")] = None,
    processes: Annotated[int | None, typer.Option(help="How many; by default the cores.")] = None,
) -> None:
    """Search better hyperparameters on the validation rows, and write the best into params.yaml.

    One that was broken off goes on where it was.
    """
    from ..tuning.run import Order, tune

    given, order = handed(context), Order(trials, timeout, processes)
    leave(lambda: tune(here(), order, given.columns, given.metrics))


@pipeline_verbs.command()
def push() -> None:
    """Send data and models to the DVC remote."""
    from ..pipeline import run

    leave(lambda: run.share(here(), "push"))


@pipeline_verbs.command()
def pull() -> None:
    """Fetch the data and models of this commit from the DVC remote."""
    from ..pipeline import run

    leave(lambda: run.share(here(), "pull"))
