"""The gaps of groups of sensitive columns as tables of the gate's page."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core import formats
from ..reporting import wording
from ..reporting.blocks import Section, Span, Table, Tint

Gap = Mapping[str, Any]
"""What `verdict.json` holds of one."""

_LONGEST = 80
_GAPS = {
    "wider": ("How much wider a group's gap to all other rows is than before", "Wider by"),
    "most": ("A group's gap to all other rows, which may not be wider with any model", "Gap"),
}


def sections(gaps: Sequence[Gap]) -> Iterator[Section]:
    """Yield a section that tells each gap beside its bound, where there are any."""
    by_kind = {kind: [it for it in gaps if it["kind"] == kind] for kind in _GAPS}
    tables = [_table(kind, found) for kind, found in by_kind.items() if found]
    if tables:
        yield Section("Groups that the model does not see", tables)


def _table(kind: str, found: Sequence[Gap]) -> Table:
    caption, title = _GAPS[kind]
    spans = [
        Span(it["value"], it["low"], it["high"], math.copysign(it["bound"], _sign(kind, it)))
        for it in found
    ]
    return Table(
        header=("", "", title, "Rows", ""),
        rows=[
            (
                it["measure"],
                wording.name(it["group"], _LONGEST),
                _told(it),
                f"{it['rows']:,}",
                _state(it["state"]),
            )
            for it in found
        ],
        caption=caption,
        words=(0, 1, 4),
        spans=spans,
        mark="┃ bound · ┊ zero · ─●─ gap",
        strips=True,
    )


def _sign(kind: str, gap: Gap) -> float:
    return 1.0 if kind == "wider" else gap["value"] or 1.0


def _told(gap: Gap) -> str:
    ends = [math.nan if gap[it] is None else gap[it] for it in ("value", "low", "high")]
    return formats.difference(*ends) if math.isfinite(sum(ends)) else wording.UNKNOWN


def _state(state: str) -> str | Tint:
    if state == "passed":
        return state
    return Tint(state if state == "failed" else "unknown", 0.4, good=False)
