"""The forge: pull requests, merges, pushes and buttons, each with the runs that follow from it.

Runs wait in a queue, where a newer one of the same concurrency group replaces an older one. They go
one after the other here, so a job waits as long as its run: a group of a job counts as one of its
run's.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import UsageError, WorldError
from . import events, git
from .events import repository
from .files import Files, Record, now
from .machine import Machine
from .rights import Configuration, Rights
from .runner import Result, Runner
from .server import Server, serving
from .workflow import Workflow, parse

WORKFLOWS = ".github/workflows"
_AS_IT_COMES = Configuration()


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


@dataclass
class Forge:
    """A forge that serves, and the runs that wait there."""

    files: Files
    server: Server
    queue: Queue

    @property
    def remote(self) -> Path:
        """The bare repository, for people's pushes and fetches."""
        return self.files.remote

    def tip(self, branch: str = "main") -> str:
        """Return the commit of a branch."""
        return git.commit(self.remote, f"refs/heads/{branch}")

    def open_pull(
        self, branch: str, base: str = "main", fork: bool = False, bot: bool = False
    ) -> Record:
        """Open a pull request of a branch that was pushed (a fork's lies in the same remote)."""
        user = events.FORKER if fork else events.BOT if bot else events.PERSON
        number = len(self.files.every("pulls")) + 1
        found = events.pull(number, branch, self.tip(branch), base, self.tip(base), user)
        found = self.files.new("pulls", {**found, "_commits": []})
        self._pull_runs("opened", found)
        return found

    def synchronize(self, pull: Record) -> Record:
        """Tell the forge that the branch of a pull request, or its base, was pushed to."""
        before = pull["head"]["sha"]
        pull["head"]["sha"] = self.tip(pull["head"]["ref"])
        pull["base"]["sha"] = self.tip(pull["base"]["ref"])
        self._pull_runs("synchronize", pull, before)
        return pull

    def merge(self, pull: Record, how: str = "merge") -> str:
        """Merge a pull request, whatever its checks say; return main's new commit."""
        head, base = pull["head"]["sha"], pull["base"]["ref"]
        before, title = self.tip(base), f"Merge pull request #{pull['number']}"
        mine = git.between(self.remote, before, head)
        if how == "rebase":
            mine += git.rebased(self.remote, before, head)
            after = mine[-1]
        elif how == "squash":
            after = git.squashed(self.remote, before, head, f"{pull['title']} (#{pull['number']})")
        elif how == "merge":
            after = git.merged(self.remote, before, head, title)
        else:
            raise UsageError(f"merge by {how!r}: choose merge, squash or rebase")
        git.git(self.remote, "update-ref", f"refs/heads/{base}", after, before)
        closed = {"state": "closed", "merged": True, "merged_at": now()}
        pull |= {**closed, "merge_commit_sha": after, "_commits": mine}
        self.files.keep("pulls", pull)
        self.pushed(base, before)
        return after

    def pushed(self, branch: str, before: str = git.ZERO) -> None:
        """Tell the forge that a branch was pushed to, and where it was before."""
        after, ref = self.tip(branch), f"refs/heads/{branch}"
        behind = before == git.ZERO or not git.between(self.remote, after, before)
        payload = events.of_push(branch, before, after, forced=not behind)
        for workflow in self._workflows(after):
            if workflow.runs_for("push", branch):
                self.queue.add(workflow, "push", payload, ref, after)

    def dispatch(self, workflow: str, inputs: dict[str, Any], branch: str = "main") -> None:
        """Press the button of a workflow, which is taken from a branch."""
        commit, ref = self.tip(branch), f"refs/heads/{branch}"
        path = f"{WORKFLOWS}/{workflow}"
        text = git.show(self.remote, commit, path)
        if text is None:
            raise UsageError(f"{branch} has no {path}")
        found = parse(path, text)
        payload = events.of_dispatch(found, branch, inputs)
        self.queue.add(found, "workflow_dispatch", payload, ref, commit)

    def schedule(self) -> None:
        """Let the time come of each workflow of main that waits for one."""
        commit = self.tip()
        for workflow in self._workflows(commit):
            if workflow.waits_for("schedule") is not None:
                payload = events.of_schedule()
                self.queue.add(workflow, "schedule", payload, "refs/heads/main", commit)

    def rerun(self, run: Record) -> Result:
        """Run a run again, whatever has happened since."""
        return self.queue.again(run)

    def run(self) -> list[Result]:
        """Run all that waits, in order, and return the results."""
        return list(self.each())

    def each(self) -> Iterator[Result]:
        """Run all that waits, in order, and yield each result as it comes."""
        return self.queue.run_all()

    def _pull_runs(self, action: str, pull: Record, before: str | None = None) -> None:
        number, head, base = pull["number"], pull["head"]["sha"], pull["base"]["sha"]
        merge = git.merged(self.remote, base, head, f"Merge {head} into {base}")
        ref = f"refs/pull/{number}/merge"
        git.git(self.remote, "update-ref", ref, merge)
        git.git(self.remote, "update-ref", f"refs/pull/{number}/head", head)
        pull |= {"merge_commit_sha": merge, "_commits": git.between(self.remote, base, head)}
        self.files.keep("pulls", pull)
        payload = events.of_pull(action, pull, before)
        for workflow in self._workflows(merge):
            if workflow.runs_for("pull_request", pull["base"]["ref"], action):
                self.queue.add(workflow, "pull_request", payload, ref, merge)

    def _workflows(self, commit: str) -> list[Workflow]:
        paths = git.listed(self.remote, commit, WORKFLOWS)
        named = [path for path in paths if path.endswith((".yaml", ".yml"))]
        return [parse(path, git.show(self.remote, commit, path) or "") for path in named]


@contextmanager
def forge(
    root: Path, machine: Machine, configuration: Configuration = _AS_IT_COMES
) -> Iterator[Forge]:
    """Open the forge of a folder, made where it is not there, as long as the block runs."""
    files, rights = Files(root.absolute()), Rights(configuration.private)
    if not files.remote.exists():
        git.create(files.remote)
    machine.prepare(files)
    with serving(files, rights) as server:
        runner = Runner(files, rights, server.url, machine, configuration)
        yield Forge(files, server, Queue(files, runner))
