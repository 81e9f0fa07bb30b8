"""`/invocations`, which speaks MLflow's scoring protocol, and `/predict`, which speaks plainly."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic_core import to_json

from ..served import Answer
from . import media, protocol
from .batching import INLINE_ROWS, Batcher, Result
from .current import Current, Holder
from .limits import Limits
from .refusals import RefusedError
from .replies import Asked, Reply
from .rows import Row

_LARGE = 2**16
"""Bytes of a body that is read in a thread, so that others need not wait."""


class Scoring:
    """The two ways to ask for predictions."""

    def __init__(self, holder: Holder, batcher: Batcher, limits: Limits) -> None:
        self._holder, self._batcher, self._limits = holder, batcher, limits

    async def invocations(self, asked: Asked) -> Reply:
        """Answer in MLflow's way: `{"predictions": [{column: value}]}`, or CSV where asked for."""
        now = self._holder.now
        sent = media.content(asked.headers.get(b"content-type", b""))

        def read(body: bytes) -> list[Row]:
            return protocol.read(body, sent, now.rows, now.served.interface)

        answer, count = await self._score(now, read, asked.body)
        if media.wants_csv(asked.headers.get(b"accept", b"")):
            return Reply(_csv(answer), now.headers, kind=b"text/csv; charset=utf-8", rows=count)
        return Reply(to_json({"predictions": records(answer)}), now.headers, rows=count)

    async def predict(self, asked: Asked) -> Reply:
        """Answer with the model's version beside the predictions."""
        now = self._holder.now
        media.content(asked.headers.get(b"content-type", b""))
        answer, count = await self._score(
            now, lambda body: protocol.read_plain(body, now.rows), asked.body
        )
        origin = now.served.origin
        told: dict[str, Any] = {"version": origin.version, "digest": origin.digest}
        body = to_json({"predictions": records(answer), "model": told})
        return Reply(body, now.headers, rows=count)

    async def _score(
        self, now: Current, read: Callable[[bytes], list[Row]], body: bytes
    ) -> tuple[Answer, int]:
        until = asyncio.get_running_loop().time() + self._limits.answer_seconds
        if len(body) > _LARGE:
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
