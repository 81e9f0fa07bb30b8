"""From a source to a plan: read, look at every column, say what each is for, and how rows divide.

    plan("data/bank.csv", target="churned")

Nothing is asked here: what the table cannot tell is guessed, and the guess stands among the plan's
`questions` with the argument that answers it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..audit import look as audit
from ..audit import table as audited
from ..core.errors import UsageError, counted
from ..core.params import Task
from ..data import frames
from ..data.schema import Column
from . import division, kinds, roles, sizes, table
from . import target as targets
from .division import Division
from .plan import Plan, Planned
from .roles import Wishes
from .seen import Look, Seen, each
from .table import Table
from .target import Target

if TYPE_CHECKING:
    import pandas as pd

    from ..audit.finding import Finding


_SLICES, _LEAST_SHARE = 3, 0.05
_AUDITED = 200_000
"""So many rows show what is wrong with a table; the stage `prepare` looks at all of them."""


def plan(
    source: str,
    *,
    target: str,
    task: Task | str | None = None,
    time: str | None = None,
    group: str | None = None,
    ids: Sequence[str] = (),
    drop: Sequence[str] = (),
    weight: str | None = None,
    positive: str | None = None,
    known: Mapping[str, str] | None = None,
    root: Path | None = None,
    shown: bool = True,
) -> Plan:
    """Return what adoption would write; raises UsageError in one sentence where it cannot.

    `known` are columns that somebody has said to be known when one predicts, and why; `shown` says
    whether values of rows may be told.
    """
    wishes = Wishes(
        target, None if task is None else Task(task), time, group, tuple(ids), tuple(drop),
        weight, positive, known or {},
    )  # fmt: skip
    found = table.of_source(source, root or Path())
    return of_table(found, source, wishes, shown)


class Proposed(NamedTuple):
    """A plan, and the rows as `ingest` is going to have them."""

    plan: Plan
    rows: "pd.DataFrame"
    looked_at: frozenset[str] | None = None
    """The features among which leaks were looked for, where that was in a part of the rows."""


def of_table(found: Table, source: str, wishes: Wishes, shown: bool = True) -> Plan:
    """Return the plan for a table that has been read."""
    return proposed(found, source, wishes, shown).plan


def proposed(found: Table, source: str, wishes: Wishes, shown: bool = True) -> Proposed:
    """Return the plan for a table that has been read, and its rows."""
    wishes.check(found.rows.column_names, found.where)
    found = _with_needed(found, wishes)
    look = Look(found.where, found.how, shown, wishes.target, found.floats)
    columns = _columns(found, wishes, look)
    target = targets.of(
        columns[wishes.target], found.rows[wishes.target], wishes.task, wishes.positive, look
    )
    features = {it: seen for it, seen in columns.items() if it not in {*wishes.ids, *wishes.drop}}
    divided = division.of(
        features, wishes.target, wishes.time, wishes.group, found.where, wishes.by, wishes.split
    )
    planned = roles.planned(columns, target, divided, wishes)
    draft = _plan(found, source, columns, target, divided, planned)
    rows = frame(found, columns, target)
    plan = replace(draft, findings=tuple(_findings(draft, rows, columns, wishes)))
    looked_at = frozenset((*plan.named("number"), *plan.named("category")))
    rows = _named_as_written(rows, found, divided.group)
    return Proposed(plan, rows, looked_at if len(rows) > _AUDITED else None)


def _with_needed(found: Table, wishes: Wishes) -> Table:
    """Leave out the rows without a target, time, group or weight, and write down that they are."""
    import pyarrow.compute as pc

    asked = (wishes.target, wishes.time, wishes.group, wishes.weight)
    needed, rows = list[str](), found.rows
    for name in filter(None, asked):
        there = pc.is_valid(found.rows[name])
        if not pc.all(there).as_py() and pc.any(there).as_py():
            needed.append(name)
            rows = rows.filter(pc.is_valid(rows[name]))
    if not needed:
        return found
    if not rows.num_rows:
        raise UsageError(f"{found.where}: no row has a value in each of {', '.join(needed)}")
    left = counted(found.rows.num_rows - rows.num_rows, "row")
    note = f"{left} without a value in {' or '.join(map(repr, needed))} are left out"
    how = replace(found.how, needed=tuple(needed))
    return replace(found, rows=rows, how=how, floats={}, notes=(*found.notes, note))


def _columns(found: Table, wishes: Wishes, look: Look) -> dict[str, Seen]:
    """Look at every column; one that is left out by name may be whatever it is."""

    def seen(name: str) -> Seen:
        column = found.rows[name]
        try:
            return kinds.counted(kinds.seen(name, column, look), column, name == wishes.time)
        except UsageError:
            if name not in {*wishes.ids, *wishes.drop}:
                raise
            return kinds.unread(name, column)

    names = found.rows.column_names
    return dict(zip(names, each(seen, names), strict=True))


def _plan(
    found: Table, source: str, columns: Mapping[str, Seen], target: Target, divided: Division,
    planned: tuple[Planned, ...],
) -> Plan:  # fmt: skip
    shares = np.array(target.counts or (1,), dtype=float)
    if target.positive is not None:
        shares = np.array([target.rate, 1 - (target.rate or 0)])
    alike = _alike(columns, target, divided)
    rows = sizes.effective(divided.held, divided.blocks, alike)
    sight = sizes.sight(target.task, shares / shares.sum(), target.spread, rows)
    sd = target.spread or sqrt((target.rate or 0.5) * (1 - (target.rate or 0.5)))
    train = found.rows.num_rows - 2 * divided.held
    positive = {}
    if target.positive is not None and (columns[target.name].kind, target.positive) != (
        "boolean",
        "true",
    ):
        positive = {target.name: target.positive}
    dates = {it.name: it.form for it in columns.values() if it.form and it.kind == "time"}
    how = replace(found.how, positive=positive, dates=dates)
    return Plan(
        source, {**found.pinned, **how.words()}, found.digest, found.rows.num_rows, planned,
        target.task, divided.by, divided.because,
        classes=target.labels if target.task is not Task.CLASSIFICATION else (),
        until=divided.until, estimator=sizes.estimator(max(train, 1)),
        validation=divided.validation, test=divided.test, calendar=divided.calendar,
        slices=_slices(columns, planned), spread=target.spread, visible=sight.sentence,
        gate=sizes.gate(sight, target.task, divided.held, divided.blocks, sd),
        questions=tuple(filter(None, (target.question, divided.question))),
        notes=found.notes,
    )  # fmt: skip


def _alike(columns: Mapping[str, Seen], target: Target, divided: Division) -> float:
    """Return how alike the target is in the rows of one day or group."""
    name = divided.group or divided.time
    if name is None:
        return 0.0
    values = columns[name].values
    if name == divided.time:
        days = np.asarray(values.to_numpy()).astype("datetime64[D]").astype(np.int64)
        codes = audited.dense(days - days.min())
    else:
        coded = values.combine_chunks().dictionary_encode("encode")
        known = coded.dictionary.to_numpy(zero_copy_only=False)
        known = known.astype(str) if known.dtype == object else known
        codes = np.unique(known, return_inverse=True)[1][coded.indices.to_numpy()]
    numbers = _numbers(columns[target.name], target)
    return sizes.alike(numbers, codes)


def _numbers(seen: Seen, target: Target) -> np.ndarray:
    """Return the target as numbers: its own, or whether it is the event or the first class."""
    if target.task is Task.REGRESSION and seen.kind == "number":
        return seen.numbers
    import pyarrow.compute as pc

    text = seen.values.cast("string")
    return np.asarray(pc.equal(text, text[0]).fill_null(False).to_numpy(), dtype=float)


def _slices(columns: Mapping[str, Seen], planned: Sequence[Planned]) -> tuple[str, ...]:
    """Return categories of few values: the first ones whose values have many rows."""
    found = []
    for it in planned:
        seen = columns[it.column.name]
        few = 2 <= seen.distinct <= 1 / _LEAST_SHARE
        if it.role == "category" and few and seen.rows / seen.distinct >= 10 * sizes.SMALLEST_SLICE:
            found.append(seen.name)
    return tuple(found[:_SLICES])


def frame(found: Table, columns: Mapping[str, Seen], target: Target) -> "pd.DataFrame":
    """Return the rows as `ingest` is going to have them."""
    import pandas as pd

    made = {
        name: seen.values.to_pandas()
        for name, seen in columns.items()
        if seen.why != kinds.UNREADABLE
    }
    if target.positive is not None:
        seen = columns[target.name]
        # Its word is that of the cell: as a number 1.0 is written 1.
        words = seen.values if seen.kind == "boolean" else found.rows[target.name]
        made[target.name] = words.cast("string").to_pandas() == target.positive
    return pd.DataFrame(made, copy=False)


def _named_as_written(rows: "pd.DataFrame", found: Table, group: str | None) -> "pd.DataFrame":
    """Return the rows with the names of groups as they stand, by which groups are dealt."""
    if group is None or rows[group].dtype == "str":
        return rows
    given = found.rows.select([group]).to_pandas()
    typed = frames.typed(given, [Column(group, "category")])
    return frames.having(rows, {group: typed[group]})


def _findings(
    draft: Plan, rows: "pd.DataFrame", columns: Mapping[str, Seen], wishes: Wishes
) -> "list[Finding]":
    (target,) = draft.named("target")
    features = (*draft.named("number"), *draft.named("category"))
    wanted = audited.Roles(
        target, features, next(iter(draft.named("time")), None),
        next(iter(draft.named("group")), None),
        tuple(it for it, seen in columns.items() if seen.what == "identifier"),
        draft.by, draft.task is Task.REGRESSION, wishes.known,
    )  # fmt: skip
    if len(rows) > _AUDITED:
        rows = rows.sample(_AUDITED, random_state=1).sort_index(ignore_index=True)
    return audit.findings(rows, wanted)
