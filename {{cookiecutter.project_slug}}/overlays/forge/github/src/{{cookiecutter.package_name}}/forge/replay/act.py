"""The copy of a workflow file that `act` reads.

`act` knows no branch filters, no concurrency, and one set of secrets and one token for a whole run.
So who reads the filters is `workflow.py`, and the copy names each job's own secrets and token.
"""

import re
from typing import Any

import yaml

from ...errors import UsageError
from .workflow import OPENS, Workflow, Yaml

SYSTEM = "ubuntu-24.04"
"""The one that this machine stands in for."""
_OF_MATRIX = re.compile(r"\$\{\{\s*matrix\.(\w+)\s*\}\}")
_TOKEN = re.compile(r"\bgithub\.token\b|\bsecrets\.GITHUB_TOKEN\b", re.IGNORECASE)
_SECRET = re.compile(r"\bsecrets\.(\w+)", re.IGNORECASE)
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WORDS = re.compile(r"'[^']*'")
_WHOLE = re.compile(r"(?<![.\w])(secrets|github)\b(?!\.\w)", re.IGNORECASE)
"""All that a context holds, where a job has its own of each."""


def copy(workflow: Workflow, shell: str) -> str:
    """Return the text that `act` reads; its steps run in the given shell."""
    content = _without_concurrency(workflow.content)
    content["defaults"] = {"run": {"shell": _starts(shell)}}
    common = content.pop("env", {})
    content["jobs"] = {
        name: _own(name, {**job, "env": common | job.get("env", {})}, shell)
        for name, job in workflow.jobs.items()
    }
    return yaml.safe_dump(content, sort_keys=False)


def secret(job: str, name: str) -> str:
    """Return the name that a job's secret bears in the copy."""
    return f"{job}_{name}".upper().replace("-", "_")


def _without_concurrency(holder: Yaml) -> Yaml:
    return {name: it for name, it in holder.items() if name != "concurrency"}


def _starts(shell: str) -> str:
    return shell + " {0}"


def _own(name: str, job: Yaml, shell: str) -> Yaml:
    own: Yaml = _renamed(name, _without_concurrency(job))
    _leave_system(own)
    for step in own.get("steps", []):
        if "shell" in step:
            step["shell"] = (
                _starts(f"{shell} -o pipefail") if step["shell"] == "bash" else step["shell"]
            )
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            token = OPENS + f" secrets.{secret(name, 'GITHUB_TOKEN')} " + "}}"
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
    return _SECRET.sub(lambda found: f"secrets.{secret(job, found[1])}", value)
