"""What a fit is given, and the loop of one that learns in epochs.

An estimator that learns otherwise, as trees do, leaves the loop and tells its `Watch` of each step.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .errors import UsageError
from .features import Matrix, Vector

Arrays = Mapping[str, npt.NDArray[np.generic]]
"""Numbers and words by name, of which a checkpoint is made."""
Indices = npt.NDArray[np.int64]
_Told = list[Mapping[str, float]]

LOSS = "validation_loss"
_NOW, _BEST, _TOLD, _NAMES = "now/", "best/", "told", "names"


class Labelled(NamedTuple):
    """A matrix (rows, features) and its target (rows,)."""

    matrix: Matrix
    target: Vector


class Watch:
    """Whoever looks on while a fit goes on; this one says nothing and keeps nothing."""

    def step(self, number: int, figures: Mapping[str, float]) -> None:
        """Take the figures of an iteration or epoch."""

    def batches(self, batches: Sequence[Indices], epoch: int) -> Iterable[Indices]:
        """Pass on the batches of an epoch, as the fit gets to each."""
        return batches

    def recall(self) -> Arrays:
        """Return the checkpoint of a fit of the same inputs that was broken off, or nothing."""
        return {}

    def keep(self, checkpoint: Arrays) -> None:
        """Keep a checkpoint in the place of the one before."""


class Schedule(NamedTuple):
    """How long a fit goes on, in which strides; the rate falls in a straight line to 0."""

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float


class Learner(Protocol):
    """What learns from a batch at a time."""

    def begin(self, seed: int, learning_rate: float) -> None:
        """Begin an epoch, in which all that is drawn by chance comes from the seed."""

    def learn(self, rows: Indices) -> float:
        """Learn from some training rows, and return their mean loss."""

    def validate(self) -> Mapping[str, float]:
        """Return the figures on the validation rows, `validation_loss` among them."""

    def state(self) -> Arrays:
        """Return all that is needed to go on from here, as copies."""

    def restore(self, state: Arrays) -> None:
        """Go back to a state."""


def in_epochs(learner: Learner, schedule: Schedule, rows: int, seed: int, watch: Watch) -> None:
    """Let a learner go through its training rows until it gains no more; leave it at its best.

    A fit that was broken off goes on after its last whole epoch, and ends as it would have.
    Raises UsageError when the loss is no number; the last checkpoint stays.
    """
    told, best = _resume(learner, watch)
    for epoch in range(len(told), schedule.epochs):
        if epoch - _best_of(told) > schedule.patience:
            break
        told.append(_epoch(learner, schedule, epoch, rows, seed, watch))
        watch.step(epoch, told[epoch])
        state = learner.state()
        best = state if _best_of(told) == epoch else best
        watch.keep(_checkpoint(told, best, state))
    learner.restore(best)


def _epoch(
    learner: Learner, schedule: Schedule, epoch: int, rows: int, seed: int, watch: Watch
) -> Mapping[str, float]:
    """Go once through the training rows, and return the figures of the epoch."""
    chance = np.random.default_rng((seed, epoch))
    rate = schedule.learning_rate * (1 - epoch / schedule.epochs)
    ends = range(schedule.batch_size, rows, schedule.batch_size)
    batches = np.split(chance.permutation(rows), ends)
    learner.begin(int(chance.integers(2**31)), rate)
    total = 0.0
    for number, batch in enumerate(watch.batches(batches, epoch)):
        loss = learner.learn(batch)
        _require_number(loss, f"batch {number} of epoch {epoch}", rate)
        total += loss * len(batch)
    figures = {"train_loss": total / rows, **learner.validate(), "learning_rate": rate}
    _require_number(figures[LOSS], f"the validation rows after epoch {epoch}", rate)
    return figures


def _require_number(loss: float, where: str, rate: float) -> None:
    if not math.isfinite(loss):
        raise UsageError(
            f"params.yaml: the loss is {loss} on {where}, at a learning rate of {rate:.3g}; "
            "lower 'estimator.learning_rate', or look for extreme values in the data"
        )


def _best_of(told: _Told) -> int:
    """Return the first epoch with the least loss on the validation rows."""
    return min(range(len(told)), key=lambda epoch: told[epoch][LOSS], default=0)


def _checkpoint(told: _Told, best: Arrays, now: Arrays) -> Arrays:
    kept = {_BEST + name: it for name, it in best.items()}
    kept |= {_NOW + name: it for name, it in now.items()}
    kept |= {_TOLD: np.array([list(figures.values()) for figures in told])}
    return kept | {_NAMES: np.array(list(told[0]))}


def _resume(learner: Learner, watch: Watch) -> tuple[_Told, Arrays]:
    """Bring the learner to where a fit was broken off; return what was told till then."""
    told: _Told = []
    kept = watch.recall()
    if not kept:
        return told, learner.state()
    for figures in kept[_TOLD]:
        told.append(dict(zip(map(str, kept[_NAMES]), map(float, figures), strict=True)))
        watch.step(len(told) - 1, told[-1])
    learner.restore(_part(kept, _NOW))
    return told, _part(kept, _BEST)


def _part(kept: Arrays, prefix: str) -> Arrays:
    return {name[len(prefix) :]: it for name, it in kept.items() if name.startswith(prefix)}
