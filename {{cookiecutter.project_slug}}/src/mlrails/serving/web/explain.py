"""`POST /explain`, and what the page shows of it: what moved a prediction, one row after the other.

It takes a hundred times what a prediction takes, so it has a thread and limits of its own.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic_core import to_json

from ...core.errors import UsageError
from ...explaining.explanation import Explainer, Explanation
from ...modeling.loading import LoadedModel
from ..http.body import read_explain
from ..http.limits import Limits
from ..http.media import parse_content_type
from ..http.messages import RefusedError, Reply, WholeRequest, overloaded
from ..http.rows import Row
from ..model.current import Current, Holder

_MOST_WAITING = 8
"""Requests that are explained or wait for it; each may have several rows."""


class Explaining:
    """Explains what the model that answers now says."""

    def __init__(self, holder: Holder, limits: Limits) -> None:
        self._holder, self._limits = holder, limits
        self._waiting = 0
        self._known: tuple[LoadedModel, Explainer] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="explain")

    async def answered(self, asked: WholeRequest) -> Reply:
        """Answer `{"rows": [...], "output": ...}`; raises RefusedError."""
        now = self._holder.now
        parse_content_type(asked.headers.get(b"content-type", b""))
        rows, output = read_explain(asked.body, now.rows)
        found = await self.explain(now, rows, output)
        origin = now.served.origin
        told: dict[str, Any] = {
            "explanations": [it.to_json() for it in found],
            "model": {"version": origin.version, "digest": origin.digest},
        }
        return Reply(to_json(told), now.headers, rows=len(rows))

    async def explain(
        self, now: Current, rows: Sequence[Row], output: str | None = None
    ) -> list[Explanation]:
        """Explain the answers to checked rows; raises RefusedError."""
        if self._waiting >= _MOST_WAITING:
            raise overloaded("too many explanations at once; try again in a second")
        until = time.monotonic() + self._limits.answer_seconds
        self._waiting += 1
        try:
            loop, work = asyncio.get_running_loop(), (now.served, rows, output, until)
            return await loop.run_in_executor(self._thread, self._work, *work)
        finally:
            self._waiting -= 1

    def _work(
        self, served: LoadedModel, rows: Sequence[Row], output: str | None, until: float
    ) -> list[Explanation]:
        explainer = self._explainer(served)
        try:
            explainer.check_output(output)
        except UsageError as error:
            raise RefusedError(422, f"output: {error}") from None
        found = []
        for row in rows:
            if time.monotonic() > until:
                seconds = self._limits.answer_seconds
                raise RefusedError(
                    504, f"the explanation took longer than {seconds:g} s; send fewer rows"
                )
            found.append(_explained(explainer, row, output))
        return found

    def _explainer(self, served: LoadedModel) -> Explainer:
        if self._known is None or self._known[0] is not served:
            try:
                self._known = served, Explainer(served)
            except UsageError as error:
                raise RefusedError(501, str(error)) from None
        return self._known[1]


def _explained(explainer: Explainer, row: Row, output: str | None) -> Explanation:
    """Explain a row; raises RuntimeError for whatever the model raises, as `score` does."""
    try:
        return explainer.explain(row, output)
    except BaseException as error:
        raise RuntimeError("the model could not be explained") from error
