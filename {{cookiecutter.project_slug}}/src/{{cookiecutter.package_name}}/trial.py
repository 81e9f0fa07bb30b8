"""A challenger before the gate: whom it meets, what is known without rows, and the verdict."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import data, fetched, layout, standing
from .candidate import Candidate
from .errors import WorldError
from .gate import BEST, CHAMPION, Answer, Check, Verdict, unchanged
from .ledger import Ledger
from .params import Params
from .registry import Registry
from .settings import Settings
from .verified import Model
from .versions import ARCHIVED, PRODUCTION, ROLLED_BACK, STAGE, Version
from .versions import CHAMPION as ALIAS

if TYPE_CHECKING:
    import pandas as pd

    from .checks import Contest

_CROWNED = {PRODUCTION, ARCHIVED}
"""Stages of versions that are or were champion."""


@dataclass(frozen=True)
class Rivals:
    """Whom the challenger has to face; the best champion only where it is another one."""

    champion: Version | None
    best: Version | None

    def by_role(self) -> Mapping[str, Version]:
        """Return those that are there."""
        both = {CHAMPION: self.champion, BEST: self.best}
        return {role: version for role, version in both.items() if version is not None}


def rivals(registry: Registry, ledger: Ledger) -> Rivals:
    """Return the champion and the best one; raises WorldError where the champion has got lost."""
    champion = registry.aliased(ALIAS)
    if champion is None:
        if ledger.entries() or any(it.tags.get(STAGE) in _CROWNED for it in registry.versions()):
            raise WorldError(
                f"{registry.name}: there were champions, but no version is champion; say which one "
                "is with `nox -s rollback -- VERSION`"
            )
        return Rivals(None, None)
    found = best(registry, ledger, champion.tags.get("target"))
    return Rivals(champion, None if found and found.number == champion.number else found)


def best(
    registry: Registry, ledger: Ledger, target: str | None, without: Version | None = None
) -> Version | None:
    """Return the best champion of a target that the ledger knows and that was not rolled back.

    Small losses within the margin add up from champion to champion, but not against that one.
    """
    standing = {
        version.number: version
        for version in registry.versions()
        if ROLLED_BACK not in version.tags and version.tags.get("target") == target
    }
    known = (entry.best for entry in reversed(ledger.entries()))
    left_out = without.number if without else None
    numbers = (it for it in known if it in standing and it != left_out)
    return next((standing[number] for number in numbers), None)


def verdict(
    registry: Registry,
    candidate: Candidate,
    met: Rivals,
    bounds: Params,
    settings: Settings,
    again: str | None = None,
) -> Verdict:
    """Hold the gate of the params `bounds`, those of a base perhaps.

    `again` is the reason for which a model that was rolled back may come back.
    """
    champion = met.champion
    if champion and champion.digest == candidate.digest:  # What is imported below takes seconds.
        return same(registry, champion, settings)
    checks = [standing.rolled_back(registry, candidate, again)]
    checks += [standing.size(candidate, bounds.gate)]
    names = (candidate.digest, champion.digest if champion else "")
    if other := standing.other_target(champion, candidate):
        return _incomparable(names, [*checks, other])
    from . import contest, looks
    from .checks import judge

    raw = data.read(settings.root / layout.RAW)
    checks.append(contest.same_holdout(raw, candidate.params, bounds))
    if not checks[-1].passed:
        return _incomparable(names, checks)
    met_on, more = _meet(registry, candidate, met, bounds, settings, raw)
    found = judge(met_on, bounds.gate, [*checks, *more], names)
    return replace(found, looks=looks.at(registry, candidate))


def _meet(
    registry: Registry,
    candidate: Candidate,
    met: Rivals,
    bounds: Params,
    settings: Settings,
    raw: "pd.DataFrame",
) -> tuple["Contest", Sequence[Check]]:
    """Let all models predict the rows of the contest; return it, and what was seen of the models.

    Each is loaded from a copy of checked bytes, and adds up in one thread.
    """
    from threadpoolctl import threadpool_limits

    from . import contest

    with ExitStack() as open_models, threadpool_limits(1, user_api="blas"):
        own = fetched.copied(candidate.folder, candidate.digest, settings)
        candidate = replace(candidate, folder=open_models.enter_context(own))
        models = {
            role: Model(open_models.enter_context(fetched.model(registry, it, settings)), it.digest)
            for role, it in met.by_role().items()
        }
        checks = []
        if CHAMPION in models and bounds.gate.signature == "compatible":
            checks.append(standing.signature(candidate.folder, models[CHAMPION].folder))
        rows = contest.rows(raw, candidate, met.by_role().values())
        return contest.contest(settings.root, candidate, models, rows, bounds), checks


def _incomparable(names: tuple[str, str], checks: Sequence[Check]) -> Verdict:
    """Return the verdict where there is nothing to compare on."""
    return Verdict(Answer.REJECT, names[0], names[1] or None, checks, {})


def same(registry: Registry, champion: Version, settings: Settings) -> Verdict:
    """Return the verdict on the champion's own model, whose bytes in the registry are checked."""
    fetched.check(registry, champion, settings)
    return unchanged(champion.digest)


def rejected(verdict: Verdict, check: Check) -> Verdict:
    """Return a verdict that a later check has overturned."""
    return replace(verdict, answer=Answer.REJECT, checks=[*verdict.checks, check])
