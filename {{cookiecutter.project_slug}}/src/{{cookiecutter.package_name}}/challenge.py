"""Who asks to become champion, and how the verdict on them comes about.

On a laptop the model lies in the project's folder and the gate is held now. On a forge one job has
held it, and another one promotes, which may not run the model: it takes the verdict over, as long
as what the verdict was about is still so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import bounds, candidate, gate_report, git, parcel, provenance, standing, trial
from .candidate import Candidate
from .errors import UsageError, WorldError
from .gate import Verdict
from .registry import Registry
from .settings import Settings
from .trial import Rivals

_MAIN = {"main", "master", ""}
"""No branch at all is what a forge checks out to build main."""


@dataclass(frozen=True)
class Challenge:
    """A candidate, the verdict that it gets, where that one's files lie, and what is said of it."""

    candidate: Candidate
    verdict: Callable[[Registry, Rivals], Verdict]
    evidence: Path
    told: Mapping[str, str]
    """Tags of the ledger's entry."""


def here(settings: Settings, revision: str | None, again: str | None, dirty: bool) -> Challenge:
    """Return the challenge of the model in the project's folder.

    Raises UsageError for uncommitted changes on main, unless they are allowed.
    """
    asked, where = bounds.of(settings, revision)
    found = candidate.here(settings)
    unclean = git.is_dirty(settings.root, provenance.inputs(settings.root))
    if unclean and not dirty and git.branch(settings.root) in _MAIN:
        raise UsageError(
            "code, params or files of the stages have changes that are not committed, so nobody "
            "could make this model again; commit them, or say --dirty, and the ledger tells so"
        )

    def verdict(there: Registry, met: Rivals) -> Verdict:
        given = trial.verdict(there, found, met, asked, settings, again)
        gate_report.write(given, there.name, where, settings.root)
        return given

    told = {"bounds": where, "reason": again or ""} | ({"git_dirty": "true"} if unclean else {})
    return Challenge(found, verdict, settings.root, told)


def handed_over(settings: Settings, folder: Path) -> Challenge:
    """Return the challenge of a parcel; raises WorldError where the verdict holds no more."""
    found = parcel.unpack(settings, folder)
    given, where = parcel.verdict(folder)

    def verdict(there: Registry, met: Rivals) -> Verdict:
        if met.champion and met.champion.digest == found.digest:
            return trial.same(there, met.champion, settings)
        champion = met.champion.digest if met.champion else None
        if champion != given.champion:
            raise WorldError(
                f"{there.name}: the champion is {_named(champion)} now, and the gate was held "
                f"against {_named(given.champion)}; run all jobs of the workflow again"
            )
        marked = standing.rolled_back(there, found, None)
        return given if marked.passed else trial.rejected(given, marked)

    return Challenge(found, verdict, folder, {"bounds": where, "proof": parcel.proof(folder)})


def _named(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"
