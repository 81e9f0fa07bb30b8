"""A fit as its run, its user and its checkpoint see it.

A checkpoint lies where neither git nor DVC looks, with the project also where a copy of it trains.
It is named by what is trained from what, and sealed: a fit goes on from what it has written itself
and from nothing else.
"""

import hashlib
import io
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..core import files
from ..core.console import say, track
from ..core.errors import WorldError
from ..core.settings import Settings
from ..modeling.epochs import Arrays, Indices, Watch

_DIGITS = 9
_SUFFIX = ".checkpoint"
_OTHERS = 3
"""So many checkpoints of other fits are kept: somebody may go back to their params."""


LogMetrics = Callable[[Mapping[str, float], int], None]
"""Takes the figures of a step, and its number."""


class Watcher(Watch):
    """Logs metrics, keeps the history of the fit, shows a bar, and writes checkpoints."""

    def __init__(self, log_metrics: LogMetrics, settings: Settings, key: str) -> None:
        self.history: dict[str, dict[int, float]] = defaultdict(dict)
        self._log_metrics = log_metrics
        self._key = key
        self._path = settings.checkpoints / f"{key[:16]}{_SUFFIX}"
        # One stage at a time works in a folder, so the next one writes over what a kill has left;
        # not beside its place, which copies of the project share.
        self._partial = settings.scratch / "checkpoint.partial"

    def step(self, number: int, figures: Mapping[str, float]) -> None:
        """Write the figures down, and tell the run of them."""
        rounded = {name: round(value, _DIGITS) for name, value in figures.items()}
        for name, value in rounded.items():
            self.history[name][number] = value
        self._log_metrics(rounded, number)

    def batches(self, batches: Sequence[Indices], epoch: int) -> Iterator[Indices]:
        """Show a bar where somebody looks, and tell the run how long the epoch took.

        That is the machine's, and not the inputs', so it does not go into the history.
        """
        started = time.perf_counter()
        yield from track(batches, f"epoch {epoch}", len(batches))
        self._log_metrics({"epoch_seconds": time.perf_counter() - started}, epoch)

    def recall(self) -> Arrays:
        """Return the checkpoint of this fit, or nothing.

        Raises WorldError for one that is not what this fit has written.
        """
        other = self._others()
        try:
            written = self._path.read_bytes()
        except FileNotFoundError:
            if other:
                say(f"train: beginning anew; {other[0]} is of other params, rows, code or machine")
            return {}
        arrays = written[hashlib.sha256().digest_size :]
        if written != self._sealed(arrays):
            raise self.refusal("not what a fit of these params, rows and code has written")
        say(f"train: going on from {self._path}")
        with np.load(io.BytesIO(arrays), allow_pickle=False) as file:
            return dict(file)

    def _others(self) -> list[Path]:
        """Return the checkpoints of other fits, the newest first; old ones are removed.

        So are files of earlier versions of this module, which nothing reads.
        """
        folder = self._path.parent
        found: list[Path] = []
        with suppress(FileNotFoundError):  # Another fit was faster.
            every = set(folder.glob(f"*{_SUFFIX}")) - {self._path}
            found = sorted(every, key=lambda path: path.stat().st_mtime_ns, reverse=True)
            for path in [*found[_OTHERS:], *folder.glob("*.npz"), *folder.glob("*.partial")]:
                path.unlink()
        return found[:_OTHERS]

    def refusal(self, why: str) -> WorldError:
        """Return the error for a checkpoint of this fit that does not fit."""
        return WorldError(f"{self._path}: {why}; delete it, and the fit begins anew")

    def keep(self, checkpoint: Arrays) -> None:
        """Write a checkpoint whole or not at all."""
        arrays = io.BytesIO()
        np.savez(arrays, **checkpoint)  # type: ignore[arg-type]
        self._partial.write_bytes(self._sealed(arrays.getvalue()))
        self._path.parent.mkdir(exist_ok=True)
        files.replace_file(self._partial, self._path)

    def _sealed(self, arrays: bytes) -> bytes:
        """Return the bytes of a file: a digest of the fit's key and of the arrays, and these."""
        return hashlib.sha256(self._key.encode() + arrays).digest() + arrays

    def write(self, path: Path) -> int:
        """Write the history of the fit, and return how many steps it had."""
        files.write_text(json.dumps(self.history, indent=1) + "\n", path)
        return max(map(len, self.history.values()), default=0)

    def done(self) -> None:
        """Forget the checkpoint: the model is written."""
        self._path.unlink(missing_ok=True)
