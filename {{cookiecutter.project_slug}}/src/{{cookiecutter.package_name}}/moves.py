"""Moves of the champion that survive a kill at any moment.

First the ledger says what is about to happen, then the alias moves, then the tags follow, then the
entry is closed. Whoever comes next finds an open entry and, as the alias tells whether it happened,
completes it or takes it back.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .console import say
from .errors import WorldError
from .ledger import ROLLBACK, Entry, Ledger
from .registry import Registry
from .versions import ARCHIVED, CHALLENGER, CHAMPION, PRODUCTION, ROLLED_BACK, STAGE


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
    registry.point(CHAMPION, entry.version)
    _complete(registry, ledger, entry)
    return entry


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
        registry.unpoint(CHALLENGER)
    ledger.close(entry)
