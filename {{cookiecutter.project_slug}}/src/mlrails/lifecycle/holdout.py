"""The final rows: what is kept of them, who has opened them, and how they are opened.

How to change this: nothing that is found of them may be said before it is written down, so an
opening that is killed was either seen by nobody, or is in the book.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from ..core import dvc_lock, files, layout, params
from ..core.console import say
from ..core.errors import UsageError, counted
from ..core.params import FILE, Params
from ..core.settings import Settings, scratch_of
from ..data import parquet, splits
from ..evaluation import selection
from ..evaluation.bootstrap import Figure
from ..evaluation.own import Own
from ..gate import final
from ..modeling.checked_copy import Model
from ..registry import download, ledger, lock, versions
from ..registry.ledger import HOLDOUTS, OPENING, Entry, Ledger
from ..registry.versions import CHAMPION, JUDGED_UNTIL, Registry, Version
from ..tracking.origin import Project

if TYPE_CHECKING:
    import pandas as pd


Found = Mapping[str, Mapping[str, Figure]]
"""Each metric on the final and on the test rows."""
_NONE = Own()
_FILE = "holdout.json"
_OPENED = "holdout_opened"
"""The tag of a version that was judged by the final rows: when, and by whom."""


@dataclass(frozen=True)
class Kept:
    """Which rows are final; days are empty where rows have no time."""

    split_digest: str
    rows: int
    groups: int | None
    first: str
    last: str

    def told(self) -> str:
        """Return how many they are, and of when."""
        of = f" of {counted(self.groups, 'group')}" if self.groups is not None else ""
        when = f", {self.first} to {self.last}" if self.first else ""
        return f"{counted(self.rows, 'row')}{of}{when}"

    def shares(self, told: Mapping[str, str]) -> bool:
        """Tell whether rows that were opened are, or may be, among these.

        Days tell it. Where rows have none, those of another split or another table may be the same.
        """
        if told.get("split_digest") == self.split_digest or not self.first:
            return True
        if not told.get("last"):
            return True
        return told["first"] <= self.last and self.first <= told["last"]


def holdout(
    settings: Settings, opens: bool = False, again: str | None = None, own: Own = _NONE
) -> None:
    """Tell of the final rows and of who has opened them; or judge the champion by them.

    `again` is the reason for which rows that were opened before are opened once more. Raises
    UsageError where no rows are kept, or they were opened and nobody says why again.
    """
    asked = params.load(settings.root)
    if asked.split.final is None:
        raise UsageError(
            f"{FILE}: no rows are kept for the end; write `final` below 'split', a length or a "
            "share as `test` has, before you look for better models"
        )
    dvc_lock.verify(settings.root, [str(layout.RAW.parent)])
    raw = parquet.read(settings.root / layout.RAW)
    kept = _kept(settings, asked, splits.final(raw, asked))
    if opens:
        there = versions.connect(settings)
        with lock.turn(there):
            _open(settings, there, asked, raw, kept, again, own)
    else:
        _tell(settings, kept)


def _kept(settings: Settings, params: Params, rows: "pd.DataFrame") -> Kept:
    data, digest = params.data, Project(settings.root).split_digest(params)
    times = rows[data.time].dt.strftime("%Y-%m-%d") if data.time and len(rows) else None
    groups = rows[data.group].nunique() if data.group else None
    days = ("", "") if times is None else (str(times.min()), str(times.max()))
    return Kept(digest, len(rows), groups, *days)


def openings(client: Any, settings: Settings, kept: Kept) -> Sequence[Entry]:
    """Return the openings of rows that are, or may be, among some; one that was killed as well."""
    book = Ledger(client, settings, HOLDOUTS)
    every = [*book.entries(), *book.open_entries()]
    return [it for it in every if kept.shares(it.told)]


def _tell(settings: Settings, kept: Kept) -> None:
    there = versions.connect_to_read(settings)
    found = openings(there.client, settings, kept)
    say(f"holdout: {kept.told()}, which no stage, trial, report or gate sees")
    _tell_seen(_seen_by(there, kept))
    for it in found:
        say(f"holdout: {_opened(it, kept)}")
    if not found:
        say(
            "holdout: nobody has opened them; `nox -s holdout -- --open` judges the champion by "
            "them, and should be the last thing that you do"
        )


def _tell_seen(versions: int) -> None:
    """Say of how many versions nobody knows that they have not seen these rows."""
    if versions:
        count = counted(versions, "version")
        say(f"holdout: {count} of other splits may have learnt of them, or been judged by them")


def _opened(entry: Entry, kept: Kept) -> str:
    """Return who has opened which rows when, and what came of it."""
    told = entry.told
    rows = "these" if told.get("split_digest") == kept.split_digest else "some of these, or all,"
    why = f", again: {told['reason']}" if told.get("reason") else ""
    by = f"{told.get('actor', '')} ({told.get(ledger.VOUCHED_BY, ledger.SELF_DECLARED)})"
    return (
        f"{rows} were opened on {entry.time} (UTC) by {by} for version {entry.version}{why}: "
        f"{told.get('found', '')}"
    )


def _open(
    settings: Settings,
    there: Registry,
    params: Params,
    raw: "pd.DataFrame",
    kept: Kept,
    again: str | None,
    own: Own,
) -> None:
    version = _judged(there, kept)
    before = openings(there.client, settings, kept)
    if before and not (again and again.strip()):
        raise UsageError(
            f"{_opened(before[-1], kept)}; they are unseen no more, so what they say of a model "
            "that came after is one look of several: --again REASON opens them all the same, and "
            "the book says so"
        )
    found, words = _look(there, version, params, raw, own)
    told = {
        "action": OPENING,
        "version": str(version.number),
        "digest": version.digest,
        **{name: str(it) for name, it in asdict(kept).items() if it not in ("", None)},
        "opening": str(len(before) + 1),
        "reason": (again or "") if before else "",
        "seen_by": str(_seen_by(there, kept)),
        "found": words,
        **ledger.actor(settings),
    }
    _write(settings, there, told, found)
    _say(kept, told)


def _look(
    there: Registry, version: Version, params: Params, raw: "pd.DataFrame", own: Own
) -> tuple[Found, str]:
    """Return what a version is worth on the final rows and on the test rows, and that in words."""
    metrics = selection.told(params.task, params.evaluation, own.metrics)
    rows = {"final": splits.final(raw, params), "test": raw[splits.label(raw, params) == "test"]}
    with download.model(there, version) as folder, threadpool_limits(1, user_api="blas"):
        model = Model(folder, version.digest)
        found = {part: final.figures(model, it, params, metrics) for part, it in rows.items()}
    last, test = (_figure(it[metrics[0].name]) for it in found.values())
    return found, f"{metrics[0].title} {last} on the final rows, {test} on the test rows"


def _judged(there: Registry, kept: Kept) -> Version:
    """Return the champion; raises UsageError where it may have seen these rows, or is none."""
    version = there.aliased(CHAMPION)
    if version is None:
        raise UsageError(f"{there.name}: there is no champion to judge; `nox -s promote` makes one")
    if version.tags.get("split_digest") != kept.split_digest:
        raise UsageError(
            f"{there.name}: version {version.number}, the champion, is of another split or other "
            "rows, and may have learnt of these or been judged by them; train and promote with "
            f"this {FILE} first"
        )
    return version


def _seen_by(there: Registry, kept: Kept) -> int:
    """Return how many versions of other splits have seen some of these rows, or may have.

    One that was made where days were kept for the end tells until when it was judged.
    """
    return sum(
        version.tags.get("split_digest") != kept.split_digest
        and not (kept.first and version.tags.get(JUDGED_UNTIL, kept.first) < kept.first)
        for version in there.versions()
    )


def _figure(it: Figure) -> str:
    return f"{it.value:.5g} ({it.low:.5g} to {it.high:.5g})"


def _write(settings: Settings, there: Registry, told: Mapping[str, str], found: Found) -> None:
    """Write an opening into the book, and onto its version."""
    figures = {
        part: {name: it.rounded() for name, it in of_part.items()}
        for part, of_part in found.items()
    }
    book = Ledger(there.client, settings, HOLDOUTS)
    entry = book.begin(told)
    with files.scratch_folder(scratch_of(settings.root)) as folder:
        files.write_text(json.dumps({**told, "figures": figures}, indent=1) + "\n", folder / _FILE)
        book.attach(entry, [folder / _FILE])
    book.close(entry)
    when = next(it.time for it in book.entries() if it.run_id == entry.run_id)
    there.tag(int(told["version"]), {_OPENED: f"{when} by {told['actor']}"})


def _say(kept: Kept, told: Mapping[str, str]) -> None:
    say(f"holdout: {kept.told()}, are open; version {told['version']}: {told['found']}")
    if told["opening"] != "1":
        say(f"holdout: this is opening {told['opening']} of rows that nobody had seen at the first")
    _tell_seen(int(told["seen_by"]))
    say("holdout: that is written down for good; `nox -s holdout` tells it to everybody")
