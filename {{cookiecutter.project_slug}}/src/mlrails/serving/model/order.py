"""What the server asks of its fetcher, and how one is started."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """What to look for: a version's number or an alias; every so many seconds, or once with 0."""

    wanted: str
    seconds: float
    into: str
    registry: str | None = None
    serving: tuple[str, str] | None = None
    """The version and the digest that are served already."""


def started(order: Order) -> "subprocess.Popen[bytes]":
    """Return a fetcher at work; nothing heavy is imported here, so that it begins at once."""
    # Wherever we were started: the package lies in the working directory alone after `cd src`.
    places = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    fetcher = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.fetcher"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,  # Else a second line that comes with the first is lost to who reads on.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        start_new_session=True,  # A Ctrl-C is for the server, which ends the fetcher.
    )
    assert fetcher.stdin is not None
    fetcher.stdin.write(json.dumps(vars(order)).encode() + b"\n")
    fetcher.stdin.flush()
    return fetcher
