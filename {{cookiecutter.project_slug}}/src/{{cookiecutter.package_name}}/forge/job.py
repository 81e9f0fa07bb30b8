"""What a job is told by the forge, and where it answers: variables that GitHub sets.

https://docs.github.com/actions/reference/workflows-and-actions/variables
"""

import os
from dataclasses import dataclass
from pathlib import Path


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
        output=os.environ.get("GITHUB_OUTPUT", ""),
        summary=os.environ.get("GITHUB_STEP_SUMMARY", ""),
    )
