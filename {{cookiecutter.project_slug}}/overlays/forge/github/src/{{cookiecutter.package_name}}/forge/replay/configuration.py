"""What the settings of a repository say on the forge: secrets, variables, and who may see them."""

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
