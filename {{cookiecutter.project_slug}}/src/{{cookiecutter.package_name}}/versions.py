"""A version of the registered model, and the words of its tags and aliases."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import UsageError

CHAMPION, CHALLENGER = "champion", "challenger"
STAGE = "stage"
STAGING, PRODUCTION, ARCHIVED = "staging", "production", "archived"
ROLLED_BACK = "rolled_back"
LOCAL = "local"
"""What the model of this folder is called, where a version has its number."""
FOLDER = "folder:"
"""The model of this folder as what is wanted: no alias bears a colon."""
_ALIAS = re.compile(r"(?!\d+\Z)[\w-]+")


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


def named(version: int | None, alias: str | None, local: bool = False) -> str:
    """Return what is wanted in one word; raises UsageError where more than one is named."""
    said = {"--version": version is not None, "--alias": alias is not None, "--local": local}
    if sum(said.values()) > 1:
        raise UsageError(f"{' and '.join(it for it in said if said[it])}: name one of them")
    if alias is not None and not _ALIAS.fullmatch(alias):
        raise UsageError(f"--alias {alias!r}: no alias is called that; a number is a --version")
    if local:
        return FOLDER
    return str(version) if version is not None else alias or CHAMPION
