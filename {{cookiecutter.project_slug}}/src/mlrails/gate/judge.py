"""A challenger before the gate: whom it meets, what is known without rows, and the verdict.

Every version that was registered for its test rows has been looked at on them; what was gated
without being registered is known to nobody.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core import layout
from ..core.errors import WorldError
from ..core.params import FILE, Gate, Params
from ..core.settings import scratch_of
from ..data import parquet
from ..evaluation.own import Own
from ..modeling.checked_copy import Model
from ..modeling.signature import breaking_changes, columns
from ..pipeline.candidate import Candidate
from ..refits import spread
from ..registry import download
from ..registry.ledger import Ledger
from ..registry.versions import ARCHIVED, PRODUCTION, ROLLED_BACK, STAGE, Registry, Version
from ..registry.versions import CHAMPION as ALIAS
from .looks import Looks, cost_of_looks, with_looks
from .verdict import BEST, CHAMPION, Answer, Check, Verdict, unchanged

if TYPE_CHECKING:
    import pandas as pd

    from .checks import Contest
    from .predictions import Give


_NONE = Own()


def looks_so_far(registry: Registry, candidate: Candidate) -> Looks:
    """Return how many models of this split were registered, the challenger among them."""
    split = candidate.place.split_digest(candidate.params)
    digests = {
        version.digest
        for version in registry.versions()
        if version.tags.get("split_digest") == split
        and version.tags.get("target") == candidate.params.data.target
    }
    return cost_of_looks(len(digests | {candidate.digest}))


def other_target(
    champion: Version | None, candidate: Candidate, replaces: str | None
) -> Check | None:
    """Fail where the champion predicts something else, unless it is to be replaced all the same.

    None where it does not. `replaces` is the target of a champion that need not be compared with.
    """
    params = candidate.params
    here = {"target": params.data.target, "task": params.task.value}
    tags = champion.tags if champion else {}
    if all(tags.get(name, value) == value for name, value in here.items()):
        return None
    named = f"the champion predicts {tags.get('target')!r} ({tags.get('task')})"
    if replaces is not None and tags.get("target") == replaces:
        words = f"{named}, which `gate.replaces` in {FILE} lets go: only the floors count"
        return Check("same target", True, None, None, words)
    words = (
        f"{named}, which cannot be compared; `gate.replaces: {tags.get('target')}` in {FILE} lets "
        "it go, and a project of another name keeps its own champion"
    )
    return Check("same target", False, None, None, words)


def rolled_back(registry: Registry, candidate: Candidate, again: str | None) -> Check:
    """Fail for a digest that was rolled back, unless a reason brings it back."""
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


def size(candidate: Candidate, bounds: Gate) -> Check:
    """Fail for a model of more megabytes than the bound."""
    files = filter(Path.is_file, candidate.folder.rglob("*"))
    found = round(sum(path.stat().st_size for path in files) / 1e6, 3)
    words = f"{found} MB, at most {bounds.megabytes:g} MB are allowed"
    return Check("size", found <= bounds.megabytes, found, bounds.megabytes, words)


def read_of(folder: Path, sensitive: Iterable[str]) -> list[str]:
    """Return the columns that a model asks for, of those that are to be kept from it."""
    return sorted({*sensitive} & {*columns(folder)[0]})


def outside(folder: Path, sensitive: Iterable[str]) -> Iterator[Check]:
    """Fail where a model asks for a column that the bounds keep from it."""
    if names := list(sensitive):
        asked = read_of(folder, names)
        words = f"the model asks for {', '.join(map(repr, asked))}, which `data.sensitive` of the "
        words += f"bounds keeps from it; take it out of the features in {FILE}"
        told = words if asked else "the model asks for none of them"
        yield Check("sensitive columns", not asked, None, None, told)


def signature(ours: Path, theirs: Path) -> Check:
    """Fail where callers of the champion would have to change."""
    broken = breaking_changes(ours, theirs)
    words = "callers of the champion need not change"
    if broken:
        words = f"{'; '.join(broken)}; `gate.signature: any` in {FILE} allows it"
    return Check("signature", not broken, None, None, words)


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
    again: str | None = None,
    own: Own = _NONE,
    give: "Give | None" = None,
) -> Verdict:
    """Hold the gate of the params `bounds` and of the metrics `own`, those of a base perhaps.

    `again` is the reason for which a model that was rolled back may come back, `give` lets models
    predict elsewhere than here.
    """
    champion = met.champion
    if champion and champion.digest == candidate.digest:  # What is imported below takes seconds.
        return same(registry, champion)
    checks = [rolled_back(registry, candidate, again)]
    checks += [size(candidate, bounds.gate)]
    names = (candidate.digest, champion.digest if champion else "")
    if other := other_target(champion, candidate, bounds.gate.replaces):
        checks.append(other)
        if not other.passed:
            return _incomparable(names, checks)
        met = Rivals(None, None)
    from . import contest
    from .checks import judge

    raw = parquet.read(registry.root / layout.RAW)
    checks.append(contest.same_holdout(raw, candidate.params, bounds))
    if not checks[-1].passed:
        return _incomparable(names, checks)
    bounds, looks = with_looks(bounds, looks_so_far(registry, candidate))
    met_on, more = _meet(registry, candidate, met, bounds, raw, own, give)
    given = judge(met_on, bounds.gate, [*checks, *more], names)
    luck = filter(None, [spread.beyond(candidate.found, bounds.gate.margin)])
    return replace(given, remarks=[*given.remarks, *luck], looks=looks)


def _meet(
    registry: Registry,
    candidate: Candidate,
    met: Rivals,
    bounds: Params,
    raw: "pd.DataFrame",
    own: Own,
    give: "Give | None",
) -> tuple["Contest", Sequence[Check]]:
    """Let all models predict the rows of the contest; return it, and what was seen of the models.

    Each is loaded from a copy of checked bytes, and adds up in one thread.
    """
    from threadpoolctl import threadpool_limits

    from . import contest, predictions

    with ExitStack() as open_models, threadpool_limits(1, user_api="blas"):
        copied = download.copied(candidate.folder, candidate.digest, scratch_of(registry.root))
        candidate = replace(candidate, folder=open_models.enter_context(copied))
        models = {
            role: Model(open_models.enter_context(download.model(registry, it)), it.digest)
            for role, it in met.by_role().items()
        }
        checks = list(outside(candidate.folder, bounds.data.sensitive))
        if CHAMPION in models and bounds.gate.signature == "compatible":
            checks.append(signature(candidate.folder, models[CHAMPION].folder))
        rows = contest.rows(raw, candidate, met.by_role().values())
        asked = own, give or predictions.of_models
        told = contest.left_out(raw, candidate, rows, bounds.gate.days)
        met_on = contest.contest(registry.root, candidate, models, rows, bounds, *asked)
        return replace(met_on, notes=[*met_on.notes, *told]), checks


def _incomparable(names: tuple[str, str], checks: Sequence[Check]) -> Verdict:
    """Return the verdict where there is nothing to compare on."""
    return Verdict(Answer.REJECT, names[0], names[1] or None, checks, {})


def same(registry: Registry, champion: Version) -> Verdict:
    """Return the verdict on the champion's own model, whose bytes in the registry are checked."""
    download.check(registry, champion)
    return unchanged(champion.digest)


def rejected(verdict: Verdict, check: Check) -> Verdict:
    """Return a verdict that a later check has overturned."""
    return replace(verdict, answer=Answer.REJECT, checks=[*verdict.checks, check])
