"""Who asks to become champion, and how the verdict on them comes about.

On a laptop the model lies in the project's folder and the gate is held now. On a forge one job has
held it, and another one promotes, which may not run the model: it takes the verdict over, as long
as what the verdict was about is still so.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from . import bounds, candidate, gate_report, git, parcel, provenance, standing, trial
from .candidate import Candidate
from .errors import UsageError, WorldError
from .gate import Verdict
from .params import Params
from .registry import Registry
from .settings import Settings
from .trial import Rivals

_MAIN = {"main", "master", ""}
"""No branch at all is what a forge checks out to build main."""


class Challenge(Protocol):
    """A candidate that asks to become champion."""

    @property
    def candidate(self) -> Candidate:
        """The model."""

    @property
    def evidence(self) -> Path:
        """Where the files of the verdict lie."""

    def told(self) -> dict[str, str]:
        """Return tags of the ledger's entry."""

    def hold(self, registry: Registry, rivals: Rivals) -> Verdict:
        """Hold the gate against the rivals, or take over what it has said of them."""


@dataclass(frozen=True)
class Held:
    """The challenge of the model in the project's folder: the gate is held here and now."""

    settings: Settings
    candidate: Candidate
    bounds: Params
    """The params that the gate goes by, those of a base perhaps."""
    bounds_of: str
    again: str | None = None
    """The reason for which a model that was rolled back may come back."""
    unclean: bool = False
    """Whether the model is made of what is not committed; only `promote` asks."""

    @property
    def evidence(self) -> Path:
        """The project's folder."""
        return self.settings.root

    def told(self) -> dict[str, str]:
        """Return whose bounds counted, and why what was rolled back comes again."""
        dirty = {"git_dirty": "true"} if self.unclean else {}
        return {"bounds": self.bounds_of, "reason": self.again or ""} | dirty

    def hold(self, registry: Registry, rivals: Rivals) -> Verdict:
        """Hold the gate, and write its files."""
        given = trial.verdict(
            registry, self.candidate, rivals, self.bounds, self.settings, self.again
        )
        gate_report.write(given, registry.name, self.bounds_of, self.settings.root)
        return given


def here(settings: Settings, revision: str | None = None, again: str | None = None) -> Held:
    """Return the challenge of the model in the project's folder, by the bounds of a revision.

    Raises UsageError where there is no such revision, or no model of today's params and files.
    """
    asked, where = bounds.of(settings.root, revision)
    return Held(settings, candidate.here(settings), asked, where, again)


def to_promote(settings: Settings, revision: str | None, again: str | None, dirty: bool) -> Held:
    """Return the challenge of `here`, for whom that it passes moves something.

    Raises UsageError for uncommitted changes on main as well, unless they are allowed.
    """
    found = here(settings, revision, again)
    unclean = git.is_dirty(settings.root, provenance.inputs(settings.root))
    if unclean and not dirty and git.branch(settings.root) in _MAIN:
        raise UsageError(
            "code, params or files of the stages have changes that are not committed, so nobody "
            "could make this model again; commit them, or say --dirty, and the ledger tells so"
        )
    return replace(found, unclean=unclean)


@dataclass(frozen=True)
class HandedOver:
    """The challenge of a parcel, whose gate was held elsewhere."""

    settings: Settings
    candidate: Candidate
    evidence: Path

    def told(self) -> dict[str, str]:
        """Return whose bounds counted, and what has proved the model."""
        _, bounds_of = parcel.verdict(self.evidence)
        return {"bounds": bounds_of, "proof": parcel.proof(self.evidence)}

    def hold(self, registry: Registry, rivals: Rivals) -> Verdict:
        """Take the verdict over; raises WorldError where it holds no more."""
        ours, champion = self.candidate, rivals.champion
        if champion and champion.digest == ours.digest:
            return trial.same(registry, champion, self.settings)
        given, _ = parcel.verdict(self.evidence)
        digest = champion.digest if champion else None
        if digest != given.champion:
            raise WorldError(
                f"{registry.name}: the champion is {_named(digest)} now, and the gate was held "
                f"against {_named(given.champion)}; run all jobs of the workflow again"
            )
        marked = standing.rolled_back(registry, ours, None)
        return given if marked.passed else trial.rejected(given, marked)


def handed_over(settings: Settings, folder: Path) -> HandedOver:
    """Return the challenge of a parcel; raises as `parcel.unpack` and `parcel.verdict` do."""
    found = parcel.unpack(settings, folder)
    parcel.verdict(folder)
    return HandedOver(settings, found, folder)


def _named(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"
