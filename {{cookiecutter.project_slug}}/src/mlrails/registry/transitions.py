"""Moves of the champion that survive a kill at any moment.

First the ledger says what is about to happen, then the alias moves, then the tags follow, then the
entry is closed. Whoever comes next finds an open entry and, as the alias tells whether it happened,
completes it or takes it back.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..core.console import say, warn
from ..core.errors import DeniedError, WorldError
from .ledger import ROLLBACK, Entry, Ledger
from .versions import ARCHIVED, CHALLENGER, CHAMPION, PRODUCTION, ROLLED_BACK, STAGE, Registry


def move(
    registry: Registry,
    ledger: Ledger,
    told: Mapping[str, str],
    held: Callable[[], None],
    evidence: Sequence[Path] = (),
) -> Entry:
    """Make a version the champion and write it down; the caller holds the turn.

    `held` raises WorldError where the turn was lost, which is asked as late as can be.
    """
    entry = ledger.begin(told)
    ledger.attach(entry, evidence)
    try:
        held()
    except WorldError:
        ledger.discard(entry)
        raise
    _point(registry, ledger, entry)
    try:
        _complete(registry, ledger, entry)
    except WorldError as error:  # It has happened, and is never told as if it had not.
        warn(
            f"version {entry.version} is the champion, but not all is written down ({error}); the "
            "next promote or rollback completes it"
        )
    return entry


def _point(registry: Registry, ledger: Ledger, entry: Entry) -> None:
    """Move the alias; an answer that was lost on its way back is no failure of the move.

    Raises WorldError where it has not moved. Where nobody can say whether it has, that is said, and
    the entry stays open for whoever comes next.
    """
    try:
        registry.point(CHAMPION, entry.version)
    except WorldError as error:
        if not _has_moved(registry, entry.version, error):
            ledger.discard(entry)
            raise


def _has_moved(registry: Registry, number: int, lost: WorldError) -> bool:
    try:
        return registry.pointed(CHAMPION) == number
    except WorldError:
        raise WorldError(
            f"{lost}; nobody can say just now whether version {number} became champion: run the "
            "same command again, which completes it or takes it back"
        ) from lost


def recover(registry: Registry, ledger: Ledger) -> Entry | None:
    """Complete or take back what a killed process left; return what was completed."""
    completed = None
    for entry in ledger.open_entries():
        if registry.pointed(CHAMPION) == entry.version:
            _complete(registry, ledger, entry)
            say(
                f"the {entry.action} of version {entry.version} that was cut short is completed, "
                "with the reason that was given then"
            )
            completed = entry
        else:
            ledger.discard(entry)
    return completed


def _complete(registry: Registry, ledger: Ledger, entry: Entry) -> None:
    """Let the tags say what the alias says; every step may be repeated."""
    registry.tag(entry.version, {STAGE: PRODUCTION})
    registry.link(entry.version)
    registry.untag(entry.version, ROLLED_BACK)
    for version in registry.versions():
        if version.tags.get(STAGE) == PRODUCTION and version.number != entry.version:
            registry.tag(version.number, {STAGE: ARCHIVED})
    if entry.action == ROLLBACK and entry.before:
        words = entry.told.get("reason") or "no reason given"
        registry.tag(entry.before, {ROLLED_BACK: words})
    if registry.pointed(CHALLENGER) == entry.version:
        try:
            registry.unpoint(CHALLENGER)
        except DeniedError as error:
            warn(f"the alias {CHALLENGER} stays on version {entry.version}: {error}")
    ledger.close(entry)
