"""The verbs of the months after: watch the model, and train it anew."""

from datetime import date
from typing import Annotated

import typer

from ..core.errors import Exit, UsageError
from ..core.settings import Settings
from ..registry.versions import named
from .leaving import Kind, at, handed, here, leave

monitoring_verbs = typer.Typer()
_From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="The first day.")]
_Outcomes = Annotated[str | None, typer.Option("--outcomes", help="Outcomes, by request_id.")]
_To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day.")]


def _day(text: str | None, option: str) -> date | None:
    """Read a day; raises UsageError where it is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{option} {text!r}: is no day; write it as 2013-11-30") from None


@monitoring_verbs.command()
def monitor(
    context: typer.Context,
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help="New rows: a file, glob, log of requests.")
    ] = None,
    since: _From = None,
    until: _To = None,
    outcomes: _Outcomes = None,
    version: Annotated[int | None, typer.Option(help="Watch this version.")] = None,
    alias: Annotated[str | None, typer.Option(help="Watch what an alias points to.")] = None,
    registry: Kind = None,
    local: Annotated[bool, typer.Option("--local", help="Watch this folder's model.")] = False,
) -> None:
    """Say whether rows, predictions and outcomes are still as the champion knows them.

    Without DATA the rows of data/raw after the champion's own are looked at. The exit code is 5
    where an alarm stands in the last whole window, or with --from in any window since.
    """
    from ..monitoring.watch.period import Order
    from ..monitoring.watch.run import monitor

    given = handed(context)
    at(
        registry,
        lambda there: monitor(
            there,
            given.columns,
            given.metrics,
            Order(data, _day(since, "--from"), _day(until, "--to"), outcomes),
            named(version, alias, local),
        ),
        writes=False,
    )


@monitoring_verbs.command()
def retrain(
    context: typer.Context,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="The last day that is to count.")
    ] = None,
    recalibrate: Annotated[
        bool, typer.Option("--recalibrate", help="Move the level of the scores towards what came.")
    ] = False,
    registry: Kind = None,
) -> None:
    """Let newer rows count, train with them, and hold the gate; nothing is promoted.

    The last day moves on in params.yaml, by one line: to DAY, or to the newest day whose outcomes
    are all known, of whole months where it is the end of one. The exit code is the gate's.
    """

    def act() -> Exit:
        settings = here()  # Once, as MLflow writes where it tracks into the environment.
        there, day = settings.of_registry(registry), _day(until, "--until")
        return retrained(context, settings, there, day, recalibrate)

    leave(act)


def retrained(
    context: typer.Context,
    settings: Settings,
    there: Settings,
    until: date | None = None,
    recalibrate: bool = False,
) -> Exit:
    """Retrain, and hold the gate against the champion of the registry that is there."""
    from ..lifecycle import promote
    from ..registry import git_branch
    from ..retraining.run import Order, retrain

    given = handed(context)

    def gate() -> Exit:
        return git_branch.act_on(there, lambda it: promote.gate(it, own=given.own), writes=False)

    return retrain(settings, Order(given.columns, gate, given.metrics, until, recalibrate))


def looked(context: typer.Context, registry: str | None) -> Exit:
    """Watch the champion of a registry by the rows that are here."""
    from ..monitoring.watch.period import Order
    from ..monitoring.watch.run import monitor
    from ..registry import git_branch

    given, wanted = handed(context), named(None, None, False)
    there = here().of_registry(registry)
    return git_branch.act_on(
        there, lambda it: monitor(it, given.columns, given.metrics, Order(), wanted), writes=False
    )
