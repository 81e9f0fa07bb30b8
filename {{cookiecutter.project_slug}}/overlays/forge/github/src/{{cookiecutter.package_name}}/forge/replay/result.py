"""What a run has done: each job's conclusion, the log, the summaries, the artifacts."""

import json
from dataclasses import dataclass
from pathlib import Path

from . import artifacts
from .files import Files, Record

_NOISE = "LocalRepositoryCache"


@dataclass(frozen=True)
class Result:
    """What a run has done."""

    files: Files
    run: Record
    jobs: dict[str, str]
    log: str

    @property
    def conclusion(self) -> str:
        """`success`, `failure`, `skipped` or `cancelled`."""
        return str(self.run["conclusion"])

    @property
    def folder(self) -> Path:
        """Where the run keeps its log, its summaries and the copy of its workflow."""
        return self.files.folder("runs", self.run["id"])

    @property
    def summaries(self) -> dict[str, Path]:
        """The summaries that jobs have written, as files."""
        return {path.stem: path for path in sorted(self.folder.glob("summaries/*.md"))}

    @property
    def artifacts(self) -> list[Record]:
        """The artifacts of the run."""
        return artifacts.of_run(self.files, self.run)


def read(log: str, names: list[str]) -> tuple[dict[str, str], str]:
    """Return each job's conclusion (act is silent on skipped ones), and the log for people."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    jobs = dict.fromkeys(names, "skipped")
    for line in lines:
        if "jobResult" in line and jobs[line["jobID"]] != "failure":
            jobs[line["jobID"]] = line["jobResult"]
    said = [it for it in lines if not it.get("msg", "").startswith(_NOISE)]
    told = [f"{it.get('jobID', '')}: {it.get('msg', '').rstrip()}" for it in said]
    return jobs, "\n".join(told) + "\n"


def worst(jobs: dict[str, str]) -> str:
    """Return the conclusion of a run from those of its jobs."""
    for conclusion in ("failure", "cancelled", "success"):
        if conclusion in jobs.values():
            return conclusion
    return "skipped"
