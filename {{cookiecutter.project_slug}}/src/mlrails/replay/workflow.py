"""A workflow file: its events, groups and rights; and the copy of it that `act` reads.

`act` knows no branch filters, no concurrency, and one set of secrets and one token for a whole run.
So the filters are read here, and the copy names each job's own secrets and token.
"""

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from ..core.errors import UsageError

Yaml = dict[str, Any]
OPENS = "${" + "{"
"""What begins an expression; in two parts, as in one it is the template's own."""
_NAME = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")
_DEFAULT = {"contents": "read", "packages": "read"}
"""What a job may do where nothing is said: GitHub's restricted default for new repositories."""
_FILTERS = {"branches", "branches-ignore", "types", "inputs"}
SYSTEM = "ubuntu-24.04"
"""The one that this machine stands in for."""
_OF_MATRIX = re.compile(r"\$\{\{\s*matrix\.(\w+)\s*\}\}")
_TOKEN = re.compile(r"\bgithub\.token\b|\bsecrets\.GITHUB_TOKEN\b", re.IGNORECASE)
_SECRET = re.compile(r"\bsecrets\.(\w+)", re.IGNORECASE)
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WORDS = re.compile(r"'[^']*'")
_WHOLE = re.compile(r"(?<![.\w])(secrets|github)\b(?!\.\w)", re.IGNORECASE)
"""All that a context holds, where a job has its own of each."""


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
        if event == "schedule":  # Its times are no filters.
            return {}
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
        group = _NAME.sub(lambda found: known.get(found[1], found[0]), said)
        if OPENS in group:
            raise UsageError(f"{self.path}: the replay cannot tell the concurrency group {group!r}")
        return group

    def permissions(self, job: str, trusted: bool) -> dict[str, str]:
        """Return what a job's token may do."""
        return _permissions(self.content, self.jobs[job], trusted)

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


def _permissions(workflow: Yaml, job: Yaml, trusted: bool) -> dict[str, str]:
    """Return a job's permissions; a fork's and a bot's pull request can write nothing."""
    said: Any = job.get("permissions", workflow.get("permissions", _DEFAULT))
    if isinstance(said, str):  # read-all, write-all
        names = ("actions", "contents", "issues", "packages", "pull-requests")
        said = dict.fromkeys(names, said.removesuffix("-all"))
    return {
        name: level if trusted else level.replace("write", "read") for name, level in said.items()
    }


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


def for_act(workflow: Workflow, shell: str) -> str:
    """Return the text that `act` reads; its steps run in the given shell."""
    content = _without_concurrency(workflow.content)
    content["defaults"] = {"run": {"shell": _starts(shlex.quote(shell))}}
    common = content.pop("env", {})
    content["jobs"] = {
        name: _own(name, {**job, "env": common | job.get("env", {})}, shell)
        for name, job in workflow.jobs.items()
    }
    return yaml.safe_dump(content, sort_keys=False)


def secret_name(job: str, name: str) -> str:
    """Return the name that a job's secret bears in the copy."""
    return f"{job}_{name}".upper().replace("-", "_")


def _without_concurrency(holder: Yaml) -> Yaml:
    return {name: it for name, it in holder.items() if name != "concurrency"}


def _starts(shell: str) -> str:
    """Return how act starts a step; it splits the line after it has put its script in."""
    return shell + ' "{0}"'


def _own(name: str, job: Yaml, shell: str) -> Yaml:
    own: Yaml = _renamed(name, _without_concurrency(job))
    _leave_system(own)
    for step in own.get("steps", []):
        if "shell" in step:
            strict = _starts(f"{shlex.quote(shell)} -o pipefail")
            step["shell"] = strict if step["shell"] == "bash" else step["shell"]
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            token = OPENS + f" secrets.{secret_name(name, 'GITHUB_TOKEN')} " + "}}"
            step["with"] = {"token": token, **step.get("with", {})}
    return own


def _leave_system(job: Yaml) -> None:
    """Leave one system of a matrix of them: act takes a row for another where they run at once."""
    if found := _OF_MATRIX.fullmatch(str(job.get("runs-on"))):
        matrix = (job.get("strategy") or {}).get("matrix")
        if isinstance(matrix, dict) and SYSTEM in (matrix.get(found[1]) or ()):
            matrix[found[1]] = [SYSTEM]


def _renamed(job: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(job, it) for name, it in value.items()}
    if isinstance(value, list):
        return [_renamed(job, it) for it in value]
    if not isinstance(value, str):
        return value
    for said in _EXPRESSION.findall(value):
        if found := _WHOLE.search(_WORDS.sub("", said)):
            words = f"the replay knows what {found[1]} holds by its names alone"
            raise UsageError(f"job {job}: {said.strip()}: {words}; write {found[1]}.NAME")
    value = _TOKEN.sub("secrets.GITHUB_TOKEN", value)
    return _SECRET.sub(lambda found: f"secrets.{secret_name(job, found[1])}", value)
