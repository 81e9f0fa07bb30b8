"""Compare the model of this folder with the champion."""

from .. import challenge, gate_report, registry, trial
from ..errors import Exit
from ..ledger import Ledger
from ..settings import Settings


def gate(settings: Settings, revision: str | None = None, again: str | None = None) -> Exit:
    """Write the verdict; nothing is registered and nothing moves."""
    challenger = challenge.here(settings, revision, again)
    there = registry.read(settings)
    verdict = challenger.hold(there, trial.rivals(there, Ledger(there.client, settings)))
    return gate_report.announce(verdict, there.name)
