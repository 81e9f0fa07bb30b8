"""A fit as its trial looks on: it keeps the losses, and gives up what has no prospect."""

from collections.abc import Callable, Mapping

from ..modeling.epochs import LOSS, Watch
from .trial import MOST_STEPS, Bounds

_DIGITS = 6


class GivenUpError(Exception):
    """Raised through a fit that is worse than most were at its step."""


class Losses(Watch):
    """Keeps the least loss until each step, and gives up a fit that is out of bounds."""

    def __init__(self, bounds: Bounds | None, tell: Callable[[], None]) -> None:
        self.kept: list[float] = []
        self.given_up = False
        self._bounds, self._tell = bounds, tell

    def step(self, number: int, figures: Mapping[str, float]) -> None:
        """Take the losses of a step; tells of it and raises GivenUpError where it is out of bounds.

        A fit that tells no loss on validation rows is never given up. One in a thread of its own
        may go on for all that is raised here, so whoever waits for it is told before.
        """
        if self.given_up:
            raise GivenUpError
        if LOSS not in figures or len(self.kept) >= MOST_STEPS:
            return
        loss = round(figures[LOSS], _DIGITS)
        self.kept.append(min([loss, *self.kept[-1:]]))
        if self._bounds and self._bounds.give_up(len(self.kept) - 1, self.kept[-1]):
            self.given_up = True
            self._tell()
            raise GivenUpError
