"""Register, gate, and make the model of this folder the champion when the verdict allows it."""

from .. import (
    author,
    bounds,
    candidate,
    fetched,
    gate_report,
    moves,
    registry,
    signing,
    trial,
    turns,
)
from ..console import say
from ..errors import Exit, UsageError
from ..gate import BEST, CHAMPION, Answer, Verdict
from ..ledger import PROMOTION, Ledger
from ..settings import Settings
from ..trial import Rivals
from ..versions import Version

_MAIN = {"main", "master", ""}
"""No branch at all is what a forge checks out to build main."""


def promote(
    settings: Settings,
    revision: str | None = None,
    again: str | None = None,
    dirty: bool = False,
) -> Exit:
    """Promote, or say why not; killed at any moment and run again, it completes."""
    asked, where = bounds.of(settings, revision)
    found = candidate.here(settings)
    unclean = _unclean(settings, dirty)
    there = registry.connect(settings)
    book = Ledger(there.client, settings)
    version = candidate.register(there, found, settings)
    with turns.turn(there) as held:
        moves.recover(there, book)
        met = trial.rivals(there, book)
        verdict = trial.verdict(there, found, met, asked, settings, again)
        gate_report.write(verdict, there.name, where, settings.root)
        if verdict.answer in {Answer.PROMOTE, Answer.UNCHANGED}:
            fetched.check(there, version, settings)
        if verdict.answer is not Answer.PROMOTE:
            return gate_report.announce(verdict, there.name)
        told = _told(version, met, verdict) | {
            "registry": there.name,
            "bounds": where,
            "actor": author.name(settings),
            "git_dirty": "true" if unclean else version.tags["git_dirty"],
            "reason": again or "",
            "signature": signing.told(settings),
        }
        evidence = [settings.root / path for path in gate_report.EVIDENCE]
        moves.move(there, book, told, held, evidence)
    candidate.tell_unsigned(settings)
    gate_report.announce(verdict, there.name)
    say(f"promote: version {version.number} is the champion")
    return Exit.DONE


def _unclean(settings: Settings, allowed: bool) -> bool:
    unclean = author.is_unclean(settings.root)
    if unclean and not allowed and author.branch(settings.root) in _MAIN:
        raise UsageError(
            "there are changes here that are not committed, so nobody could make this model again; "
            "commit them, or say --dirty, and the ledger tells so"
        )
    return unclean


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
    }


def _best(version: Version, met: Rivals, verdict: Verdict) -> int:
    """Return the best champion so far: the new one only where it is clearly better."""
    role, before = (BEST, met.best) if met.best else (CHAMPION, met.champion)
    if before is None or verdict.differences[role].low > 0:
        return version.number
    return before.number
