"""What happens on a forge, as the payloads that GitHub documents for its webhooks."""

from typing import Any

from ..core.errors import UsageError
from .files import FULL_NAME, OWNER, REPOSITORY, STRANGER, Record
from .workflow import Workflow

PERSON = {"login": OWNER, "id": 1, "type": "User"}
BOT = {"login": "dependabot[bot]", "id": 49699333, "type": "Bot"}
FORKER = {"login": STRANGER, "id": 2, "type": "User"}


def repository(fork: bool = False) -> Record:
    """Return the repository, or the stranger's fork of it."""
    name = f"{STRANGER}/{REPOSITORY}" if fork else FULL_NAME
    return {
        "id": 2 if fork else 1,
        "name": REPOSITORY,
        "full_name": name,
        "owner": FORKER if fork else PERSON,
        "fork": fork,
        "default_branch": "main",
    }


def pull(number: int, branch: str, head: str, base: str, base_sha: str, user: Record) -> Record:
    """Return a pull request, which is a fork's where the stranger opened it."""
    fork = user == FORKER
    return {
        "id": number,
        "number": number,
        "state": "open",
        "title": f"Merge {branch}",
        "user": user,
        "merged": False,
        "merged_at": None,
        "merge_commit_sha": None,
        "head": {"ref": branch, "sha": head, "repo": repository(fork), "user": user},
        "base": {"ref": base, "sha": base_sha, "repo": repository(), "user": PERSON},
    }


def of_pull(action: str, found: Record, before: str | None = None) -> Record:
    """Return the payload of `pull_request`."""
    public = {name: it for name, it in found.items() if not name.startswith("_")}
    moved = {"before": before, "after": found["head"]["sha"]} if before else {}
    return {
        "action": action,
        "number": found["number"],
        "pull_request": public,
        "repository": repository(),
        "sender": found["user"],
        **moved,
    }


def of_push(branch: str, before: str, after: str, forced: bool) -> Record:
    """Return the payload of `push`."""
    return {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": not before.strip("0"),
        "deleted": False,
        "forced": forced,
        "head_commit": {"id": after},
        "pusher": {"name": OWNER},
        "repository": repository(),
        "sender": PERSON,
    }


def of_schedule() -> Record:
    """Return the payload of `schedule`."""
    return {"ref": "refs/heads/main", "repository": repository(), "sender": PERSON}


def of_dispatch(workflow: Workflow, branch: str, given: dict[str, Any]) -> Record:
    """Return the payload of `workflow_dispatch`; raises UsageError for inputs that do not fit."""
    filters = workflow.waits_for("workflow_dispatch")
    if filters is None:
        raise UsageError(f"{workflow.path} is not started by hand: it has no workflow_dispatch")
    known = filters.get("inputs") or {}
    if unknown := set(given) - set(known):
        raise UsageError(f"{workflow.path}: unexpected input {sorted(unknown)[0]!r}")
    inputs = {name: str(given.get(name, it.get("default", ""))) for name, it in known.items()}
    for name, said in known.items():
        if said.get("required") and not inputs[name]:
            raise UsageError(f"{workflow.path}: the required input {name!r} is missing")
    return {
        "inputs": inputs,
        "ref": f"refs/heads/{branch}",
        "workflow": workflow.path,
        "repository": repository(),
        "sender": PERSON,
    }
