"""Fits that learn in epochs: the loop, who looks on, and the checkpoint that they go on from.

A checkpoint is plain arrays, held against the learner's own state before it is believed. An
estimator that learns otherwise, as trees do, leaves the loop and tells its `Watch` of each step.
Whoever looks on may raise: then the fit ends.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from importlib import import_module
from itertools import islice
from typing import Any, NamedTuple, Protocol, Self, SupportsFloat

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ..core.errors import UsageError, WorldError

Arrays = Mapping[str, npt.NDArray[np.generic]]
"""Numbers and words by name, of which a checkpoint is made."""
Told = list[Mapping[str, float]]
"""The figures of each epoch."""
Indices = npt.NDArray[np.int64]

LOSS = "validation_loss"
_SECONDS_BETWEEN_LOOKS = 0.2
_NOW, _BEST, _TOLD, _NAMES = "now/", "best/", "told", "names"


class Watch:
    """Whoever looks on while a fit goes on; this one says nothing and keeps nothing."""

    def step(self, number: int, figures: Mapping[str, float]) -> None:
        """Take the figures of an iteration or epoch."""

    def batches(self, batches: Sequence[Indices], epoch: int) -> Iterable[Indices]:
        """Pass on the batches of an epoch; one more is asked for when all of them are learnt."""
        return batches

    def recall(self) -> Arrays:
        """Return the checkpoint of a fit of the same inputs that was broken off, or nothing."""
        return {}

    def refusal(self, why: str) -> WorldError:
        """Return the error for a recalled checkpoint that does not fit."""
        return WorldError(f"the checkpoint does not fit: {why}")

    def keep(self, checkpoint: Arrays) -> None:
        """Keep a checkpoint in the place of the one before."""


class Schedule(NamedTuple):
    """How long a fit goes on, in which strides; the rate falls in a straight line to 0."""

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float

    @classmethod
    def of(cls, hyperparameters: BaseModel) -> Self:
        """Take it from among hyperparameters of these names."""
        return cls(**hyperparameters.model_dump(include=set(cls._fields)))


class Learner(Protocol):
    """What learns from a batch at a time."""

    def begin(self, seed: int, learning_rate: float) -> None:
        """Begin an epoch, in which all that is drawn by chance comes from the seed."""

    def learn(self, rows: Indices) -> SupportsFloat:
        """Learn from some training rows, and return their mean loss, which nobody waits for."""

    def validate(self) -> Mapping[str, float]:
        """Return the figures on the validation rows, `validation_loss` among them."""

    def state(self) -> Arrays:
        """Return all that is needed to go on from here, as copies.

        Names, shapes and types are the same at any time, before the first batch too.
        """

    def restore(self, state: Arrays) -> None:
        """Go back to a state, which fits."""


class OfTorch:
    """A state of PyTorch's: a network, its optimiser, and tensors that are learnt beside it."""

    def __init__(self, network: Any, optimiser: Any, learnt: Sequence[Any]) -> None:
        self._network, self._optimiser, self._learnt = network, optimiser, learnt

    def state(self) -> Arrays:
        """Return copies of all, as `Learner` asks."""
        return {name: it.cpu().numpy().copy() for name, it in self._tensors().items()}

    def restore(self, state: Arrays) -> None:
        """Go back to a state."""
        torch: Any = import_module("torch")
        for name, tensor in self._tensors().items():
            tensor.copy_(torch.from_numpy(np.array(state[name])))

    def _tensors(self) -> dict[str, Any]:
        torch: Any = import_module("torch")
        found = dict(self._network.state_dict())
        found |= {f"learnt/{place}": row for place, row in enumerate(self._learnt)}
        for place, weight in enumerate(self._network.parameters()):
            moments = self._optimiser.state[weight]
            if not moments:  # AdamW has not begun.
                moments["step"] = torch.zeros(())
                moments |= {it: torch.zeros_like(weight) for it in ("exp_avg", "exp_avg_sq")}
            found |= {f"{place}/{name}": it for name, it in moments.items()}
        return found


class OfKeras:
    """A state of Keras': the variables of a network, of its optimiser, and those beside it."""

    def __init__(self, variables: Sequence[Any]) -> None:
        self._variables = variables

    def state(self) -> Arrays:
        """Return copies of all, as `Learner` asks."""
        return {str(place): it.numpy().copy() for place, it in enumerate(self._variables)}

    def restore(self, state: Arrays) -> None:
        """Go back to a state."""
        for place, variable in enumerate(self._variables):
            variable.assign(state[str(place)])


def watched(
    fit: Callable[[], object], look: Callable[[int], int], stop: Callable[[], object]
) -> None:
    """Run a fit that tells nothing itself, and look at it every now and then, and at its end.

    `look` is given what it has returned before, at first 0. Where it raises, as whoever is told of
    the steps may, the fit is asked to stop, since a thread of its own cannot be made to.
    """
    with ThreadPoolExecutor(1) as background:
        fitting, looked = background.submit(fit), 0
        try:
            while wait([fitting], _SECONDS_BETWEEN_LOOKS).not_done:
                looked = look(looked)
        except BaseException:
            stop()
            raise
        fitting.result()
    look(looked)


def in_epochs(learner: Learner, schedule: Schedule, rows: int, seed: int, watch: Watch) -> None:
    """Let a learner go through its training rows until it gains no more; leave it at its best.

    A fit that was broken off goes on after its last whole epoch, and ends as it would have.
    Raises UsageError when the loss is no number, after which the last checkpoint stays, and
    WorldError for a checkpoint that does not fit.
    """
    told, best = _resume(learner, schedule.epochs, watch)
    for epoch in range(len(told), schedule.epochs):
        if epoch - _best_of(told) > schedule.patience:
            break
        told.append(_epoch(learner, schedule, epoch, rows, seed, watch))
        watch.step(epoch, told[epoch])
        state = learner.state()
        best = state if _best_of(told) == epoch else best
        watch.keep(pack(told, best, state))
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
    handed = iter(watch.batches(batches, epoch))
    # To look at each loss at once would let a GPU wait for this process after every batch. When all
    # are there it is done: then whoever hands on the batches is told of their end, for the time.
    losses = [float(it) for it in [learner.learn(it) for it in islice(handed, len(batches))]]
    next(handed, None)
    for number, loss in enumerate(losses):
        _require_number(loss, f"batch {number} of epoch {epoch}", rate)
    total = sum(loss * len(batch) for loss, batch in zip(losses, batches, strict=True))
    figures = {"train_loss": total / rows, **learner.validate(), "learning_rate": rate}
    _require_number(figures[LOSS], f"the validation rows after epoch {epoch}", rate)
    return figures


def _require_number(loss: float, where: str, rate: float) -> None:
    if not math.isfinite(loss):
        raise UsageError(
            f"params.yaml: the loss is {loss} on {where}, at a learning rate of {rate:.3g}; "
            "lower 'estimator.learning_rate', or look for extreme values in the data"
        )


def _best_of(told: Told) -> int:
    """Return the first epoch with the least loss on the validation rows."""
    return min(range(len(told)), key=lambda epoch: told[epoch][LOSS], default=0)


def _resume(learner: Learner, epochs: int, watch: Watch) -> tuple[Told, Arrays]:
    """Bring the learner to where a fit was broken off; return what was told, and its best state."""
    kept, fresh = watch.recall(), learner.state()
    if not kept:
        return [], fresh
    if why := misfit(kept, fresh, epochs):
        raise watch.refusal(why)
    told, best, now = unpack(kept)
    for epoch, figures in enumerate(told):
        watch.step(epoch, figures)
    learner.restore(now)
    return told, best


def pack(told: Sequence[Mapping[str, float]], best: Arrays, now: Arrays) -> Arrays:
    """Return the checkpoint of a fit: what it told, its state at its best, and its last one."""
    kept = {_BEST + name: it for name, it in best.items()}
    kept |= {_NOW + name: it for name, it in now.items()}
    kept |= {_TOLD: np.array([list(figures.values()) for figures in told])}
    return kept | {_NAMES: np.array(list(told[0]))}


def unpack(kept: Arrays) -> tuple[Told, Arrays, Arrays]:
    """Return what was packed; whether it fits was asked before."""
    names = [str(it) for it in kept[_NAMES]]
    told: Told = [dict(zip(names, map(float, row), strict=True)) for row in kept[_TOLD]]
    return told, _part(kept, _BEST), _part(kept, _NOW)


def _part(kept: Arrays, prefix: str) -> Arrays:
    return {name[len(prefix) :]: it for name, it in kept.items() if name.startswith(prefix)}


def misfit(kept: Arrays, like: Arrays, epochs: int) -> str:
    """Return in words why a fit of so many epochs cannot go on from here; nothing where it can.

    `like` is any state of the learner: both of the states that are kept have its names, shapes
    and types.
    """
    states = {prefix + name: it for prefix in (_BEST, _NOW) for name, it in like.items()}
    odd = sorted(states.keys() ^ (kept.keys() - {_TOLD, _NAMES}))
    if odd:
        return f"{odd[0]} is {'missing' if odd[0] in states else 'unknown'}"
    return next(
        filter(None, (_misfit_of_array(it, kept[it], states[it]) for it in states)), ""
    ) or (_misfit_of_told(kept, epochs))


def _misfit_of_array(
    name: str, found: npt.NDArray[np.generic], like: npt.NDArray[np.generic]
) -> str:
    if (found.shape, found.dtype) != (like.shape, like.dtype):
        return f"{name} is {found.dtype}{list(found.shape)}, not {like.dtype}{list(like.shape)}"
    return "" if found.dtype.kind != "f" or np.isfinite(found).all() else f"{name} is no number"


def _misfit_of_told(kept: Arrays, epochs: int) -> str:
    told, names = (kept.get(it, np.empty(0)) for it in (_TOLD, _NAMES))
    if told.ndim != 2 or told.dtype.kind != "f" or told.shape[1:] != names.shape:
        return "it does not tell of its epochs"
    if not 1 <= len(told) <= epochs:
        return f"it tells of {len(told)} epochs, of {epochs}"
    losses = told[:, names == LOSS]
    return "" if losses.size == len(told) and np.isfinite(losses).all() else "it tells no losses"
