"""A workflow file: which events it waits for, and the copy of it that `act` reads.

`act` knows no branch filters, no concurrency, and one set of secrets and one token for a whole run.
So the filters are read here, and the copy names each job's own secrets and token.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from ...errors import UsageError
from .rights import of_job

Yaml = dict[str, Any]
_TOKEN = re.compile(r"\bgithub\.token\b|\bsecrets\.GITHUB_TOKEN\b")
_SECRET = re.compile(r"\bsecrets\.(\w+)")
_OPENS = "${" + "{"  # In two parts: in one it is the template's own.
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

    def concurrency(self, ref: str) -> tuple[str | None, bool]:
        """Return the group of a run on a ref, and whether all that wait in it are kept."""
        said = self.content.get("concurrency")
        if said is None:
            return None, True
        said = {"group": said} if isinstance(said, str) else said
        group = re.sub(r"\$\{\{\s*github\.ref\s*\}\}", ref, str(said["group"]))
        group = re.sub(r"\$\{\{\s*github\.workflow\s*\}\}", self.name, group)
        if _OPENS in group:
            raise UsageError(f"{self.path}: the replay cannot tell the concurrency group {group!r}")
        return group, said.get("queue") == "max"

    def permissions(self, job: str, trusted: bool) -> dict[str, str]:
        """Return what a job's token may do."""
        return of_job(self.content, self.jobs[job], trusted)

    def environment(self, job: str) -> str:
        """Return the name of the environment that a job belongs to, or nothing."""
        said = self.jobs[job].get("environment", "")
        return str(said["name"] if isinstance(said, dict) else said)

    def copy(self, shell: str) -> str:
        """Return the text that `act` reads; its steps run in the given shell."""
        content = {name: it for name, it in self.content.items() if name != "concurrency"}
        content["defaults"] = {"run": {"shell": _starts(shell)}}
        content["jobs"] = {name: _own(name, job, shell) for name, job in self.jobs.items()}
        return yaml.safe_dump(content, sort_keys=False)


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


def matches(branch: str, patterns: list[str]) -> bool:
    """Tell whether a branch fits patterns, of which the last one that fits decides."""
    fits = False
    for pattern in patterns:
        words = re.escape(pattern.removeprefix("!"))
        words = words.replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        if re.fullmatch(words, branch):
            fits = not pattern.startswith("!")
    return fits


def secret(job: str, name: str) -> str:
    """Return the name that a job's secret bears in the copy."""
    return f"{job}_{name}".upper().replace("-", "_")


def _starts(shell: str) -> str:
    return shell + " {0}"


def _own(name: str, job: Yaml, shell: str) -> Yaml:
    own: Yaml = _renamed(name, job)
    for step in own.get("steps", []):
        if "shell" in step:
            step["shell"] = (
                _starts(f"{shell} -o pipefail") if step["shell"] == "bash" else step["shell"]
            )
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            token = _OPENS + f" secrets.{secret(name, 'GITHUB_TOKEN')} " + "}}"
            step["with"] = {"token": token, **step.get("with", {})}
    return own


def _renamed(job: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(job, it) for name, it in value.items()}
    if isinstance(value, list):
        return [_renamed(job, it) for it in value]
    if not isinstance(value, str):
        return value
    value = _TOKEN.sub("secrets.GITHUB_TOKEN", value)
    return _SECRET.sub(lambda found: f"secrets.{secret(job, found[1])}", value)
