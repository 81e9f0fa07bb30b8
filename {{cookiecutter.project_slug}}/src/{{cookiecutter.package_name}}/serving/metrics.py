"""What the server counts, in the words of Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ..served import Origin

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096, 16384, 65536)


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
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
        self.inside = Gauge("requests_inside", "Requests worked on now.", registry=self._all)
        self.swaps = Counter(
            "model_swaps", "New models by what became of them.", ("result",), registry=self._all
        )
        self.scouts_ended = Counter(
            "scouts_ended", "Times that the look for a new model began anew.", registry=self._all
        )
        self._of: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._model = Gauge(
            "model_info", "The model that answers.", ("version", "digest"), registry=self._all
        )

    def serves(self, origin: Origin) -> None:
        """Name the model that answers from now on."""
        self._model.clear()
        self._model.labels(origin.version, origin.digest).set(1)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request; to ask for a series by its name again takes longer than to count."""
        if (path, status) not in self._of:
            names = path, str(status)
            self._of[path, status] = self.requests.labels(*names), self.seconds.labels(*names)
        counter, histogram = self._of[path, status]
        counter.inc()
        histogram.observe(seconds)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._all)
