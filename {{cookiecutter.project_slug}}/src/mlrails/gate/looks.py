"""How many models the same test rows have judged, what so many looks cost, and what they ask for.

The promise that a worse model seldom passes is for one look: of many that are worse, one passes by
luck in the end. That is told, or each look is asked for more (`gate.looks`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..core.params import Params

CHANCES = {1: 0.02, 5: 0.07, 10: 0.12, 20: 0.21, 50: 0.37}
"""How often one of so many challengers, all of them worse by the margin, passes at the least: the
share of simulated holdouts of 61 days on which one did (the engine's
`gate/test_looks.py`)."""
SPENT = {1: 0.02, 5: 0.05, 10: 0.06, 20: 0.08, 50: 0.1}
"""The same where each look is asked for more."""


@dataclass(frozen=True)
class Looks:
    """How many challengers were held against these test rows, and what so many may cost."""

    challengers: int
    chance: float
    """How often one of as many passes at the least, if all of them are worse by the margin."""
    confidence: float | None = None
    """At what this one had to show what it shows, where each look is asked for more."""

    def to_json(self) -> dict[str, Any]:
        """Return what `reports/verdict.json` holds of it."""
        return {name: it for name, it in asdict(self).items() if it is not None}

    def told(self) -> str:
        """Return what is said of several looks."""
        sure = self.confidence
        more = f"; so this one needs a confidence of {sure:.3%} (`gate.looks`)" if sure else ""
        return (
            f"{self.challengers} challengers have been held against these test rows, those that "
            f"were never registered not counted{more}: if all of them were worse by the margin, "
            f"one would pass on at least {self.chance:.0%} of such holdouts"
        )


def cost_of_looks(challengers: int) -> Looks:
    """Return so many looks with what they cost: as much as the next lower number of the table."""
    return Looks(challengers, _chance(CHANCES, challengers))


def with_looks(bounds: Params, looks: Looks) -> tuple[Params, Looks]:
    """Return bounds that ask for more the more models these rows have judged, where they say so.

    Look k may err with a k-th of what one alone may, as in Bonferroni's correction for k of them.
    """
    gate = bounds.gate
    if gate.looks == "told":
        return bounds, looks
    confidence = 1 - (1 - gate.confidence) / looks.challengers
    chance = _chance(SPENT, looks.challengers)
    stricter = gate.model_copy(update={"confidence": confidence})
    asked = Looks(looks.challengers, chance, confidence)
    return bounds.model_copy(update={"gate": stricter}), asked


def _chance(chances: Mapping[int, float], challengers: int) -> float:
    return max(it for number, it in chances.items() if number <= challengers)
