"""Who may see and do what: the settings of a repository, and the tokens of its jobs."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .workflow import matches


@dataclass(frozen=True)
class Configuration:
    """The settings of a repository.

    `secrets` and `limits` are by environment, in small letters. The secrets of "" are the
    repository's, which every job sees; the limits are patterns of the branches that an environment
    lets in, and one without lets any ref in. `variables` are what a workflow calls vars.
    """

    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    private: bool = True

    def lets_in(self, ref: str, environment: str) -> bool:
        """Tell whether an environment lets a ref in; a pull request's is no branch."""
        limits = self.limits.get(environment, ["**"])
        return matches(ref.removeprefix("refs/heads/"), limits)

    def seen_in(self, environment: str) -> dict[str, str]:
        """Return the secrets that a job of an environment sees."""
        return {**self.secrets.get("", {}), **self.secrets.get(environment, {})}


_LEVELS = {"none": 0, "read": 1, "write": 2}


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
