"""A fit as its run, its user and its checkpoint see it.

A checkpoint lies where neither git nor DVC looks, and is named by what is trained from what, so a
fit of other params or other rows cannot go on from it.
"""

import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from .console import say, track, warn
from .errors import WorldError
from .fitting import Arrays, Indices, Watch
from .live import Log

FOLDER = "checkpoints"
_DIGITS = 9
_KEY = "key"


class Watcher(Watch):
    """Tells the run, keeps the history of the fit, shows a bar, and writes checkpoints."""

    def __init__(self, log: Log, scratch: Path, key: str) -> None:
        self.history: dict[str, dict[int, float]] = defaultdict(dict)
        self._log = log
        self._key = key
        self._path = scratch / FOLDER / f"{key[:16]}.npz"

    def step(self, number: int, figures: Mapping[str, float]) -> None:
        """Write the figures down, and tell the run of them."""
        rounded = {name: round(value, _DIGITS) for name, value in figures.items()}
        for name, value in rounded.items():
            self.history[name][number] = value
        self._log.metrics(number, rounded)

    def batches(self, batches: Sequence[Indices], epoch: int) -> Iterator[Indices]:
        """Show a bar where somebody looks, and tell the run how long the epoch took.

        That is the machine's, and not the inputs', so it does not go into the history.
        """
        started = time.perf_counter()
        yield from track(batches, f"epoch {epoch}", len(batches))
        self._log.metrics(epoch, {"epoch_seconds": time.perf_counter() - started})

    def recall(self) -> Arrays:
        """Return the checkpoint of this fit; those of others are named and left alone.

        Raises WorldError for one that is not whole, or bears the name of another fit.
        """
        for path in sorted(self._path.parent.glob("*.npz")):
            if path != self._path:
                warn(f"{path}: of other params, rows or code, so this fit does not go on from it")
        if not self._path.exists():
            return {}
        try:
            with np.load(self._path, allow_pickle=False) as file:
                kept = dict(file)
        except (ValueError, EOFError, zipfile.BadZipFile):
            raise WorldError(f"{self._path}: not a whole checkpoint; {_REMEDY}") from None
        if str(kept.pop(_KEY, "")) != self._key:
            raise WorldError(f"{self._path}: of other params, rows or code; {_REMEDY}")
        say(f"train: going on from {self._path}")
        return kept

    def keep(self, checkpoint: Arrays) -> None:
        """Write a checkpoint whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, **{_KEY: np.array(self._key)}, **checkpoint)  # type: ignore[arg-type]
        partial.replace(self._path)

    def done(self) -> None:
        """Forget the checkpoint: the model is written."""
        self._path.unlink(missing_ok=True)


_REMEDY = "delete it, and the fit begins anew"
