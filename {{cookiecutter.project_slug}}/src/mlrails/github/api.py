"""GitHub's interface, as a job of a workflow may use it.

See https://docs.github.com/actions/reference/workflows-and-actions/variables for what it is told,
and https://docs.github.com/rest?apiVersion=2022-11-28 for what it asks.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from ..core.errors import UsageError, WorldError


@dataclass(frozen=True)
class Job:
    """The job that runs this; outside of one all is empty, and what it says goes nowhere."""

    api: str = ""
    server: str = ""
    repository: str = ""
    run: str = ""
    sha: str = ""
    token: str = ""
    pull_request: str = ""
    verdict: str = ""
    until: str = ""
    output: str = ""
    summary: str = ""

    @property
    def page(self) -> str:
        """The address of the run's page, where its summary and its artifacts are."""
        there = self.server and self.repository and self.run
        return f"{self.server}/{self.repository}/actions/runs/{self.run}" if there else ""

    def answer(self, **values: str) -> None:
        """Set outputs of the step; a value is one line."""
        _append(self.output, "".join(f"{name}={value}\n" for name, value in values.items()))

    def summarize(self, text: str) -> None:
        """Add Markdown to the page of the job."""
        _append(self.summary, text)


def _append(path: str, text: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def this() -> Job:
    """Return the job that runs this."""
    return Job(
        api=os.environ.get("GITHUB_API_URL", ""),
        server=os.environ.get("GITHUB_SERVER_URL", ""),
        repository=os.environ.get("GITHUB_REPOSITORY", ""),
        run=os.environ.get("GITHUB_RUN_ID", ""),
        sha=os.environ.get("GITHUB_SHA", ""),
        token=os.environ.get("GITHUB_TOKEN", ""),
        pull_request=os.environ.get("PULL_REQUEST", ""),
        verdict=os.environ.get("VERDICT", ""),
        until=os.environ.get("UNTIL", ""),
        output=os.environ.get("GITHUB_OUTPUT", ""),
        summary=os.environ.get("GITHUB_STEP_SUMMARY", ""),
    )


_SECONDS = 30
_TRIES = 3
_PAGE = 100
_LARGEST = 200_000_000
"""Bytes of a download."""


def call(job: Job, method: str, path: str, content: object = None) -> Any:
    """Return the answer of one call on the job's repository; raises WorldError naming the call."""
    address = _address(job, path)
    found = _send(job, method, address, content)
    try:
        return json.loads(found or b"null")
    except ValueError:
        raise WorldError(_words(method, address, "no JSON came back")) from None


def pages(job: Job, path: str, within: str = "", **query: str) -> Iterator[Any]:
    """Yield the items of all pages of a list; `within` is the key that holds them, if any."""
    page = 1
    while True:
        words = urlencode({**query, "per_page": _PAGE, "page": page})
        found = call(job, "GET", f"{path}?{words}")
        items = found[within] if within else found
        yield from items
        if len(items) < _PAGE:
            return
        page += 1


def download(job: Job, path: str) -> bytes:
    """Return the bytes of a file; raises WorldError where they are too many."""
    found = _send(job, "GET", _address(job, path))
    if len(found) > _LARGEST:
        raise WorldError(f"{path}: more than {_LARGEST / 1e6:,.0f} MB, which is no candidate")
    return found


def _address(job: Job, path: str) -> str:
    if not job.api or not job.repository:
        words = "GITHUB_API_URL or GITHUB_REPOSITORY is not set: a job on GitHub has both; "
        raise UsageError(f"{words}`nox -s forge` runs the jobs here")
    return f"{job.api}/repos/{job.repository}/{path}"


def _send(job: Job, method: str, address: str, content: object = None) -> bytes:
    request = Request(address, method=method)  # noqa: S310 - the forge's own address
    request.add_header("Accept", "application/vnd.github+json")
    request.add_header("X-GitHub-Api-Version", "2022-11-28")
    # Not handed on: a download leads to a store that is no part of the forge.
    request.add_unredirected_header("Authorization", f"Bearer {job.token}")
    if content is not None:
        request.data = json.dumps(content).encode()
        request.add_header("Content-Type", "application/json")
    tries = 1 if method == "POST" else _TRIES  # It may have been done, and must not be done twice.
    for left in reversed(range(tries)):
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                found: bytes = answer.read(_LARGEST + 1)
                return found
        except HTTPError as error:
            if error.code < 500 or not left:
                why = f"{error.code} {error.reason}"
                raise WorldError(_words(method, address, why, _remedy(error))) from None
        except (OSError, HTTPException) as error:
            if not left:
                raise WorldError(_words(method, address, str(error))) from None
        time.sleep(tries - left)
    raise AssertionError  # the last try has returned or raised


_AGAIN = "run the job again"
_MAY_NOT = "the job's token may not: see its `permissions`, and Settings → Actions → General"
_IS_NOT = "nothing is there, or it is switched off: see Settings → General → Features"
_REMEDIES = {
    401: _MAY_NOT,
    403: _MAY_NOT,
    404: _IS_NOT,
    410: _IS_NOT,
    422: "the forge does not take what was sent: see whether the project's engine is of today",
}
"""What helps where asking again does not."""


def _remedy(error: HTTPError) -> str:
    waits = error.headers.get("Retry-After") or error.headers.get("X-RateLimit-Remaining") == "0"
    return _AGAIN if waits else _REMEDIES.get(error.code, _AGAIN)


def _words(method: str, address: str, reason: str, remedy: str = _AGAIN) -> str:
    return f"{method} {address.partition('?')[0]} failed: {reason}; {remedy}"
