"""What the gate knows of a challenger without looking at a row."""

from pathlib import Path

from . import signature as signatures
from .candidate import Candidate
from .gate import Check
from .params import FILE, Gate
from .registry import Registry
from .versions import ROLLED_BACK, Version


def other_target(champion: Version | None, candidate: Candidate) -> Check | None:
    """Fail where the champion predicts something else; None where it does not."""
    params = candidate.params
    here = {"target": params.data.target, "task": params.task.value}
    tags = champion.tags if champion else {}
    if all(tags.get(name, value) == value for name, value in here.items()):
        return None
    words = (
        f"the champion predicts {tags.get('target')!r} ({tags.get('task')}), "
        "which cannot be compared; a project of another name keeps its own champion"
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


def signature(ours: Path, theirs: Path) -> Check:
    """Fail where callers of the champion would have to change."""
    broken = signatures.breaks(ours, theirs)
    words = "callers of the champion need not change"
    if broken:
        words = f"{'; '.join(broken)}; `gate.signature: any` in {FILE} allows it"
    return Check("signature", not broken, None, None, words)
