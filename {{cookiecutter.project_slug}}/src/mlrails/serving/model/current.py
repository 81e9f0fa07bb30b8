"""The model that answers now; another takes its place at once, between two requests."""

import asyncio
import gc
from dataclasses import dataclass
from pathlib import Path

from ...data.reading import Reading
from ...modeling import checked_copy
from ...modeling.loading import LoadedModel, ModelOrigin, load, load_copy
from ..http.rows import RowSchema
from ..http.telemetry import Metrics
from .events import FoundModel

NOTICE = "notice.txt"
"""Lies beside the models' folders, where all processes see it."""


@dataclass(frozen=True)
class Current:
    """A loaded model and the type of its rows; made whole before anybody sees it."""

    served: LoadedModel
    rows: RowSchema
    headers: tuple[tuple[bytes, bytes], ...]
    """What says in each answer which model has given it."""
    lines: bytes
    """The same, as a head has it."""
    notice: Path | None = None
    """The file that says so while something is wrong with where models come from."""
    how: Reading | None = None
    """How the project's source is written, and so may be a CSV that is sent."""

    def noticed(self) -> str:
        """Return what callers should know of the registry, empty where all is well."""
        try:
            return self.notice.read_text("utf-8") if self.notice else ""
        except OSError:
            return ""


def prepared(
    served: LoadedModel, notice: Path | None = None, how: Reading | None = None
) -> Current:
    """Make ready what requests need of a model."""
    origin = served.origin
    said = {"x-model-version": origin.version, "x-model-digest": origin.digest}
    headers = tuple((name.encode(), value.encode()) for name, value in said.items())
    lines = b"".join(b"%b: %b\r\n" % it for it in headers)
    return Current(served, RowSchema(served.interface), headers, lines, notice, how)


class Holder:
    """Holds the model that answers now."""

    def __init__(
        self, first: LoadedModel, notice: Path | None = None, how: Reading | None = None
    ) -> None:
        self._notice, self._how = notice, how
        self.now = prepared(first, notice, how)

    @property
    def origin(self) -> ModelOrigin:
        """Say which model answers."""
        return self.now.served.origin

    def replace(self, served: LoadedModel) -> None:
        """Let another model answer from now on; requests that were taken keep the old one."""
        self.now = prepared(served, self._notice, self._how)

    def put(self, served: LoadedModel, metrics: Metrics) -> None:
        """Do the same, and tell it."""
        self.replace(served)
        gc.freeze()
        metrics.serves(served.origin)

    async def take(self, found: FoundModel) -> None:
        """Load what the fetcher has found, and let it answer; raises WorldError where it cannot."""
        self.replace(await asyncio.to_thread(load_found, found))
        gc.freeze()


def load_found(found: FoundModel) -> LoadedModel:
    """Load what was found; raises WorldError where that is no good model."""
    folder, origin = Path(found["folder"]), ModelOrigin(**found["origin"])
    if found.get("private"):
        copy = checked_copy.again(folder, origin.digest)
        return load_copy(copy, origin, found.get("expected"))
    return load(folder, origin)
