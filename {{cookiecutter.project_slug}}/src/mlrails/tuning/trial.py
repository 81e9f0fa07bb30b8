"""One trial: which values were tried, what came of them, and when a fit is given up early."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any

_LEAST = 5
"""Fewer whole trials say too little of how a fit should go."""
_WORST = 0.75
"""A fit is given up that is worse than so many of the others were: not than half of them, as one
that begins slowly may be the best in the end."""
_WARM_UP = 1 / 3
"""Of a usual fit, in which none is given up."""
MOST_STEPS = 2000
"""Of a fit that are looked at."""


class State(StrEnum):
    """What became of a trial."""

    RUNNING = "running"
    WHOLE = "whole"
    PRUNED = "given up"
    FAILED = "failed"


@dataclass(frozen=True)
class Trial:
    """What was tried, and what came of it."""

    number: int
    values: Mapping[str, Any]
    """The hyperparameters that are tuned, as they were tried."""
    drawn: bool
    """Whether they lie in the space; the project's own, which come first, need not."""
    state: State = State.RUNNING
    value: float | None = None
    """The metric on the validation rows, of a whole trial."""
    losses: Sequence[float] = ()
    """The least loss on the validation rows until each step of the fit."""
    why: str = ""
    """Of one that has failed."""
    seconds: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether it need not be tried again."""
        return self.state is not State.RUNNING


@dataclass(frozen=True)
class Bounds:
    """From which loss on a fit is given up, by its step."""

    first: int
    """The first step that is looked at."""
    losses: Sequence[float]
    """By step; the last one holds for all later ones."""

    def give_up(self, step: int, loss: float) -> bool:
        """Tell whether a fit is given up, by its least loss until a step."""
        return step >= self.first and loss > self.losses[min(step, len(self.losses) - 1)]


def bounds(known: Sequence[Trial]) -> Bounds | None:
    """Return the bounds that trials set for those after them; None while too few are whole.

    One that was given up counts as if its loss had stayed as it was: without it, those that are
    left would be better and better, and more and more would be given up.
    """
    whole = [len(it.losses) for it in known if it.state is State.WHOLE and it.losses]
    if len(whole) < _LEAST:
        return None
    usual, curves = int(median(whole)), [it.losses for it in known if it.losses]
    losses = [
        _worst([curve[min(step, len(curve) - 1)] for curve in curves]) for step in range(usual)
    ]
    return Bounds(int(usual * _WARM_UP), losses)


def _worst(losses: Sequence[float]) -> float:
    """Return the loss that so many of these are not above."""
    return sorted(losses)[int(_WORST * (len(losses) - 1))]


def best(trials: Sequence[Trial], higher: bool) -> Trial | None:
    """Return the best whole trial, the first of equals; None where there is none."""
    sign = -1 if higher else 1
    whole = [(sign * it.value, it.number, it) for it in trials if it.value is not None]
    return min(whole)[2] if whole else None
