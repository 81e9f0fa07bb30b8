"""python -m PACKAGE.serving.health [[HOST] PORT]: asks a server whether it is well.

By default that is the first process of the container, whose words say where it listens. No proxy is
asked on the way, whatever the environment says.
"""

import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

_FIRST = Path("/proc/1/cmdline")
_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, not by us
_SECONDS = 5


def place(words: list[str], first: Path) -> tuple[str, int]:
    """Return the host and the port to ask, of our words or else of the first process' `serve`."""
    *host, port = words or _said_to(first) or ["8080"]
    name = host[0] if host else "127.0.0.1"
    return _ALL.get(name, name), int(port)


def _said_to(first: Path) -> list[str]:
    try:
        told = first.read_text("utf-8")
    except OSError:
        return []
    return told.partition("\0serve\0")[2].split("\0")[:-1]


def main() -> None:
    """End with 0 when it is."""
    host, port = place(sys.argv[1:], _FIRST)
    asked = HTTPConnection(host, port, timeout=_SECONDS)
    try:
        asked.request("GET", "/ping")
        status = asked.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"the server does not answer: {error}")
    if status != 200:
        sys.exit(f"the server answers {status}")


if __name__ == "__main__":
    main()
