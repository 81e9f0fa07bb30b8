"""Register, gate, and make the model of this folder the champion when the verdict allows it.

On a laptop the model lies in the project's folder and the gate is held now. On a forge one job has
held it, and another one promotes, which may not run the model: it takes the verdict over, as long
as what the verdict was about is still so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..core import git
from ..core.console import say
from ..core.errors import Exit, UsageError, WorldError
from ..core.params import Params
from ..core.settings import Settings
from ..evaluation.own import Own
from ..gate import judge, report
from ..gate.bounds import load_bounds, load_metrics
from ..gate.judge import Rivals
from ..gate.verdict import BEST, CHAMPION, Answer, Verdict, unchanged
from ..pipeline import candidate
from ..pipeline.candidate import Candidate
from ..registry import (
    download,
    git_branch,
    ledger,
    lock,
    permissions,
    signing,
    stored,
    transitions,
    versions,
)
from ..registry.ledger import PROMOTION, Ledger
from ..registry.versions import Registry, Version
from ..tracking import input_key, recording
from . import bundle

if TYPE_CHECKING:
    from ..gate.predictions import Give

_NONE = Own()
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

    evidence: Path
    """The project's folder."""
    candidate: Candidate
    bounds: Params
    """The params that the gate goes by, those of a base perhaps."""
    bounds_of: str
    again: str | None = None
    """The reason for which a model that was rolled back may come back."""
    own: Own = _NONE
    """The project's metrics that the gate goes by."""
    unclean: bool = False
    """Whether the model is made of what is not committed; only `promote` asks."""
    give: "Give | None" = None
    """Lets models predict elsewhere than in this process."""

    def told(self) -> dict[str, str]:
        """Return whose bounds counted, and why what was rolled back comes again."""
        dirty = {"git_dirty": "true"} if self.unclean else {}
        return {"bounds": self.bounds_of, "reason": self.again or ""} | dirty

    def hold(self, registry: Registry, rivals: Rivals) -> Verdict:
        """Hold the gate, and write its files."""
        asked = self.bounds, self.again, self.own, self.give
        given = judge.verdict(registry, self.candidate, rivals, *asked)
        report.write(given, registry.name, self.bounds_of, self.evidence)
        return given

    def unchanged(self, registry: Registry) -> Exit:
        """Say that the model is the champion, whose bytes are checked already."""
        given = unchanged(self.candidate.digest)
        report.write(given, registry.name, self.bounds_of, self.evidence)
        return report.announce(given, registry.name)


def here(
    settings: Settings, revision: str | None = None, again: str | None = None, own: Own = _NONE
) -> Held:
    """Return the challenge of the model in the project's folder, by the bounds of a revision.

    Raises UsageError where there is no such revision, or no model of today's params and files.
    """
    asked, where = load_bounds(settings.root, revision, own.metrics)
    ours = load_metrics(settings.root, revision, own)
    return Held(settings.root, candidate.here(settings), asked, where, again, ours)


def to_promote(
    settings: Settings, revision: str | None, again: str | None, dirty: bool, own: Own = _NONE
) -> Held:
    """Return the challenge of `here`, for whom that it passes moves something.

    Raises UsageError for uncommitted changes on main as well, unless they are allowed.
    """
    found = here(settings, revision, again, own)
    unclean = git.is_dirty(settings.root, input_key.inputs(settings.root))
    if unclean and not dirty and git.branch(settings.root) in _MAIN:
        raise UsageError(
            "code, params or files of the stages have changes that are not committed, so nobody "
            "could make this model again; commit them, or say --dirty, and the ledger tells so"
        )
    return replace(found, unclean=unclean)


@dataclass(frozen=True)
class HandedOver:
    """The challenge of a bundle, whose gate was held elsewhere."""

    candidate: Candidate
    evidence: Path
    """The bundle's folder."""

    def told(self) -> dict[str, str]:
        """Return whose bounds counted, and what has proved the model."""
        _, bounds_of = bundle.verdict(self.evidence)
        return {"bounds": bounds_of, "proof": bundle.proof(self.evidence)}

    def hold(self, registry: Registry, rivals: Rivals) -> Verdict:
        """Take the verdict over; raises WorldError where it holds no more."""
        ours, champion = self.candidate, rivals.champion
        if champion and champion.digest == ours.digest:
            return judge.same(registry, champion)
        given, _ = bundle.verdict(self.evidence)
        digest = champion.digest if champion else None
        if digest != given.champion:
            raise WorldError(
                f"{registry.name}: the champion is {_named(digest)} now, and the gate was held "
                f"against {_named(given.champion)}; run all jobs of the workflow again"
            )
        marked = judge.rolled_back(registry, ours, None)
        return given if marked.passed else judge.rejected(given, marked)


def from_bundle(settings: Settings, folder: Path) -> HandedOver:
    """Return the challenge of a bundle; raises as `bundle.unpack` and `bundle.verdict` do."""
    found = bundle.unpack(settings, folder)
    bundle.verdict(folder)
    return HandedOver(found, folder)


def _named(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"


def gate(
    settings: Settings, revision: str | None = None, again: str | None = None, own: Own = _NONE
) -> Exit:
    """Write the verdict; nothing is registered and nothing moves."""
    challenger = here(settings, revision, again, own)
    if _is_champion(settings, challenger.candidate):
        return challenger.unchanged(stored.registry(settings))
    with _scored_beside(settings, challenger) as held:
        there = versions.connect_to_read(settings)
        verdict = held.hold(there, judge.rivals(there, Ledger(there.client, settings)))
    return report.announce(verdict, there.name)


def promote(
    settings: Settings,
    revision: str | None = None,
    again: str | None = None,
    dirty: bool = False,
    handed_over: Path | None = None,
    tip: str | None = None,
    own: Own = _NONE,
) -> Exit:
    """Promote, or say why not; killed at any moment and run again, it completes.

    `handed_over` is the bundle of a candidate whose gate was held elsewhere; `tip` is a branch of
    the remote that must not have moved on: it is asked first, and again before the champion moves.
    """
    if _superseded(settings, tip):
        return Exit.DONE
    permissions.check(settings, permissions.promoter)
    if handed_over:
        return _promote(settings, from_bundle(settings, handed_over), tip)
    challenger = to_promote(settings, revision, again, dirty, own)
    if _is_champion(settings, challenger.candidate):
        there = stored.registry(settings)
        with lock.turn(there):
            return challenger.unchanged(there)
    with _scored_beside(settings, challenger) as held:
        return _promote(settings, held, tip)


@contextmanager
def _scored_beside(settings: Settings, challenger: Held) -> Iterator[Held]:
    """Yield the challenge with a process that loads models while this one imports MLflow."""
    from .scorer import Scorer  # With NumPy, which a model that is the champion needs not.

    with Scorer(settings) as scorer:
        yield replace(challenger, give=scorer.of_models)


def _is_champion(settings: Settings, ours: Candidate) -> bool:
    """Tell whether nothing is left to do, as the project's own store knows it and its run."""
    known = recording.is_recorded(settings, ours.key)
    return known and stored.is_champion(settings, ours.digest)


def _superseded(settings: Settings, tip: str | None) -> bool:
    """Tell, in words too, whether the branch has moved on from the commit that is checked out."""
    if tip is None:
        return False
    now = git_branch.tip(settings, tip) or ""
    if now == git.head(settings.root):
        return False
    say(f"promote: superseded: {tip} is at {now[:12] or 'nothing'}, whose own run decides")
    return True


def _promote(settings: Settings, challenger: Challenge, tip: str | None) -> Exit:
    there = versions.connect(settings)
    book = Ledger(there.client, settings)
    version = candidate.register(there, challenger.candidate, settings)
    with lock.turn(there) as held:
        transitions.recover(there, book)
        met = judge.rivals(there, book)
        verdict = challenger.hold(there, met)
        if verdict.answer is not Answer.PROMOTE:
            return report.announce(verdict, there.name)
        download.check(there, version)
        if _superseded(settings, tip):
            return Exit.DONE
        told = _told(version, met, verdict) | {
            "registry": there.name,
            **ledger.actor(settings),
            "signature": signing.told(settings.root),
            **challenger.told(),
        }
        evidence = [challenger.evidence / path for path in report.EVIDENCE]
        transitions.move(there, book, told, held, evidence)
    candidate.tell_unsigned(there)
    report.announce(verdict, there.name)
    first = "" if met.champion else ", the first one there"
    say(f"promote: version {version.number} is the champion in {there.name}{first}")
    return Exit.DONE


def _told(version: Version, met: Rivals, verdict: Verdict) -> dict[str, str]:
    champion = met.champion
    return {
        "action": PROMOTION,
        "version": str(version.number),
        "digest": version.digest,
        "before": str(champion.number) if champion else "",
        "before_digest": champion.digest if champion else "",
        "best": str(_best(version, met, verdict)),
        "verdict": verdict.answer.value,
        "input_key": version.tags["input_key"],
        "git_commit": version.tags["git_commit"],
        "git_dirty": version.tags["git_dirty"],
    }


def _is_of_one_target(version: Version, other: Version) -> bool:
    """Tell whether both predict the same, as one does that says nothing of it."""
    target = version.tags.get("target")
    return other.tags.get("target", target) == target


def _best(version: Version, met: Rivals, verdict: Verdict) -> int:
    """Return the best champion so far: the new one only where it is clearly better."""
    role, before = (BEST, met.best) if met.best else (CHAMPION, met.champion)
    gained = verdict.differences.get(role)
    if before is None or (gained and gained.low > 0) or not _is_of_one_target(version, before):
        return version.number
    return before.number
