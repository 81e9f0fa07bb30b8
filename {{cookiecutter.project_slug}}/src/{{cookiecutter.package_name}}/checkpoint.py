"""What a fit in epochs keeps of itself, as arrays, and whether a learner can go on from them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[np.generic]]
"""Numbers and words by name, of which a checkpoint is made."""
Told = list[Mapping[str, float]]
"""The figures of each epoch."""

LOSS = "validation_loss"
_NOW, _BEST, _TOLD, _NAMES = "now/", "best/", "told", "names"


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
    return next(filter(None, (_of_array(it, kept[it], states[it]) for it in states)), "") or (
        _of_told(kept, epochs)
    )


def _of_array(name: str, found: npt.NDArray[np.generic], like: npt.NDArray[np.generic]) -> str:
    if (found.shape, found.dtype) != (like.shape, like.dtype):
        return f"{name} is {found.dtype}{list(found.shape)}, not {like.dtype}{list(like.shape)}"
    return "" if found.dtype.kind != "f" or np.isfinite(found).all() else f"{name} is no number"


def _of_told(kept: Arrays, epochs: int) -> str:
    told, names = (kept.get(it, np.empty(0)) for it in (_TOLD, _NAMES))
    if told.ndim != 2 or told.dtype.kind != "f" or told.shape[1:] != names.shape:
        return "it does not tell of its epochs"
    if not 1 <= len(told) <= epochs:
        return f"it tells of {len(told)} epochs, of {epochs}"
    losses = told[:, names == LOSS]
    return "" if losses.size == len(told) and np.isfinite(losses).all() else "it tells no losses"
