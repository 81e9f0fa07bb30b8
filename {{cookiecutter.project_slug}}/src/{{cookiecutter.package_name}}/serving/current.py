"""The model that answers now; another takes its place at once, between two requests."""

import asyncio
import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..served import Origin, Served, load
from .metrics import Metrics
from .rows import Rows

Found = dict[str, Any]
"""A model as the scout tells of it: its folder, its origin, and its answer to its example."""


@dataclass(frozen=True)
class Current:
    """A loaded model and the type of its rows; made whole before anybody sees it."""

    served: Served
    rows: Rows
    headers: tuple[tuple[bytes, bytes], ...]
    """What says in each answer which model has given it."""
    lines: bytes
    """The same, as a head has it."""


def of(served: Served) -> Current:
    """Make ready what requests need of a model."""
    origin = served.origin
    said = {"x-model-version": origin.version, "x-model-digest": origin.digest}
    headers = tuple((name.encode(), value.encode()) for name, value in said.items())
    lines = b"".join(b"%b: %b\r\n" % it for it in headers)
    return Current(served, Rows(served.interface), headers, lines)


class Holder:
    """Holds the model that answers now."""

    def __init__(self, first: Served) -> None:
        self.now = of(first)

    @property
    def origin(self) -> Origin:
        """Say which model answers."""
        return self.now.served.origin

    def replace(self, served: Served) -> None:
        """Let another model answer from now on; requests that were taken keep the old one."""
        self.now = of(served)

    def put(self, served: Served, metrics: Metrics) -> None:
        """Do the same, and tell it."""
        self.replace(served)
        gc.freeze()
        metrics.serves(served.origin)

    async def take(self, found: Found) -> None:
        """Load what the scout has found, and let it answer; raises WorldError where it cannot."""
        self.replace(await asyncio.to_thread(loaded, found))
        gc.freeze()


def loaded(found: Found) -> Served:
    """Load what the scout has found; raises WorldError where that is no good model."""
    return load(Path(found["folder"]), Origin(**found["origin"]), found.get("expected"))
