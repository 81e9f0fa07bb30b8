"""Tokens: each job of a run has its own, with the permissions that its workflow gives it."""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any

_LEVELS = {"none": 0, "read": 1, "write": 2}
DEFAULT = {"contents": "read", "packages": "read"}
"""What a job may do where nothing is said: GitHub's restricted default for new repositories."""


@dataclass
class Rights:
    """The tokens that are valid now."""

    private: bool = True
    granted: dict[str, dict[str, str]] = field(default_factory=dict)

    def grant(self, permissions: dict[str, str]) -> str:
        """Return a new token."""
        token = f"ghs_{secrets.token_hex(18)}"
        self.granted[token] = permissions
        return token

    def revoke(self, tokens: list[str]) -> None:
        """Let tokens be worth nothing from now on."""
        for token in tokens:
            del self.granted[token]

    def refused(self, header: str | None, need: str, level: str) -> int | None:
        """Return the HTTP status that refuses a request, or None where it is allowed."""
        if header is None:
            return 401 if self.private or level == "write" else None
        permissions = self.granted.get(token_of(header))
        if permissions is None:
            return 401
        if level == "read" and not self.private:
            return None
        held = max(_LEVELS[permissions.get(name, "none")] for name in need.split())
        return None if held >= _LEVELS[level] else 403


def token_of(header: str) -> str:
    """Return the token of an Authorization header, which git writes as a password."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        return base64.b64decode(value + "==").decode("utf-8", "replace").partition(":")[2]
    return value if scheme.lower() in {"bearer", "token"} else ""


def of_job(workflow: dict[str, Any], job: dict[str, Any], trusted: bool) -> dict[str, str]:
    """Return a job's permissions; a fork's and a bot's pull request can write nothing."""
    said = job.get("permissions", workflow.get("permissions", DEFAULT))
    if isinstance(said, str):  # read-all, write-all
        names = ("actions", "contents", "issues", "packages", "pull-requests")
        said = dict.fromkeys(names, said.removesuffix("-all"))
    return {
        name: level if trusted else level.replace("write", "read") for name, level in said.items()
    }
