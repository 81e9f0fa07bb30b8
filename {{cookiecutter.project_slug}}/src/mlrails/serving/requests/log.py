"""What was asked and answered, on its way to the disk: no request waits for it, or fails by it.

A request leaves a line of text in a queue that is bounded in bytes; a thread writes what is there
four times a second. What has no room, or no disk, is counted and forgotten. Which requests are kept
hangs on their id alone, so all processes and all servers keep the same ones.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from ...core.errors import UsageError
from ...data import request_log
from ...data.request_log import ROWS_OF_A_LINE, Head
from ...modeling.loading import Answer, LoadedModel
from ..http import telemetry
from ..http.telemetry import Metrics
from .pieces import Pieces, Rules, prepare

_SECONDS_BETWEEN = 0.25
_SECONDS_TO_ANOTHER_TRY = 10.0
_SECONDS_TO_END = 5.0
_MOST_WAITING = 2**23
"""Bytes in the queue."""


class _Waiting(NamedTuple):
    head: bytes
    rows: int
    size: int
    lines: Iterator[tuple[int, bytes]]


class RequestLog:
    """Keeps requests of one process."""

    def __init__(self, rules: Rules, metrics: Metrics) -> None:
        self._rules, self._kept = rules, metrics.counts_kept()
        self._pieces = Pieces(rules.folder, rules.most, rules.writers)
        self._below = int(rules.share * 2**64)
        self._heads: dict[str, tuple[Head, bytes]] = {}
        self._waiting: list[_Waiting] = []
        self._held = 0
        self._lock, self._ending = threading.Lock(), threading.Event()
        self._again, self._lost, self._is_told = 0.0, 0, False
        self._thread = threading.Thread(target=self._run, name="request log", daemon=True)

    def keep(
        self,
        name: bytes,
        served: LoadedModel,
        rows: Sequence[Mapping[str, Any]],
        answer: Answer,
        size: int,
    ) -> None:
        """Keep a request that was answered, of a body of so many bytes; nothing is ever raised."""
        try:
            if not self._takes(name):
                return
            head, text = self._head(served)
            found = request_log.lines(head, name.decode(), datetime.now(UTC), rows, answer)
            if len(rows) <= ROWS_OF_A_LINE:  # More are written down by the thread.
                made = list(found)
                found, size = iter(made), sum(len(line) for _, line in made)
            self._put(_Waiting(text, len(rows), size, found))
        except Exception as error:
            telemetry.log_defect(error, of="request log")
            self._kept("failed", len(rows))

    def _takes(self, name: bytes) -> bool:
        """Tell whether a request is one of those that are kept."""
        found = hashlib.blake2b(name, digest_size=8).digest()
        return int.from_bytes(found) < self._below

    def _head(self, served: LoadedModel) -> tuple[Head, bytes]:
        origin = served.origin
        if origin.digest not in self._heads:
            names = [it.name for it in served.inputs]
            head = Head(
                origin.version,
                origin.digest,
                [it for it in names if it in self._rules.columns],
                list(served.interface.outputs),
                [it for it in names if it not in self._rules.columns],
                self._rules.share,
            )
            self._heads[origin.digest] = head, head.text()
        return self._heads[origin.digest]

    def _put(self, entry: _Waiting) -> None:
        with self._lock:
            has_room = self._held + entry.size <= _MOST_WAITING
            if has_room:
                self._waiting.append(entry)
                self._held += entry.size
        if not has_room:
            self._kept("no room", entry.rows)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, and end; a disk that hangs is not waited for."""
        self._ending.set()
        self._thread.join(_SECONDS_TO_END)

    def _run(self) -> None:
        while not self._ending.wait(_SECONDS_BETWEEN):
            self._go_on(self.write)
        self._go_on(self.write)
        self._go_on(self._pieces.close)

    def _go_on(self, act: Callable[[], None]) -> None:
        """Do something without ending by it."""
        try:
            act()
        except Exception as error:
            telemetry.log_defect(error, of="request log")

    def write(self) -> None:
        """Write what is waiting."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        try:
            for head, group in groupby(waiting, key=lambda it: it.head):
                self._write(head, group)
        finally:
            with self._lock:
                self._held -= sum(it.size for it in waiting)
        self._pieces.end_old()

    def _write(self, head: bytes, group: Iterator[_Waiting]) -> None:
        room = self._pieces.largest - len(head)
        lines: list[bytes] = []
        rows = 0
        for entry in group:
            for count, line in self._lines(entry):
                if len(line) > room:
                    self._kept("too large", count)
                    continue
                lines.append(line)
                rows += count
        if lines and time.monotonic() < self._again:
            self._lose(rows)
        elif lines:
            self._try(head, lines, rows)

    def _lines(self, entry: _Waiting) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of a request, as far as they can be written down."""
        left = entry.rows
        try:
            for count, line in entry.lines:
                left -= count
                yield count, line
        except Exception as error:
            telemetry.log_defect(error, of="request log")
            self._kept("failed", left)

    def _try(self, head: bytes, lines: Sequence[bytes], rows: int) -> None:
        try:
            self._pieces.write(head, lines)
        except (OSError, UsageError) as error:
            self._again = time.monotonic() + _SECONDS_TO_ANOTHER_TRY
            self._lose(rows)
            if not self._is_told:
                self._is_told = True
                telemetry.log("requests not kept", problem=_words(error))
            return
        self._kept("kept", rows)
        if self._is_told:
            telemetry.log("requests kept again", rows_lost=self._lost)
            self._is_told, self._lost = False, 0

    def _lose(self, rows: int) -> None:
        self._lost += rows
        self._kept("no disk", rows)


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


@contextmanager
def keeping(rules: Rules | None, metrics: Metrics) -> Iterator[RequestLog | None]:
    """Yield what keeps requests while a server runs, or None where nobody wants it."""
    if rules is None:
        yield None
        return
    prepare(rules.folder)
    log = RequestLog(rules, metrics)
    log.start()
    try:
        yield log
    finally:
        log.close()
