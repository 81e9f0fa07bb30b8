"""A socket that listens, or one sentence that says why there is none."""

import socket

from .errors import UsageError, WorldError

_LAST_PORT = 65535


def check_port(port: int, option: str) -> None:
    """Raise UsageError for a number that no port has; `option` is how it was said."""
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"{option}: {port} is no port; choose one from 0 (any) to {_LAST_PORT}")


def listen(host: str, port: int, option: str, backlog: int | None = None) -> socket.socket:
    """Return a socket that listens; `option` is how the port was said.

    Raises UsageError for what is no port, and WorldError where the address is not to be had.
    """
    check_port(port, option)
    try:
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=kind, backlog=backlog)
    except OSError as error:
        reason = error.strerror or error
        raise WorldError(
            f"{host}:{port}: cannot listen there ({reason}); choose another port by {option}"
        ) from None
