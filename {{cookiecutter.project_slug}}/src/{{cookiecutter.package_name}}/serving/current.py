"""The model that answers now; another takes its place at once, between two requests."""

from dataclasses import dataclass

from ..served import Served
from .rows import Rows


@dataclass(frozen=True)
class Current:
    """A loaded model and the type of its rows; made whole before anybody sees it."""

    served: Served
    rows: Rows
    headers: tuple[tuple[bytes, bytes], ...]
    """What says in each answer which model has given it."""


def of(served: Served) -> Current:
    """Make ready what requests need of a model."""
    origin = served.origin
    said = {"x-model-version": origin.version, "x-model-digest": origin.digest}
    headers = tuple((name.encode(), value.encode()) for name, value in said.items())
    return Current(served, Rows(served.interface), headers)


class Holder:
    """Holds the model that answers now."""

    def __init__(self, first: Served) -> None:
        self.now = of(first)

    def replace(self, served: Served) -> None:
        """Let another model answer from now on; requests that were taken keep the old one."""
        self.now = of(served)
