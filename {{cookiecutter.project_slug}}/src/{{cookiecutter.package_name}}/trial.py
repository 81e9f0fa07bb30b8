"""A challenger before the gate: whom it meets, what is known without rows, and the verdict."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from . import fetched, signature
from .candidate import Candidate
from .errors import WorldError
from .gate import BEST, CHAMPION, Answer, Check, Verdict, unchanged
from .ledger import Ledger
from .params import FILE, Gate
from .registry import Registry
from .settings import Settings
from .versions import CHAMPION as ALIAS
from .versions import ROLLED_BACK, Version


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
        if ledger.entries():
            raise WorldError(
                f"{registry.name}: the ledger knows champions, but no version is champion; say "
                "which one is with `nox -s rollback -- VERSION`"
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
    bounds: Gate,
    settings: Settings,
    again: str | None = None,
) -> Verdict:
    """Hold the gate; `again` is the reason for which a model that was rolled back may come back."""
    champion = met.champion
    if champion and champion.digest == candidate.digest:
        return unchanged(candidate.digest)  # at once: what is imported below takes seconds
    checks = [_rolled_back(registry, candidate, again), _size(candidate, bounds)]
    if champion and not _same_target(champion, candidate):
        checks.append(_other_target(champion, candidate))
        return Verdict(Answer.REJECT, candidate.digest, champion.digest, checks, {})
    from threadpoolctl import threadpool_limits

    from . import contest
    from .checks import judge

    with ExitStack() as open_models, threadpool_limits(1, user_api="blas"):
        own = fetched.copied(candidate.folder, candidate.digest, settings)
        ours = open_models.enter_context(own)
        candidate = replace(candidate, folder=ours)
        folders = {
            role: open_models.enter_context(fetched.model(registry, version, settings))
            for role, version in met.by_role().items()
        }
        if CHAMPION in folders and bounds.signature == "compatible":
            checks.append(_signature(candidate.folder, folders[CHAMPION]))
        rows = contest.rows(settings, candidate, met.by_role().values())
        met_on = contest.contest(settings, candidate, folders, rows)
    return judge(met_on, bounds, checks, (candidate.digest, champion.digest if champion else ""))


def _same_target(champion: Version, candidate: Candidate) -> bool:
    params = candidate.params
    here = {"target": params.data.target, "task": params.task.value}
    return all(champion.tags.get(name, value) == value for name, value in here.items())


def _other_target(champion: Version, candidate: Candidate) -> Check:
    words = (
        f"the champion predicts {champion.tags.get('target')!r} ({champion.tags.get('task')}), "
        "which cannot be compared; a project of another name keeps its own champion"
    )
    return Check("same target", False, None, None, words)


def _rolled_back(registry: Registry, candidate: Candidate, again: str | None) -> Check:
    version = registry.of_digest(candidate.digest)
    why = version.tags.get(ROLLED_BACK) if version else None
    reason = "it never was" if why is None else f"it was rolled back: {why}"
    if why is not None:
        reason += (
            f"; promoted again: {again}"
            if again and again.strip()
            else "; --again REASON promotes it anyway"
        )
    return Check(
        "not rolled back", why is None or bool(again and again.strip()), None, None, reason
    )


def _size(candidate: Candidate, bounds: Gate) -> Check:
    files = filter(Path.is_file, candidate.folder.rglob("*"))
    size = round(sum(path.stat().st_size for path in files) / 1e6, 3)
    words = f"{size} MB, at most {bounds.megabytes:g} MB are allowed"
    return Check("size", size <= bounds.megabytes, size, bounds.megabytes, words)


def _signature(ours: Path, theirs: Path) -> Check:
    broken = signature.breaks(ours, theirs)
    words = "callers of the champion need not change"
    if broken:
        words = f"{'; '.join(broken)}; `gate.signature: any` in {FILE} allows it"
    return Check("signature", not broken, None, None, words)
