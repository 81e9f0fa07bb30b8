"""What goes back to a caller: replies, and refusals in one sentence."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json
from typing_extensions import TypedDict

LONGEST_NAME = 80
"""Of what a caller calls a column and we do not know: longer ones are told in part."""
_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "INVALID_PARAMETER_VALUE",
    429: "TOO_MANY_REQUESTS",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Fault(NamedTuple):
    """What is wrong with one value: its row (from 0), its column, and the reason."""

    row: int | str | None
    column: str | None
    reason: str


class Refusal(TypedDict):
    """What goes back, in the keys of MLflow's errors and one more."""

    error_code: str
    message: str
    errors: list[dict[str, str | int | None]]


class RefusedError(Exception):
    """A request that gets no prediction: the status, one sentence, and what is wrong where."""

    def __init__(
        self,
        status: int,
        message: str,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.faults = faults
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """Return the JSON that tells it."""
        code = _CODES.get(self.status, "INTERNAL_ERROR")
        errors = [fault._asdict() for fault in self.faults]
        return to_json(Refusal(error_code=code, message=self.in_words(), errors=errors))

    def in_words(self) -> str:
        """Return one sentence that names the first faulty value."""
        if not self.faults:
            return str(self)
        first = self.faults[0]
        where = f"row {first.row}" + (f", column {first.column!r}" if first.column else "")
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        return f"{self}: {where}: {first.reason}{more}"


def bad_rows(faults: Sequence[Fault]) -> RefusedError:
    """Return the refusal of rows that are not what the model takes."""
    return RefusedError(422, "the rows are not what the model takes", faults)


def another_method(path: str, allowed: str) -> RefusedError:
    """Return the refusal of a method that a path does not take."""
    return RefusedError(405, f"{path} takes {allowed}", (), {"Allow": allowed})


def overloaded(message: str) -> RefusedError:
    """Return the refusal of a server that has too much to do at the moment."""
    return RefusedError(503, message, headers={"Retry-After": "1"})


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
    name: bytes = b""
    """The request's id."""


async def send_reply(reply: Reply, send: Send, given: list[tuple[bytes, bytes]]) -> None:
    """Send a reply, with the headers that every answer is given."""
    length = (b"content-length", str(len(reply.body)).encode())
    headers = [(b"content-type", reply.kind), length, *given, *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    large = len(reply.body) > _LARGE
    await send({"type": "http.response.body", "body": reply.body, "more_body": large})
    if large:  # A second part waits until the caller has read most of the first.
        await send({"type": "http.response.body"})
