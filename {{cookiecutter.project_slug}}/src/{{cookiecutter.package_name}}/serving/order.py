"""What the server asks of its scout."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """What to look for: a version's number or an alias; every so many seconds, or once with 0."""

    wanted: str
    seconds: float
    into: str
    registry: str | None = None
    serving: tuple[str, str] | None = None
    """The version and the digest that are served already."""
