"""Processes that fit nothing: a trial's figure is a formula of its values."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mlrails.tuning.search import Search
from mlrails.tuning.space import Choices, Numbers, Space
from mlrails.tuning.study import Study
from mlrails.tuning.trial import Bounds, State, Trial

SPACE = Space(
    {
        "rate": Numbers(0.01, 1.0, log=True),
        "leaves": Numbers(2, 40),
        "kind": Choices(("a", "b")),
    },
    trials=24,
    parallel=4,
    prune=True,
)
PRESENT = {"rate": 0.5, "leaves": 3, "kind": "b"}
SEED = 1


def figure(trial: Trial) -> float:
    """Return a figure that is the least near a rate of 0.1, 20 leaves and the kind a."""
    rate, leaves, kind = (trial.values[name] for name in SPACE.axes)
    return round(abs(rate - 0.1) + abs(leaves - 20) / 20 + (kind == "b") * 0.3, 6)


class Formula:
    """So many processes that are done in an order of their own."""

    def __init__(self, count: int, last_first: bool = False, dies_after: int = 10_000) -> None:
        self.count, self.last_first, self.dies_after = count, last_first, dies_after
        self.at_once = 0
        self._given: list[tuple[Trial, Bounds | None]] = []

    @property
    def free(self) -> bool:
        return self.running < self.count

    @property
    def running(self) -> int:
        return len(self._given)

    def give(self, trial: Trial, bounds: Bounds | None) -> None:
        self._given.append((trial, bounds))
        self.at_once = max(self.at_once, self.running)

    def wait(self) -> Trial:
        if self.dies_after == 0:
            raise KeyboardInterrupt
        self.dies_after -= 1
        trial, bounds = self._given.pop(-1 if self.last_first else 0)
        value = figure(trial)
        losses = [round(value + 1 / (step + 1), 6) for step in range(9)]
        for step, loss in enumerate(losses):
            if bounds and bounds.give_up(step, loss):
                return replace(trial, state=State.PRUNED, losses=losses[: step + 1])
        return replace(trial, state=State.WHOLE, value=value, losses=losses, seconds=1.0)


def search(
    folder: Path, ended: Callable[..., object] = lambda *_: None, space: Space = SPACE
) -> Search:
    """Return a search whose trials lie in a folder."""
    return Search(Study(folder, "key", space, higher=False), PRESENT, SEED, ended)


def searched(folder: Path, processes: Formula, wanted: int = 24) -> Sequence[Trial]:
    """Return the trials of a search that was let go to its end."""
    found = search(folder)
    found.run(wanted, processes, lambda: True)
    return found.trials
