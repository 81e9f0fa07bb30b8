"""Register, gate, and make the model of this folder the champion when the verdict allows it."""

from pathlib import Path

from .. import (
    candidate,
    challenge,
    fetched,
    gate_report,
    git,
    ledger,
    moves,
    permissions,
    registry,
    remote,
    signing,
    trial,
    turns,
)
from ..challenge import Challenge
from ..console import say
from ..errors import Exit
from ..gate import BEST, CHAMPION, Answer, Verdict
from ..ledger import PROMOTION, Ledger
from ..settings import Settings
from ..trial import Rivals
from ..versions import Version


def promote(
    settings: Settings,
    revision: str | None = None,
    again: str | None = None,
    dirty: bool = False,
    handed_over: Path | None = None,
    tip: str | None = None,
) -> Exit:
    """Promote, or say why not; killed at any moment and run again, it completes.

    `handed_over` is the parcel of a candidate whose gate was held elsewhere; `tip` is a branch of
    the remote that must not have moved on: it is asked first, and again before the champion moves.
    """
    if _superseded(settings, tip):
        return Exit.DONE
    permissions.check(settings, permissions.promoter)
    if handed_over:
        return _promote(settings, challenge.handed_over(settings, handed_over), tip)
    return _promote(settings, challenge.to_promote(settings, revision, again, dirty), tip)


def _superseded(settings: Settings, tip: str | None) -> bool:
    """Tell, in words too, whether the branch has moved on from the commit that is checked out."""
    if tip is None:
        return False
    now = remote.tip(settings, tip) or ""
    if now == git.head(settings.root):
        return False
    say(f"promote: superseded: {tip} is at {now[:12] or 'nothing'}, whose own run decides")
    return True


def _promote(settings: Settings, challenger: Challenge, tip: str | None) -> Exit:
    there = registry.connect(settings)
    book = Ledger(there.client, settings)
    version = candidate.register(there, challenger.candidate, settings)
    with turns.turn(there) as held:
        moves.recover(there, book)
        met = trial.rivals(there, book)
        verdict = challenger.hold(there, met)
        if verdict.answer is not Answer.PROMOTE:
            return gate_report.announce(verdict, there.name)
        fetched.check(there, version, settings)
        if _superseded(settings, tip):
            return Exit.DONE
        told = _told(version, met, verdict) | {
            "registry": there.name,
            **ledger.actor(settings),
            "signature": signing.told(settings),
            **challenger.told(),
        }
        evidence = [challenger.evidence / path for path in gate_report.EVIDENCE]
        moves.move(there, book, told, held, evidence)
    candidate.tell_unsigned(settings)
    gate_report.announce(verdict, there.name)
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


def _best(version: Version, met: Rivals, verdict: Verdict) -> int:
    """Return the best champion so far: the new one only where it is clearly better."""
    role, before = (BEST, met.best) if met.best else (CHAMPION, met.champion)
    gained = verdict.differences.get(role)
    if before is None or (gained and gained.low > 0):
        return version.number
    return before.number
