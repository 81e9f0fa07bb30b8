"""A version of the registered model, and the words of its tags and aliases."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import UsageError

CHAMPION, CHALLENGER = "champion", "challenger"
STAGE = "stage"
STAGING, PRODUCTION, ARCHIVED = "staging", "production", "archived"
ROLLED_BACK = "rolled_back"


@dataclass(frozen=True)
class Version:
    """One version of the registered model."""

    number: int
    tags: Mapping[str, str]
    run_id: str

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        return self.tags.get("digest", "")


def named(version: int | None, alias: str | None) -> str:
    """Return what is wanted in one word; raises UsageError where both are named."""
    if version is not None and alias is not None:
        raise UsageError("--version and --alias: name one of them")
    return str(version) if version is not None else alias or CHAMPION
