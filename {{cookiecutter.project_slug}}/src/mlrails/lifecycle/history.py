"""Who was champion when, why, by which commit, by whom; and who has opened the final rows."""

import json
from collections.abc import Mapping, Sequence

from ..core.console import say, table
from ..core.errors import counted
from ..core.settings import Settings
from ..registry import ledger, versions
from ..registry.ledger import HOLDOUTS, SELF_DECLARED, VOUCHED_BY, Entry, Ledger

_HEADER = ("#", "when (UTC)", "what", "version", "model", "before", "commit", "who", "why")


def history(settings: Settings, as_json: bool = False, commit: str | None = None) -> None:
    """Print both books, in order of time, or the versions of one commit."""
    there = versions.connect_to_read(settings)
    if commit:
        found = [it for it in there.versions() if it.tags.get("git_commit", "").startswith(commit)]
        told = [{"version": it.number, **it.tags} for it in found]
        say(json.dumps(told, indent=1) if as_json else _versions(told, commit))
        return
    moves = Ledger(there.client, settings).entries()
    book = Ledger(there.client, settings, HOLDOUTS)
    openings = [*book.entries(), *book.open_entries()]  # One that was killed is one as well.
    entries = sorted([*moves, *openings], key=lambda entry: entry.time)
    if as_json:
        unsaid = {VOUCHED_BY: SELF_DECLARED}  # Older entries do not say it.
        told = [{"time": entry.time, **unsaid, **entry.told} for entry in entries]
        say(json.dumps(told, indent=1))
    elif not entries:
        say(f"history: nobody has been champion yet in {there.name}")
    else:
        rows = [_row(place, entry) for place, entry in enumerate(entries, start=1)]
        say(table(_HEADER, rows, left={0, len(_HEADER) - 1}))
        opened = f", {counted(len(openings), 'opening')} of final rows" if openings else ""
        say(f"\n{counted(len(moves), 'move')}{opened} in {there.name}")


def _row(place: int, entry: Entry) -> tuple[str, ...]:
    told = entry.told
    dirty = " (dirty)" if told.get("git_dirty") == "true" else ""
    return (
        str(place),
        entry.time,
        entry.action,
        str(entry.version),
        told.get("digest", "")[:12],
        told.get("before", "–"),
        told.get("git_commit", "")[:12] + dirty,
        _who(told),
        told.get("reason") or told.get("found") or _WHY.get(entry.action, ""),
    )


def _who(told: Mapping[str, str]) -> str:
    """Return who acted, and whether that is more than what they said of themselves."""
    vouched = told.get(VOUCHED_BY, SELF_DECLARED)
    by = SELF_DECLARED if vouched == SELF_DECLARED else f"run {vouched.rpartition('/')[2]}"
    return f"{told.get('actor', '')} ({by})"


_WHY = {ledger.PROMOTION: "passed the gate"}


def _versions(told: Sequence[Mapping[str, object]], commit: str) -> str:
    if not told:
        return f"history: no version comes from commit {commit}"
    rows = [[str(it["version"]), str(it["digest"])[:12], str(it.get("stage", ""))] for it in told]
    return table(("version", "model", "stage"), rows)
