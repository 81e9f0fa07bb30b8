"""The processes that fit trials: as many as are wanted, each with its share of the cores.

What a process was busy with when the system killed it is done once more by another one. A process
that does not stop a fit that was given up is ended.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from ..core import processes
from ..core.errors import UsageError, WorldError
from .trial import Bounds, State, Trial

_SECONDS_TO_STOP = 3.0
"""For a fit that was given up; in as many another process is there."""
_TRIES = 2
"""Of a trial whose process has ended before it."""
_SHARED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says how many threads numeric libraries use."""
_COMMAND = (sys.executable, "-m", f"{__name__.rpartition('.')[0]}.worker")

Told = Mapping[str, Any]


@dataclass(eq=False)
class _Worker:
    """A process, and what is known of it."""

    process: "subprocess.Popen[str]"
    log: Path
    begun: bool = False
    """Whether it has ever been ready."""
    ready: bool = False
    trial: Trial | None = None
    bounds: Bounds | None = None
    stop_at: float | None = None
    """When it is ended, unless it is ready by then."""


class Pool:
    """So many processes that fit trials of a project; each is begun when it is first needed."""

    def __init__(
        self, root: Path, folder: Path, count: int, cores: int, command: Sequence[str] = _COMMAND
    ) -> None:
        self._root, self._folder, self._count, self._command = root, folder, count, command
        threads = dict.fromkeys(_SHARED, str(max(cores // count, 1)))
        self._environment = processes.same_code() | threads
        self._workers: list[_Worker] = []
        self._told: Queue[tuple[_Worker, Told | None]] = Queue()
        self._waiting: list[tuple[Trial, Bounds | None]] = []
        self._lost: dict[int, int] = {}
        """How often the process of a trial has ended before it."""

    @property
    def running(self) -> int:
        """How many trials have been given and are not done."""
        return len(self._waiting) + sum(it.trial is not None for it in self._workers)

    @property
    def free(self) -> bool:
        """Whether one more trial would begin at once."""
        return self.running < self._count

    def give(self, trial: Trial, bounds: Bounds | None) -> None:
        """Have a trial fitted."""
        self._waiting.append((trial, bounds))
        self._hand_out()

    def wait(self) -> Trial:
        """Return the next trial that is done.

        Raises UsageError or WorldError where a process cannot begin its work.
        """
        while True:
            worker, told = self._next()
            done = self._of_lost(worker) if told is None else self._of_told(worker, told)
            self._hand_out()
            if done is not None:
                return done

    def close(self) -> None:
        """End all processes, whatever they do."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait()
        self._workers.clear()

    def _next(self) -> tuple[_Worker, Told | None]:
        """Return what is told next, and by whom; None by one that has ended."""
        while True:
            late = [it for it in self._workers if it.stop_at is not None]
            first = min((it.stop_at or 0.0 for it in late), default=None)
            wait = None if first is None else max(first - time.monotonic(), 0)
            try:
                return self._told.get(timeout=wait)
            except Empty:
                for worker in late:
                    if worker.stop_at == first:
                        worker.stop_at = None
                        worker.process.kill()

    def _of_told(self, worker: _Worker, told: Told) -> Trial | None:
        if "error" in told:
            raise (UsageError if told["usage"] else WorldError)(told["error"])
        if "ready" in told:
            worker.begun, worker.ready, worker.stop_at = True, True, None
            return None
        if worker.trial is None:
            return None
        outcome = {name: told[name] for name in ("value", "losses", "why", "seconds")}
        done = replace(worker.trial, state=State(told["state"]), **outcome)
        worker.trial = None
        if done.state is State.PRUNED:
            worker.stop_at = time.monotonic() + _SECONDS_TO_STOP
        return done

    def _of_lost(self, worker: _Worker) -> Trial | None:
        """Take an ended process off; return its trial where that is not tried once more."""
        self._workers.remove(worker)
        code, trial = worker.process.wait(), worker.trial
        if not worker.begun:
            raise WorldError(f"a process of the search cannot begin; {worker.log} tells why")
        if trial is None:
            return None
        self._lost[trial.number] = self._lost.get(trial.number, 0) + 1
        if self._lost[trial.number] < _TRIES:
            self._waiting.insert(0, (trial, worker.bounds))
            return None
        why = "its process was killed: out of memory?" if code < 0 else f"its process ended: {code}"
        return replace(trial, state=State.FAILED, why=f"{why}; {worker.log} may tell more")

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.ready and self._waiting:
                self._ask(worker, *self._waiting.pop(0))
        coming = sum(not it.ready and it.trial is None for it in self._workers)
        room = self._count - sum(it.trial is not None for it in self._workers) - coming
        for _ in range(min(len(self._waiting) - coming, room)):
            self._begin()

    def _ask(self, worker: _Worker, trial: Trial, bounds: Bounds | None) -> None:
        worker.ready, worker.trial, worker.bounds = False, trial, bounds
        within = asdict(bounds) if bounds else None
        asked = {"number": trial.number, "values": dict(trial.values), "bounds": within}
        try:
            assert worker.process.stdin is not None
            worker.process.stdin.write(json.dumps(asked) + "\n")
            worker.process.stdin.flush()
        except OSError:  # It has ended just now, which is told of in a moment.
            pass

    def _begin(self) -> None:
        taken = {it.log for it in self._workers}
        logs = (self._folder / f"process-{number}.log" for number in range(self._count + 1))
        log = next(it for it in logs if it not in taken)
        pipe = subprocess.PIPE
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                self._command,
                cwd=self._root,
                env=self._environment,
                stdin=pipe,
                stdout=pipe,
                stderr=errors,
                text=True,
                encoding="utf-8",
            )
        worker = _Worker(process, log)
        self._workers.append(worker)
        Thread(target=self._listen, args=(worker,), daemon=True).start()

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        for line in worker.process.stdout:
            self._told.put((worker, json.loads(line)))
        self._told.put((worker, None))
