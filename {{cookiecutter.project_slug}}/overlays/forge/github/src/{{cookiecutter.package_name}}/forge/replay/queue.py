"""The runs that wait, and which of them a newer one of the same concurrency group replaces.

Runs go one after the other here, so a job waits as long as its run: a group of a job counts as one
of its run's.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...errors import WorldError
from . import git
from .events import repository
from .files import Files, Record
from .result import Result
from .runner import Runner
from .workflow import Workflow, parse


@dataclass
class Queue:
    """Runs in the order of their events."""

    files: Files
    runner: Runner
    waiting: list[Record] = field(default_factory=list)

    def add(self, workflow: Workflow, event: str, payload: Record, ref: str, commit: str) -> Record:
        """Let a run wait that an event asks for."""
        groups = workflow.concurrency(ref, commit)
        alone = {group for group, all_kept in groups.items() if not all_kept}
        for older in [it for it in self.waiting if alone & set(it["_groups"])]:
            self.waiting.remove(older)
            self.files.keep("runs", {**older, "status": "completed", "conclusion": "cancelled"})
        pull = payload.get("pull_request")
        base = f"refs/heads/{pull['base']['ref']}" if pull else ref
        own: Record = {"sha": commit, "ref": ref.removeprefix("refs/heads/"), "repo": repository()}
        head = pull["head"] if pull else own
        run = {
            "name": workflow.name,
            "path": workflow.path,
            "event": event,
            "status": "queued",
            "conclusion": None,
            "run_attempt": 1,
            "head_sha": head["sha"],
            "head_branch": head["ref"],
            "head_repository": head["repo"],
            "repository": repository(),
            "actor": payload["sender"],
            "_ref": ref,
            "_sha": commit,
            "_scopes": [*dict.fromkeys((ref, base, "refs/heads/main"))],
            "_trusted": not pull or not (head["repo"]["fork"] or pull["user"]["type"] == "Bot"),
            "_groups": list(groups),
        }
        run = self.files.new("runs", run)
        run = self.files.keep("runs", {**run, "run_number": run["id"]})
        event_file = self.files.folder("runs", run["id"]) / "event.json"
        event_file.write_text(json.dumps(payload), "utf-8")
        self.waiting.append(run)
        return run

    def run_all(self) -> Iterator[Result]:
        """Run what waits, in order, and yield each result as it comes."""
        while self.waiting:
            yield self.run(self.waiting.pop(0))

    def again(self, run: Record) -> Result:
        """Run a run again: the same event, commit and workflow file, as its next attempt."""
        next_ = {"run_attempt": run["run_attempt"] + 1, "conclusion": None}
        return self.run({**run, **next_})

    def run(self, run: Record) -> Result:
        """Run a run now."""
        text = git.show(self.files.remote, run["_sha"], run["path"])
        if text is None:
            raise WorldError(f"{run['_sha'][:9]} has no {run['path']}")
        run = self.files.keep("runs", {**run, "status": "in_progress"})
        return self.runner.run(run, parse(run["path"], text))
