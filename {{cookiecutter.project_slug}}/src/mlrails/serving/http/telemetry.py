"""What the server tells of itself: lines of JSON, and figures in the words of Prometheus.

No value of a row ever gets here: logs are read by more people than data is.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic_core import to_json

from ...core.errors import causes
from ...modeling.loading import ModelOrigin

_LINES: list[bytes] | None = None
_LINES_AT_ONCE = 16
"""No more than a pipe takes whole, so that the lines of several processes stay apart."""
_LONGEST_MESSAGE, _MOST_FRAMES = 200, 20


def log(event: str, **said: object) -> None:
    """Write one line, at once and whole."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = to_json({"time": now, "event": event, **said})
    together = _LINES  # Which another thread may take away between two looks.
    if together is None:
        _put([line])
    else:
        together.append(line)


@contextmanager
def log_together() -> Iterator[None]:
    """Keep the lines of one moment, and write them at once at its end."""
    global _LINES  # noqa: PLW0603 - there is one standard error
    if _LINES is not None:
        yield
        return
    _LINES = []
    try:
        yield
    finally:
        lines, _LINES = _LINES, None
        for start in range(0, len(lines), _LINES_AT_ONCE):
            _put(lines[start : start + _LINES_AT_ONCE])


def _put(lines: Sequence[bytes]) -> None:
    with suppress(OSError):  # Nobody reads on, which must not end the server.
        os.write(sys.stderr.fileno(), b"".join(it + b"\n" for it in lines))


def log_defect(error: BaseException, **said: object) -> None:
    """Write what was raised and where, without its message, which may quote a value."""
    log("defect", **said, raised=[_told(it) for it in causes(error)])


def _told(error: BaseException) -> dict[str, object]:
    frames = [*traceback.walk_tb(error.__traceback__)][-_MOST_FRAMES:]
    places = [f"{it.f_code.co_filename}:{line} {it.f_code.co_name}" for it, line in frames]
    return {"type": type(error).__name__, "frames": places}


def take_over_logging() -> None:
    """Let what libraries log be lines of the same kind."""
    logging.basicConfig(handlers=[_Lines()], force=True)


class _Lines(logging.Handler):
    """Writes the first line of a message: asyncio's others show objects, and so their values."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, and where something was raised another."""
        first = record.getMessage().partition("\n")[0]
        log("library", name=record.name, message=first[:_LONGEST_MESSAGE])
        if record.exc_info and record.exc_info[1]:
            log_defect(record.exc_info[1], name=record.name)


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LABELS = ("version", "digest")
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096, 16384, 65536)


class Metrics:
    """The figures of one server."""

    def __init__(self, shared: Path | None = None) -> None:
        """`shared` is the folder where the figures of several processes lie, if there are some."""
        self._all, self._shared = CollectorRegistry(), shared
        if shared is not None:  # Whoever has imported the library before has settled it for one.
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self.requests = Counter(
            "requests", "Requests by path and status.", ("path", "status"), registry=self._all
        )
        self.seconds = Histogram(
            "request_seconds",
            "From the first byte to the answer.",
            ("path", "status"),
            registry=self._all,
            buckets=_SECONDS,
        )
        self.batches = Histogram(
            "batch_rows", "Rows of one call of the model.", registry=self._all, buckets=_ROWS
        )
        self.inside = Gauge(
            "requests_inside",
            "Requests worked on now.",
            registry=self._all,
            multiprocess_mode="livesum",
        )
        self.workers_ended = Counter(
            "workers_ended", "Processes that have ended and were replaced.", registry=self._all
        )
        self.swaps = Counter(
            "model_swaps", "New models by what became of them.", ("result",), registry=self._all
        )
        self.registry_problem = _registry_problem(self._all)
        self.fetchers_ended = Counter(
            "fetchers_ended", "Times that the look for a new model began anew.", registry=self._all
        )
        self._of: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._model = _Model()
        self._inside: Callable[[], float] = int

    def counts(self, inside: Callable[[], float]) -> None:
        """Ask how many requests are inside whenever somebody wants to know."""
        self._inside = inside

    def serves(self, origin: ModelOrigin) -> None:
        """Name the model that answers from now on."""
        self._model.origin = origin

    def ended(self, pid: int) -> None:
        """Count a worker that has ended; what it has counted stays in the sum."""
        self.workers_ended.inc()
        mark_dead: Any = multiprocess.mark_process_dead
        mark_dead(pid, str(self._shared))

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request; to ask for a series by its name again takes longer than to count."""
        if (path, status) not in self._of:
            names = path, str(status)
            self._of[path, status] = self.requests.labels(*names), self.seconds.labels(*names)
        counter, histogram = self._of[path, status]
        counter.inc()
        histogram.observe(seconds)

    def counts_kept(self) -> Callable[[str, int], None]:
        """Return what counts the rows that a log of requests has kept, or has not, and why."""
        kept = Counter(
            "request_log_rows",
            "Rows for the log of requests by what became of them.",
            ("result",),
            registry=self._all,
        )
        return lambda result, rows: kept.labels(result).inc(rows)

    def tick(self) -> None:
        """Let the other processes know how many requests are inside here."""
        self.inside.set(self._inside())

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        self.tick()
        found = self._all
        if self._shared is not None:
            found = CollectorRegistry()
            collect: Any = multiprocess.MultiProcessCollector
            collect(found, str(self._shared))
        told = CollectorRegistry()
        told.register(self._model)
        return generate_latest(found) + generate_latest(told)


def _registry_problem(registry: CollectorRegistry) -> Gauge:
    words = "1 while the registry cannot be followed, and the model stays."
    return Gauge("registry_problem", words, registry=registry, multiprocess_mode="livesum")


class _Model(Collector):
    """Tells which model answers: a word, and nothing to be summed over processes."""

    origin: ModelOrigin | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the model by name."""
        told = GaugeMetricFamily("model_info", "The model that answers.", None, _LABELS)
        if self.origin is not None:
            told.add_metric([self.origin.version, self.origin.digest], 1)
        yield told
