"""A request whose body is whole, and what goes back."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

_LARGE = 2**16
"""Bytes that a connection takes without waiting for its caller."""
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Reply(NamedTuple):
    """What goes back: JSON unless the headers say otherwise."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200
    kind: bytes = b"application/json"
    rows: int = 0


class WholeRequest(NamedTuple):
    """A request whose body is whole."""

    method: str
    headers: Mapping[bytes, bytes]
    body: bytes
    below: str = ""
    """The path that a proxy has put above ours."""


async def send_reply(reply: Reply, send: Send, given: list[tuple[bytes, bytes]]) -> None:
    """Send a reply, with the headers that every answer is given."""
    length = (b"content-length", str(len(reply.body)).encode())
    headers = [(b"content-type", reply.kind), length, *given, *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    large = len(reply.body) > _LARGE
    await send({"type": "http.response.body", "body": reply.body, "more_body": large})
    if large:  # A second part waits until the caller has read most of the first.
        await send({"type": "http.response.body"})
