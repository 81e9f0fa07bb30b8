"""What one caller may ask of the server, and what all of them together may."""

import asyncio
import hmac
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .messages import RefusedError, overloaded

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_CLOSE = {"Connection": "close"}
"""What is still on its way of a refused body is not waited for."""


@dataclass(frozen=True)
class Limits:
    """Bounds of sizes in bytes, of times in seconds, and of requests at once."""

    body: int = 8 * 2**20
    bodies: int = 64 * 2**20
    requests: int = 2048
    body_seconds: float = 10
    answer_seconds: float = 30
    unread_seconds: float = 10


class CallerGoneError(Exception):
    """The caller went away before the body was whole."""


@dataclass
class Visit:
    """One request inside, and the bytes that are held for it: its body, and then its answer."""

    size: int = 0


class Doorkeeper:
    """Counts what is inside, and lets in no more than the limits allow."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.inside = 0
        self.closing = False
        self.held: asyncio.Event | None = None
        self._held = 0

    def hold(self) -> None:
        """Begin nothing more until `release`: another model is about to answer."""
        if self.held is None:
            self.held = asyncio.Event()

    def release(self) -> None:
        """Begin what has come meanwhile, and what comes."""
        if self.held is not None:
            self.held.set()
            self.held = None

    @contextmanager
    def admitted(self) -> Iterator[Visit]:
        """Count a request while it is worked on; raises RefusedError where there are enough."""
        if self.inside >= self.limits.requests:
            raise overloaded("too many requests at once; try again in a second")
        visit = self.enter(0)
        try:
            yield visit
        finally:
            self.leave(visit)

    def has_room(self, size: int) -> bool:
        """Tell whether one more request of so many bytes may be let in."""
        limits = self.limits
        return self.inside < limits.requests and self._held + size <= limits.bodies

    def enter(self, size: int) -> Visit:
        """Count a request of so many bytes until `leave`."""
        self.inside += 1
        self._held += size
        return Visit(size)

    def leave(self, visit: Visit) -> None:
        """Count a request no more."""
        self.inside -= 1
        self._held -= visit.size

    async def body(self, visit: Visit, receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
        """Return the whole body; raises RefusedError for one too long, too slow or one too many."""
        self._fits(_declared(headers))
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise CallerGoneError
                    part, more = message.get("body", b""), message.get("more_body", False)
                    parts.append(part)
                    self.holds(visit, visit.size + len(part))
                    self._fits(visit.size)
            return parts[0] if len(parts) == 1 else b"".join(parts)
        except TimeoutError:
            seconds = self.limits.body_seconds
            raise RefusedError(
                408, f"the body took longer than {seconds:g} s", headers=_CLOSE
            ) from None

    def holds(self, visit: Visit, size: int) -> None:
        """Count so many bytes for a request from now on."""
        self._held += size - visit.size
        visit.size = size

    def _fits(self, size: int) -> None:
        if size > self.limits.body:
            most = self.limits.body // 2**20
            raise RefusedError(
                413, f"the body is larger than {most} MiB; send fewer rows", (), _CLOSE
            )
        if self._held > self.limits.bodies:
            raise overloaded("too many bytes at once; try again in a second")


def _declared(headers: Mapping[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def check_token(token: str | None, headers: Mapping[bytes, bytes]) -> None:
    """Raise RefusedError unless the caller sends the token, where one is asked for.

    Programs send it as `Authorization: Bearer TOKEN`; a browser asks its user, and sends it as the
    password. It is compared in a time that does not tell how much of it is right.
    """
    if token is None:
        return
    scheme, _, sent = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"basic":
        sent = _password(sent)
    if not hmac.compare_digest(sent.strip(), token.encode()):
        asked = 'Basic realm="model", Bearer'
        raise RefusedError(401, "send the token of this server", (), {"WWW-Authenticate": asked})


def _password(sent: bytes) -> bytes:
    try:
        return b64decode(sent, validate=True).partition(b":")[2]
    except ValueError:
        return b""
