"""The search itself: which trial begins when, and what each one is told before.

How to change this: `study.py` says why what is tried may hang on nothing but the trials that
`known` returns; a new reason to wait or to stop must not look at which process is free.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..core.errors import UsageError
from .space import Space, Values
from .study import Study
from .trial import Bounds, State, Trial, best, bounds

_ALL_FAIL = 3
"""So many failures and nothing else: what is wrong is no matter of the values."""


class Processes(Protocol):
    """What fits trials (`pool.Pool`)."""

    @property
    def free(self) -> bool:
        """Whether one more trial would begin at once."""

    @property
    def running(self) -> int:
        """How many trials have been given and are not done."""

    def give(self, trial: Trial, bounds: Bounds | None) -> None:
        """Have a trial fitted."""

    def wait(self) -> Trial:
        """Return the next trial that is done."""


@dataclass
class Search:
    """The trials of a study, brought to a number."""

    study: Study
    present: Values
    """The project's own values, which the first trial tries."""
    seed: int
    ended: Callable[[Trial, Sequence[Trial]], object]
    """Is told of each trial that has ended, and of all that there are."""

    def __post_init__(self) -> None:
        self.trials = list(self.study.trials())
        self._broken_off = [it for it in self.trials if not it.ended]

    @property
    def space(self) -> Space:
        """What may be tried."""
        return self.study.space

    def run(self, wanted: int, processes: Processes, may_begin: Callable[[], bool]) -> None:
        """Fit trials until there are as many as wanted, or no further one may begin.

        Those that were broken off are fitted first, with the values that they had. Raises
        UsageError where all fail.
        """
        while True:
            while processes.free and may_begin() and (trial := self._next(wanted)):
                processes.give(trial, self._bounds(trial))
            if not processes.running:
                return
            self._end(processes.wait())

    def known(self, number: int) -> Sequence[Trial]:
        """Return the trials that one learns from: all but the last few before it."""
        return self.trials[: max(number - self.space.parallel + 1, 0)]

    def best(self) -> Trial | None:
        """Return the best whole trial."""
        return best(self.trials, self.study.higher)

    def _next(self, wanted: int) -> Trial | None:
        """Return the trial that may begin now; None where there is none."""
        if self._broken_off:
            return self._broken_off.pop(0)
        number = len(self.trials)
        known = self.known(number)
        if number >= wanted or not all(it.ended for it in known):
            return None
        trial = self.study.begin(number, *self._values(number, known))
        self.trials.append(trial)
        return trial

    def _values(self, number: int, known: Sequence[Trial]) -> tuple[Values, Values | None]:
        """Return what a trial tries, and what of it Optuna knows."""
        if number == 0:
            return self.present, self.present if self.space.holds(self.present) else None
        drawn: Any = self.study.suggest(number, known, self.seed)
        tried = self.space.rounded(drawn)
        return tried, tried

    def _bounds(self, trial: Trial) -> Bounds | None:
        return bounds(self.known(trial.number)) if self.space.prune else None

    def _end(self, trial: Trial) -> None:
        self.study.end(trial)
        self.trials[trial.number] = trial
        self.ended(trial, self.trials)
        done = [it for it in self.trials if it.ended]
        if len(done) >= _ALL_FAIL and all(it.state is State.FAILED for it in done):
            raise UsageError(f"each of {len(done)} trials has failed, the last one: {trial.why}")
