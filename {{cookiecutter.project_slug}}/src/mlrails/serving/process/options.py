"""How to serve: what callers must send, below which path they see us, on how many cores, how we go.

A container says it by `SERVING_TOKEN`, `SERVING_ROOT_PATH`, `SERVING_DRAIN` and `SERVING_WORKERS`;
and what it keeps of requests by `SERVING_REQUESTS`, and that with `_SHARE` and `_MIB`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ...core.errors import UsageError
from ...core.settings import serving_token
from ..http import prefix
from ..requests.pieces import Rules

_MOST_SECONDS, _MOST_WORKERS, _MOST_MIB = 3600, 256, 2**24
_WORKERS_OF_A_MIB = 4
"""As many share a mebibyte of requests at the most, or a file would hold next to nothing."""

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Manner:
    """What an operator may choose."""

    token: str | None = None
    root_path: str = ""
    drain: float = 1.0
    """Seconds between SIGTERM and the end, in which callers are let go."""
    workers: int = 1
    notice: str = ""
    """The file that says what callers should know of the registry, if there is one."""
    written: Mapping[str, Any] = field(default_factory=dict)
    """How the project's source is written, in the words of `sources.read`: a CSV may be so too."""
    requests: str = ""
    """The folder where requests and answers are kept; by default none is."""
    requests_share: float = 1.0
    requests_mib: int = 1024
    """What the folder holds at the most, of all workers."""
    requests_columns: Sequence[str] | None = None
    """The columns that may be kept; None where nobody says it."""

    def __post_init__(self) -> None:
        """Raise UsageError for a choice that there is not."""
        prefix.check(self.root_path)
        _within("drain", self.drain, 0, _MOST_SECONDS)
        _within("workers", self.workers, 1, _MOST_WORKERS)
        _within("requests-share", self.requests_share, 0, 1)
        least = -(-self.workers // _WORKERS_OF_A_MIB)
        _within("requests-mib", self.requests_mib, least, _MOST_MIB)

    @property
    def rules(self) -> Rules | None:
        """What is kept of requests, if anything; raises UsageError where nobody says what may be.

        A path of the folder is relative to where the server was started.
        """
        if not self.requests:
            return None
        if self.requests_columns is None:
            raise UsageError(
                f"{self.requests}: nothing says which columns of requests may be kept; make the "
                "image anew, or keep none"
            )
        return Rules(
            Path(self.requests),
            frozenset(self.requests_columns),
            self.requests_share,
            self.requests_mib * 2**20,
            self.workers,
        )


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UsageError(f"--{name} {value:g}: choose one from {least:g} to {most:g}")


def from_environment(environment: Mapping[str, str]) -> Manner:
    """Return what the variables say; raises UsageError where one means nothing."""
    return Manner(
        serving_token(environment),
        environment.get("SERVING_ROOT_PATH", "").rstrip("/"),
        _number(environment, "SERVING_DRAIN", Manner.drain),
        _number(environment, "SERVING_WORKERS", Manner.workers),
        requests=environment.get("SERVING_REQUESTS", ""),
        requests_share=_number(environment, "SERVING_REQUESTS_SHARE", Manner.requests_share),
        requests_mib=_number(environment, "SERVING_REQUESTS_MIB", Manner.requests_mib),
    )


def chosen(environment: Mapping[str, str], **choices: Any) -> Manner:
    """Return the same with the choices of a command line, None where it makes none."""
    made = {name: value for name, value in choices.items() if value is not None}
    if "root_path" in made:
        made["root_path"] = made["root_path"].rstrip("/")
    return replace(from_environment(environment), **made)


def _number(environment: Mapping[str, str], name: str, default: Number) -> Number:
    try:
        return type(default)(environment.get(name) or default)
    except ValueError:
        raise UsageError(f"{name}: is no number; set it to one, as {default:g}") from None
