"""How many challengers have looked at the test rows, and what so many looks may cost.

The promise that a worse model seldom passes is for one look. Every version that was registered for
these rows has had one; what was gated without being registered is known to nobody.
"""

from .candidate import Candidate
from .gate import Looks
from .registry import Registry

CHANCES = {1: 0.02, 5: 0.07, 10: 0.12, 20: 0.21, 50: 0.37}
"""How often one of so many challengers, all of them worse by the margin, passes at the least: the
share of simulated holdouts of 61 days on which one did (`tests/test_looks.py`)."""


def at(registry: Registry, candidate: Candidate) -> Looks:
    """Return how many models of this split were registered, the challenger among them."""
    split = candidate.place.split_digest(candidate.params)
    digests = {
        version.digest
        for version in registry.versions()
        if version.tags.get("split_digest") == split
        and version.tags.get("target") == candidate.params.data.target
    }
    return of(len(digests | {candidate.digest}))


def of(challengers: int) -> Looks:
    """Return so many looks with what they cost: as much as the next lower number of the table."""
    return Looks(challengers, max(it for number, it in CHANCES.items() if number <= challengers))
