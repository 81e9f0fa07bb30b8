"""`/invocations`, which speaks MLflow's scoring protocol, and `/predict`, which speaks plainly."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from ..served import Answer
from .batching import INLINE_ROWS, Batcher, Result
from .current import Current, Holder
from .limits import Limits
from .media import parse_content_type, wants_csv
from .protocol import read_invocations, read_plain
from .refusals import RefusedError
from .replies import Reply, WholeRequest
from .rows import Row

Headers = Mapping[bytes, bytes]
LARGE = 2**16
"""Bytes of a body that is read in a thread, so that others need not wait."""


class Way(NamedTuple):
    """One way to ask: how a body is read, and how the answer is told."""

    read: Callable[[Current, Headers, bytes], list[Row]]
    """Raises RefusedError."""
    reply: Callable[[Current, Headers, Answer], Reply]


def _read_theirs(now: Current, headers: Headers, body: bytes) -> list[Row]:
    sent = parse_content_type(headers.get(b"content-type", b""))
    return read_invocations(body, sent, now.rows, now.served.interface)


def _reply_theirs(now: Current, headers: Headers, answer: Answer) -> Reply:
    if wants_csv(headers.get(b"accept", b"")):
        return Reply(_csv(answer), now.headers, kind=b"text/csv; charset=utf-8")
    return Reply(to_json({"predictions": records(answer)}), now.headers)


def _read_ours(now: Current, headers: Headers, body: bytes) -> list[Row]:
    parse_content_type(headers.get(b"content-type", b""))
    return read_plain(body, now.rows)


def _reply_ours(now: Current, headers: Headers, answer: Answer) -> Reply:
    origin = now.served.origin
    told: dict[str, Any] = {"version": origin.version, "digest": origin.digest}
    return Reply(to_json({"predictions": records(answer), "model": told}), now.headers)


WAYS: Mapping[str, Way] = {
    "/invocations": Way(_read_theirs, _reply_theirs),
    "/predict": Way(_read_ours, _reply_ours),
}
"""MLflow's: `{"predictions": [{column: value}]}`, or CSV; and ours, which names the model."""


class Scoring:
    """Answers the ways to ask for predictions, however large what is asked."""

    def __init__(self, holder: Holder, batcher: Batcher, limits: Limits) -> None:
        self._holder, self._batcher, self._limits = holder, batcher, limits

    def answering(self, way: Way) -> Callable[[WholeRequest], Awaitable[Reply]]:
        """Return what answers one way to ask."""

        async def answered(asked: WholeRequest) -> Reply:
            now, headers = self._holder.now, asked.headers
            answer, count = await self._score(
                now, lambda body: way.read(now, headers, body), asked.body
            )
            return way.reply(now, headers, answer)._replace(rows=count)

        return answered

    async def _score(
        self, now: Current, read: Callable[[bytes], list[Row]], body: bytes
    ) -> tuple[Answer, int]:
        until = asyncio.get_running_loop().time() + self._limits.answer_seconds
        if len(body) > LARGE:
            rows = await self._in_time(until, self._batcher.aside(read, body))
        else:
            rows = read(body)
        scored = self._batcher.score(now.served, rows)
        # Few rows are scored before the loop looks at a clock.
        in_time = scored if len(rows) <= INLINE_ROWS else self._in_time(until, scored)
        return await in_time, len(rows)

    async def _in_time(self, until: float, work: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout_at(until):
                return await work
        except TimeoutError:
            seconds = self._limits.answer_seconds
            raise RefusedError(
                504, f"the answer took longer than {seconds:g} s; send fewer rows"
            ) from None


def records(answer: Answer) -> list[dict[str, Any]]:
    """Return the answer row by row."""
    names: Sequence[str] = tuple(answer)
    return [dict(zip(names, row, strict=True)) for row in zip(*answer.values(), strict=True)]


def _csv(answer: Answer) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answer)
    writer.writerows(zip(*answer.values(), strict=True))
    return text.getvalue().encode()
