"""Hold the gate over a change, pack its candidate, and write what a person wants to know of it."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core import files, layout
from ..core.console import say, warn
from ..core.errors import Exit, WorldError
from ..core.settings import Settings
from ..evaluation.own import Own
from ..gate import judge, report
from ..gate.judge import Rivals
from ..lifecycle import bundle, promote
from ..registry import ledger, signing, versions
from ..registry.versions import Registry, Version
from ..reporting import markdown
from ..tracking import store
from ..tracking.origin import Project
from . import api
from .page import page, since

REVIEW = Path("reports/review.md")
_NONE = Own()
_NO_COMMIT = {"", "0" * 40}
"""What the forge says of a branch that was not there before."""
_LONGEST_SUMMARY = 1_000_000
_NOBODY = (
    "No champion can be seen from here, so only the floors count; the merge asks again, where a "
    "fork is not told of a server."
)


def review(settings: Settings, base: str, floors_at_least: bool = False, own: Own = _NONE) -> Exit:
    """Write the verdict, the report on it and the bundle; a rejected model fails.

    `floors_at_least` is for who may not ask the registry: the floors are asked alone, in words.
    """
    forge, base_ = api.this(), None if base in _NO_COMMIT else base
    challenger = promote.here(settings, base_, own=own)
    there, met, note = _rivals(settings, floors_at_least)
    found, verdict = challenger.candidate, challenger.hold(there, met)
    told = {"registry": there.name, "bounds": challenger.bounds_of}
    told |= {"page": forge.page, "note": note}
    told["data"] = _data(found.place.origin().data_digest, met)
    changed = since(settings.root, base_)
    text = markdown.render(page(verdict, found.found, _figures(there, met), changed, told))
    files.write_text(text, settings.root / REVIEW)
    folder = bundle.pack(Project(settings.root), found, [REVIEW])
    forge.summarize(text[:_LONGEST_SUMMARY])
    forge.answer(verdict=verdict.answer.value, candidate=f"{bundle.NAME}-{found.key}")
    say(f"review: {REVIEW} is the report, {folder.name}/ the candidate")
    exit_code = report.announce(verdict, there.name)
    if exit_code is Exit.UNDECIDED:
        warn("undecided: nothing is promoted until the rows tell")
        return Exit.DONE
    return exit_code


class _Unreachable(Registry):
    """A registry that knows nothing, in place of one that cannot be asked."""

    def _search(self, condition: str) -> Sequence[Version]:
        return []


def _rivals(settings: Settings, floors_at_least: bool) -> tuple[Registry, Rivals, str]:
    try:
        there = versions.connect(settings)
        book = ledger.Ledger(there.client, settings)
        book.entries()
    except WorldError as error:
        if not floors_at_least:
            raise
        warn(f"{error}; without a secret it cannot be asked from here, so only the floors count")
        note = "The registry cannot be asked without a secret, so only the floors count here."
        nobody = _Unreachable(None, store.address(settings), settings.name, root=settings.root)
        return nobody, Rivals(None, None), f"{note} The merge asks it."
    met = judge.rivals(there, book)
    unseen = floors_at_least and met.champion is None
    return there, met, _NOBODY if unseen else ""


def _data(ours: str, met: Rivals) -> str:
    """Say whether the data are the champion's, where there is one that says so."""
    theirs = met.champion.tags.get("data_digest") if met.champion else None
    if theirs is None or theirs == ours:
        return "The data are those of the champion." if theirs else ""
    return f"The data are others: {ours[:12]} here, {theirs[:12]} of the champion."


def _figures(there: Registry, met: Rivals) -> Mapping[str, Any] | None:
    """Return the figures of the champion's own report, where its run has kept them."""
    if met.champion is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        path = signing.fetch_artifact(
            there, met.champion.run_id, layout.METRICS.as_posix(), Path(scratch)
        )
        found: Mapping[str, Any] | None = json.loads(path.read_text("utf-8")) if path else None
        return found
