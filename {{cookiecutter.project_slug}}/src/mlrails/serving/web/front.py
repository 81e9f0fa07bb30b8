"""Every request passes here: it gets an id, is let in or refused, answered, counted and logged."""

import itertools
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any

from ..http import prefix, telemetry
from ..http.limits import CallerGoneError, Doorkeeper, Receive, Visit, check_token
from ..http.media import check_coding
from ..http.messages import RefusedError, Reply, Send, WholeRequest, another_method, send_reply
from ..http.telemetry import Metrics

Scope = MutableMapping[str, Any]
Headers = list[tuple[bytes, bytes]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
_ID, _ID_SENT = re.compile(rb"[\w.:-]{1,128}"), b"x-request-id"
_OURS, _NUMBERS = uuid.uuid4().hex[:16].encode(), itertools.count()
"""Of ids that we give: those of one process, in order, without asking the system for each."""
_ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
_OPEN = {"/ping", "/health", "/ready"}
"""What probes ask, who have no token, and what tells nothing of the model."""
_CLOSE, _VARY = (b"connection", b"close"), (b"vary", prefix.HEADER)
_OF_THE_MODEL = {"/version", "/metadata", "/openapi.json"}
_GONE = 499
"""In logs alone, as nginx has it: the caller went away."""


Answer = Callable[[WholeRequest], Awaitable[Reply]]


class Front:
    """The application: the paths that need speed or limits are answered here, others inside."""

    def __init__(
        self,
        answers: Mapping[tuple[str, str], Answer],
        inside: Application,
        known: Collection[str],
        door: Doorkeeper,
        metrics: Metrics,
        token: str | None,
        root_path: str = "",
    ) -> None:
        """`known` are the paths of the inner application; callers see all below `root_path`.

        Once the door is closing, each answer ends its connection.
        """
        self._answers, self._inside, self._root_path = answers, inside, root_path
        self.door, self._metrics, self._token = door, metrics, token
        self.quick: Any = None
        """What answers whole requests without a task (fast_path.py), where there is something."""
        self._paths = {path for _, path in answers}
        self._known = self._paths.union(known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of ASGI."""
        started = time.perf_counter()
        scope["path"] = prefix.stripped(scope["path"], self._root_path)
        headers = dict(scope["headers"])
        name = self.id_of(headers)
        given = [(_ID_SENT, name)]
        if attributes := headers.get(_ATTRIBUTES):
            given.append((_ATTRIBUTES, attributes))
        status, rows = _GONE, 0
        try:
            status, rows = await self._answer(scope, headers, receive, send, given)
        except CallerGoneError:
            pass
        except RefusedError as refused:
            status = await self._refuse(refused, send, given)
        except Exception as error:
            telemetry.log_defect(error, id=name.decode())
            failed = RefusedError(500, "the model could not answer")
            status = await self._refuse(failed, send, given)
        self.note(scope, status, rows, name, time.perf_counter() - started)

    async def _answer(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        send: Send,
        given: Headers,
    ) -> tuple[int, int]:
        path, method = scope["path"], scope["method"]
        if method == "HEAD":  # The server leaves the body out.
            method = "GET"
        if path not in _OPEN:
            check_token(self._token, headers)
        if path == "/ready" and self.door.closing:
            raise RefusedError(503, "the server is about to stop; ask another one")
        below = prefix.of_request(self._root_path, headers)
        if path not in self._paths:
            if path in _OF_THE_MODEL:
                await self._released()
            seen = {"path": below + path, "root_path": below, "method": method}
            return await self._pass_on({**scope, **seen}, receive, send, given), 0
        answer = self._answers.get((method, path))
        if answer is None:
            allowed = ", ".join(sorted(name for name, place in self._answers if place == path))
            raise another_method(path, allowed)
        with self.door.admitted() as visit:
            # No name for the body, which would hold it until the answer is read.
            reply = await answer(
                WholeRequest(
                    method,
                    headers,
                    await self._body(visit, receive, headers),
                    below,
                    dict(given)[_ID_SENT],
                )
            )
            self.door.holds(visit, len(reply.body))
            await send_reply(reply, send, self._given(given))
        return reply.status, reply.rows

    async def _body(self, visit: Visit, receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
        body = await self.door.body(visit, receive, headers)
        check_coding(headers.get(b"content-encoding"))
        await self._released()
        return body

    async def _released(self) -> None:
        while self.door.held is not None:
            await self.door.held.wait()

    def _given(self, given: Headers) -> Headers:
        """Return what an answer is given that is sent now."""
        return [*given, _CLOSE] if self.door.closing else given

    async def _refuse(self, refused: RefusedError, send: Send, given: Headers) -> int:
        told = tuple((name.lower().encode(), it.encode()) for name, it in refused.headers.items())
        more = given if _CLOSE in told else self._given(given)
        await send_reply(Reply(refused.body(), told, refused.status), send, more)
        return refused.status

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, given: Headers) -> int:
        """Let the inner application answer; return the status that it gives."""
        status = 0

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = [_VARY, *self._given(given)]
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        try:
            await self._inside(scope, receive, noting)
        except Exception as error:
            if not status:
                raise
            telemetry.log_defect(
                error, path=scope["path"]
            )  # It has answered, and raises all the same.
        return status

    def id_of(self, headers: Mapping[bytes, bytes]) -> bytes:
        """Return the id that a caller gives its request, or one of our own."""
        sent = headers.get(_ID_SENT, b"")
        return sent if _ID.fullmatch(sent) else b"%b%016x" % (_OURS, next(_NUMBERS))

    def check_token(self, headers: Mapping[bytes, bytes]) -> None:
        """Raise RefusedError unless the caller sends the token, where one is asked for."""
        check_token(self._token, headers)

    def note(self, scope: Scope, status: int, rows: int, name: bytes, seconds: float) -> None:
        """Count an answer, and write it to the log."""
        # A path that is made up by a caller must not make a series of its own.
        path = scope["path"] if scope["path"] in self._known else "other"
        self._metrics.answered(path, status, seconds)
        telemetry.log(
            "request",
            id=name.decode(),
            method=scope["method"],
            path=scope["path"],
            status=status,
            rows=rows,
            milliseconds=round(seconds * 1000, 3),
        )
