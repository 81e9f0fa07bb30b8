"""Many requests, one call of the model: rows that arrive together are scored together.

Nobody waits for a batch to fill: it is scored as soon as the loop has read what has arrived, so a
lone request pays nothing and a busy server makes batches by itself (docs/decisions).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import NamedTuple, TypeVar

from ..served import Answer, Served
from . import logs
from .rows import Row

INLINE_ROWS = 256
"""Rows that are scored on the loop itself; more go to a thread, so that others need not wait."""

Result = TypeVar("Result")


class _Waiting(NamedTuple):
    served: Served
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

    async def score(self, served: Served, rows: Sequence[Row]) -> Answer:
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
        served: Served,
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
        with logs.log_together():
            for _, group in groupby(waiting, key=lambda one: id(one.served)):
                together = list(group)
                self._scored(sum(len(one.rows) for one in together))
                _score_group(together)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def score(served: Served, rows: Sequence[Row]) -> Answer:
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
        logs.log("batch failed", requests=len(group), then="each is scored alone")
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
