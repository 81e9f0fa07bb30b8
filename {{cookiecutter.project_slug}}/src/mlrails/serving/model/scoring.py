"""Scoring of requests: rows that arrive together are one call of the model.

Nobody waits for a batch to fill: it is scored as soon as the loop has read what has arrived, so a
lone request pays nothing and a busy server makes batches by itself (docs/decisions).
"""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from pydantic_core import to_json

from ...modeling.loading import Answer, LoadedModel
from ..http import telemetry
from ..http.body import read_invocations, read_plain
from ..http.limits import Limits
from ..http.media import parse_content_type, wants_csv
from ..http.messages import RefusedError, Reply, WholeRequest
from ..http.rows import Row
from ..requests.log import RequestLog
from .current import Current, Holder

INLINE_ROWS = 256
"""Rows that are scored on the loop itself; more go to a thread, so that others need not wait."""

Result = TypeVar("Result")


class _Waiting(NamedTuple):
    served: LoadedModel
    rows: Sequence[Row]
    told: Callable[[Answer], None]
    failed: Callable[[Exception], None]


class Batcher:
    """Collects rows for one turn of the loop and scores them at once."""

    def __init__(self, scored: Callable[[int], object]) -> None:
        """`scored` is told the number of rows of each call of the model."""
        self._scored = scored
        self._waiting: list[_Waiting] = []
        self._held = 0
        # One: two would share what the loop leaves over, and hold twice the memory.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rows")

    async def aside(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Do long work where it keeps nobody waiting, one piece at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def score(self, served: LoadedModel, rows: Sequence[Row]) -> Answer:
        """Return the model's answer to checked rows; raises RuntimeError where the model fails."""
        if len(rows) > INLINE_ROWS:
            self._scored(len(rows))
            return await self.aside(score, served, rows)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # The caller may have gone.
        self.submit(
            served,
            rows,
            lambda it: None if answer.done() else answer.set_result(it),
            lambda it: None if answer.done() else answer.set_exception(it),
        )
        return await answer

    def submit(
        self,
        served: LoadedModel,
        rows: Sequence[Row],
        told: Callable[[Answer], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Score few checked rows soon; then one of the two is called."""
        if self._held + len(rows) > INLINE_ROWS:
            self.flush()
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append(_Waiting(served, rows, told, failed))
        self._held += len(rows)

    def flush(self) -> None:
        """Score what is waiting, each model's rows in one call."""
        waiting, self._waiting, self._held = self._waiting, [], 0
        # A swap can fall between two requests of one turn, so there may be two models.
        with telemetry.log_together():
            for _, group in groupby(waiting, key=lambda one: id(one.served)):
                together = list(group)
                self._scored(sum(len(one.rows) for one in together))
                _score_group(together)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def score(served: LoadedModel, rows: Sequence[Row]) -> Answer:
    """Return the model's answer to checked rows; raises RuntimeError for whatever it raises.

    A `StopIteration` cannot be handed to who waits, and a `SystemExit` would end the server.
    """
    columns = {it.name: [row[it.name] for row in rows] for it in served.inputs}
    try:
        return served.answer(columns, len(rows))
    except BaseException as error:
        raise RuntimeError("the model could not answer") from error


def _score_group(group: Sequence[_Waiting]) -> None:
    rows = [row for one in group for row in one.rows]
    try:
        answer = score(group[0].served, rows)
    except Exception as error:
        if len(group) == 1:
            group[0].failed(error)
            return
        telemetry.log("batch failed", requests=len(group), then="each is scored alone")
        for one in group:
            _score_group([one])
        return
    for one, part in zip(group, _parts(answer, [len(one.rows) for one in group]), strict=True):
        one.told(part)


def _parts(answer: Answer, sizes: Sequence[int]) -> Iterator[Answer]:
    """Cut the answer to a batch into those of its requests."""
    start = 0
    for size in sizes:
        yield {name: values[start : start + size] for name, values in answer.items()}
        start += size


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
    return read_invocations(body, sent, now.rows, now.served.interface, now.how)


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

    def __init__(
        self, holder: Holder, batcher: Batcher, limits: Limits, log: RequestLog | None = None
    ) -> None:
        self._holder, self._batcher, self._limits, self._log = holder, batcher, limits, log

    def answering(self, way: Way) -> Callable[[WholeRequest], Awaitable[Reply]]:
        """Return what answers one way to ask."""

        async def answered(asked: WholeRequest) -> Reply:
            now, headers = self._holder.now, asked.headers
            answer, rows = await self._score(
                now, lambda body: way.read(now, headers, body), asked.body
            )
            if self._log is not None:
                self._log.keep(asked.name, now.served, rows, answer, len(asked.body))
            return way.reply(now, headers, answer)._replace(rows=len(rows))

        return answered

    async def _score(
        self, now: Current, read: Callable[[bytes], list[Row]], body: bytes
    ) -> tuple[Answer, list[Row]]:
        until = asyncio.get_running_loop().time() + self._limits.answer_seconds
        if len(body) > LARGE:
            rows = await self._in_time(until, self._batcher.aside(read, body))
        else:
            rows = read(body)
        scored = self._batcher.score(now.served, rows)
        # Few rows are scored before the loop looks at a clock.
        in_time = scored if len(rows) <= INLINE_ROWS else self._in_time(until, scored)
        return await in_time, rows

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
