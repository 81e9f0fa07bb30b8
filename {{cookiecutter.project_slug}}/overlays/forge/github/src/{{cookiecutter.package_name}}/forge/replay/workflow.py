"""A workflow file: which events it waits for, in which groups, with which rights."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from ...errors import UsageError
from .rights import of_job

Yaml = dict[str, Any]
OPENS = "${" + "{"
"""What begins an expression; in two parts, as in one it is the template's own."""
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")
_FILTERS = {"branches", "branches-ignore", "types", "inputs"}


@dataclass(frozen=True)
class Workflow:
    """A workflow as a commit has it."""

    path: str
    content: Yaml

    @property
    def name(self) -> str:
        """The name that people see."""
        return str(self.content.get("name", self.path))

    @property
    def jobs(self) -> dict[str, Yaml]:
        """The jobs by their ids."""
        found: dict[str, Yaml] = self.content["jobs"]
        return found

    def waits_for(self, event: str) -> Yaml | None:
        """Return the filters of an event, or None where the workflow does not wait for it."""
        events = self.content["on"]
        named = [events] if isinstance(events, str) else events
        if event not in named:
            return None
        filters: Yaml = (named[event] if isinstance(named, dict) else None) or {}
        if unknown := set(filters) - _FILTERS:
            raise UsageError(f"{self.path}: the replay knows no filter {sorted(unknown)[0]!r}")
        return filters

    def runs_for(self, event: str, branch: str, action: str | None = None) -> bool:
        """Tell whether an event on a branch starts it; a pull request's branch is its base."""
        filters = self.waits_for(event)
        if filters is None:
            return False
        if event == "pull_request":
            usual = ["opened", "synchronize", "reopened"]
            if action not in filters.get("types", usual):
                return False
        patterns = filters.get("branches", ["**"])
        patterns = [patterns] if isinstance(patterns, str) else patterns
        return matches(branch, patterns) and not matches(branch, filters.get("branches-ignore", []))

    def concurrency(self, ref: str, commit: str) -> dict[str, bool]:
        """Return the groups of a run and of its jobs, each with whether all that wait are kept."""
        known = {"github.ref": ref, "github.sha": commit, "github.workflow": self.name}
        holders = (self.content, *self.jobs.values())
        said = [it["concurrency"] for it in holders if "concurrency" in it]
        found = [{"group": it} if isinstance(it, str) else it for it in said]
        return {self._group(str(it["group"]), known): it.get("queue") == "max" for it in found}

    def _group(self, said: str, known: dict[str, str]) -> str:
        group = _EXPRESSION.sub(lambda found: known.get(found[1], found[0]), said)
        if OPENS in group:
            raise UsageError(f"{self.path}: the replay cannot tell the concurrency group {group!r}")
        return group

    def permissions(self, job: str, trusted: bool) -> dict[str, str]:
        """Return what a job's token may do."""
        return of_job(self.content, self.jobs[job], trusted)

    def allowing(self, jobs: Collection[str]) -> "Workflow":
        """Return the workflow in which other jobs fail at once: their environment refuses them."""
        own = {name: it if name in jobs else _refused(it) for name, it in self.jobs.items()}
        return replace(self, content={**self.content, "jobs": own})

    def environment(self, job: str) -> str:
        """Return the name of the environment that a job belongs to, or nothing."""
        said = self.jobs[job].get("environment", "")
        name = str(said["name"] if isinstance(said, dict) else said)
        if OPENS in name:
            words = f"the replay cannot tell the environment {name!r}; write its name"
            raise UsageError(f"{self.path}: {words}")
        return name.casefold()


def _refused(job: Yaml) -> Yaml:
    """Return a job that waits for what it waited for, and then fails."""
    kept = {name: it for name, it in job.items() if name in {"if", "needs", "runs-on", "strategy"}}
    words = "The ref is not allowed to deploy to the environment"
    return {**kept, "steps": [{"run": f"echo '{words}'; exit 1"}]}


def parse(path: str, text: str) -> Workflow:
    """Read a workflow file; raises UsageError where it is no YAML with events and jobs."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if isinstance(content, dict) and True in content:  # YAML 1.1 reads the word `on` so.
        content["on"] = content.pop(True)
    if not isinstance(content, dict) or not {"on", "jobs"} <= set(content):
        raise UsageError(f"{path}: a workflow has `on` and `jobs`; write both")
    return Workflow(path, content)


def matches(branch: str, patterns: Sequence[str]) -> bool:
    """Tell whether a branch fits patterns, of which the last one that fits decides."""
    fits = False
    for pattern in patterns:
        words = re.escape(pattern.removeprefix("!"))
        words = words.replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        if re.fullmatch(words, branch):
            fits = not pattern.startswith("!")
    return fits
