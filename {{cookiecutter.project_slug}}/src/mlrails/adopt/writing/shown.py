"""A plan as people read it: a table that fits the terminal, what was found, and what is next."""

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from ...core.console import table
from ...core.errors import counted
from ...data.schema import Column
from ..plan import Plan, Planned

_MOST = 60
_LEAST_WORDS = 24
_SPECIAL = {"target", "time", "group", "weight", "left out"}
_MARKS = {"note": "  ", "question": "? ", "stop": "! "}
_LONGEST_NAME = 32


def shown(plan: Plan, width: int) -> str:
    """Return a plan as plain text of so many columns of a terminal."""
    parts = [_head(plan, width), _table(plan, width), *_findings(plan, width)]
    return "\n\n".join(filter(None, parts))


def _head(plan: Plan, width: int) -> str:
    how = "at random" if plan.by == "random" else f"by {plan.by}"
    held = f"validation {_length(plan.validation)}, test {_length(plan.test)}"
    lines = [
        f"{plan.source}: {counted(plan.rows, 'row')}, {counted(len(plan.columns), 'column')}, "
        f"read with {_reading(plan)}.",
        f"Task: {plan.task.value} of {plan.named('target')[0]!r}.",
        f"Split {how} ({held}): {plan.because}.",
        *(f"{it[0].upper()}{it[1:]}." for it in (*plan.notes, plan.visible) if it),
    ]
    return "\n".join(textwrap.fill(it, width, subsequent_indent="  ") for it in lines)


def _length(it: float | str) -> str:
    return it if isinstance(it, str) else f"{it:.0%}"


def _reading(plan: Plan) -> str:
    words = ", ".join(f"{name} {it!r}" for name, it in plan.reading.items())
    return words or "nothing special"


def _table(plan: Plan, width: int) -> str:
    """Return the columns, those with a part of their own first where there are very many."""
    chosen = list(plan.columns)
    if len(chosen) > _MOST:
        special = [it for it in chosen if it.role in _SPECIAL][:_MOST]
        others = [it for it in chosen if it.role not in _SPECIAL]
        chosen = special + others[: max(_MOST - len(special), 0)]
    rows = [_line(it) for it in chosen]
    taken = sum(max(len(row[at]) for row in rows) + 2 for at in range(4))
    room = max(width - taken, _LEAST_WORDS)
    lines = [(*row[:4], textwrap.shorten(row[4], room, placeholder=" …")) for row in rows]
    text = table(("column", "kind", "role", "range", "why"), lines, left=range(5))
    left = len(plan.columns) - len(chosen)
    return text + (f"\n… and {counted(left, 'column')} more" if left else "")


def _line(it: Planned) -> tuple[str, str, str, str, str]:
    name = it.column.name
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    kind = f"{it.column.kind}{', may be missing' if it.column.nullable else ''}"
    why = it.column.leaks if it.role == "left out" and it.column.leaks else it.column.known
    return short, kind, it.role, _range(it.column), why or it.why


def _range(it: Column) -> str:
    if it.minimum is None and it.maximum is None:
        return ""
    least = "" if it.minimum is None else f"{it.minimum:g}"
    return f"{least} …{'' if it.maximum is None else f' {it.maximum:g}'}".strip()


def _findings(plan: Plan, width: int) -> Iterator[str]:
    if plan.findings:
        yield "\n".join(
            textwrap.fill(f"{_MARKS[it.level]}{it.sentence}", width, subsequent_indent=" " * 4)
            for it in plan.findings
        )


def ending(changes: Sequence[str], made: Sequence[str], more: Sequence[str]) -> str:
    """Return what is next, what else there is to know, and how git takes it back.

    `made` are the files that were not there before.
    """
    new = f" && rm -f {shlex.join(made)}" if made else ""
    lines = [
        f"{counted(len(changes), 'file')} changed; `git diff` shows them.",
        *more,
        "next: `nox -s tests lint types`, `nox -s train`, and commit.",
        f"`git reset --quiet --hard{new}` takes it all back, and what was not committed with it.",
    ]
    return "\n".join(lines)
