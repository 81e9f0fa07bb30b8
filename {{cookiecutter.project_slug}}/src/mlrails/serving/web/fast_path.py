"""Requests that have come whole with their head, answered without a task of their own.

Nearly all requests are such, and half of their time went into what they do not need: a task, an
event for the body, a message for each part of the answer. Whatever is unusual (a refusal, a large
body, a model that fails, a server about to stop) is left to the usual way, which begins anew.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ...modeling.loading import Answer
from ..http.limits import Visit
from ..http.messages import RefusedError
from ..http.rows import Row
from ..model.current import Current, Holder
from ..model.scoring import INLINE_ROWS, LARGE, Batcher, Way
from ..requests.log import RequestLog
from .front import Front

_UNUSUAL = {b"content-encoding", b"expect", b"x-amzn-sagemaker-custom-attributes"}
_HEAD = b"HTTP/1.1 200 OK\r\n%bcontent-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n%b"
_CLOSE = b"connection: close\r\n"


class _Pending(NamedTuple):
    """A request that is being answered."""

    cycle: Any
    way: Way
    now: Current
    headers: Mapping[bytes, bytes]
    rows: Sequence[Row]
    visit: Visit
    started: float


class Quick:
    """Answers the ways to ask for predictions."""

    def __init__(
        self,
        ways: Mapping[str, Way],
        holder: Holder,
        batcher: Batcher,
        front: Front,
        log: RequestLog | None = None,
    ) -> None:
        self._ways, self._holder, self._batcher, self._front = ways, holder, batcher, front
        self._log = log

    def takes(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether a request may be one of these, by its head."""
        return scope["method"] == "POST" and scope["path"] in self._ways

    def answer(self, cycle: Any, usual: Callable[[], None]) -> bool:
        """Answer a whole request soon, and return True; where that fails, `usual` is called.

        `cycle` is uvicorn's request and answer.
        """
        started, headers = time.perf_counter(), dict(cycle.scope["headers"])
        door, size = self._front.door, len(cycle.body)
        if size > LARGE or cycle.flow.write_paused or not headers.keys().isdisjoint(_UNUSUAL):
            return False
        if door.closing or door.held is not None or not door.has_room(size):
            return False
        way, now = self._ways[cycle.scope["path"]], self._holder.now
        try:
            self._front.check_token(headers)
            rows = way.read(now, headers, bytes(cycle.body))
        except RefusedError:
            return False
        if len(rows) > INLINE_ROWS:
            return False
        asked = _Pending(cycle, way, now, headers, rows, door.enter(size), started)

        def failed(error: Exception) -> None:
            door.leave(asked.visit)
            usual()

        self._batcher.submit(now.served, rows, lambda it: self._told(asked, it), failed)
        return True

    def _told(self, asked: _Pending, answer: Answer) -> None:
        cycle, door = asked.cycle, self._front.door
        reply = asked.way.reply(asked.now, asked.headers, answer)
        name = self._front.id_of(asked.headers)
        if not cycle.disconnected:
            ends = door.closing or not cycle.keep_alive
            lines = b"".join(b"%b: %b\r\n" % it for it in cycle.default_headers)
            more = asked.now.lines + (_CLOSE if ends else b"")
            head = _HEAD % (lines, reply.kind, len(reply.body), name, more)
            cycle.transport.write(head + b"\r\n" + reply.body)
            cycle.response_started = cycle.response_complete = True
            if ends:
                cycle.transport.close()
            cycle.on_response()
            cycle.on_response = lambda: None
        door.leave(asked.visit)
        seconds = time.perf_counter() - asked.started
        self._front.note(cycle.scope, 200, len(asked.rows), name, seconds)
        if self._log is not None:
            self._log.keep(name, asked.now.served, asked.rows, answer, len(cycle.body))
