"""Compare the model of this folder with the champion."""

from .. import bounds, candidate, gate_report, ledger, registry, trial
from ..errors import Exit
from ..settings import Settings


def gate(settings: Settings, revision: str | None = None, again: str | None = None) -> Exit:
    """Write the verdict; nothing is registered and nothing moves."""
    asked, where = bounds.of(settings, revision)
    found = candidate.here(settings)
    there = registry.read(settings)
    met = trial.rivals(there, ledger.Ledger(there.client, settings))
    verdict = trial.verdict(there, found, met, asked, settings, again)
    gate_report.write(verdict, there.name, where, settings.root)
    return gate_report.announce(verdict, there.name)
