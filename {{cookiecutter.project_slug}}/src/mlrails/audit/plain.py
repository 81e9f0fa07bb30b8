"""What anybody would see who looks at a table for an hour: rare classes, gaps, texts, constants."""

from collections.abc import Iterator

import numpy as np

from . import clusters
from .finding import Finding
from .table import Table, is_number, is_time

_RARE = 20
_GAPS = 0.4
_WORDS = 4.0
_UNIQUE = 0.5
_LATE = 0.15
_FALLS = 0.5
_FEWEST = 400
_SHOWN = 5


def of_table(table: Table) -> Iterator[Finding]:
    """Yield what is plain to see."""
    yield from _rare_classes(table)
    yield from _dated_target(table)
    yield from _late_labels(table)
    for name in table.roles.features:
        if name in table.frame:
            yield from _of_column(table, name)


def _rare_classes(table: Table) -> Iterator[Finding]:
    if table.roles.numbers:
        return
    counts = table.frame[table.roles.target].value_counts()
    rare = counts[counts < _RARE]
    if len(rare):
        each = ", ".join(f"{name} ({count})" for name, count in rare.head(_SHOWN).items())
        more = f" and {len(rare) - _SHOWN} more" if len(rare) > _SHOWN else ""
        yield Finding(
            "rare classes",
            (table.roles.target,),
            f"classes of under {_RARE} rows: {each}{more}; no figure of theirs can be trusted, so "
            "join them to others, or wait for more rows",
            "note",
        )


def _dated_target(table: Table) -> Iterator[Finding]:
    if is_time(table.frame[table.roles.target]):
        yield Finding(
            "target is a date",
            (table.roles.target,),
            f"the target {table.roles.target!r} is a date; predict how many days it is off, as "
            "rows['days'] = (date - rows['start']).dt.days, or whether it comes within so many",
            "question",
        )


def _late_labels(table: Table) -> Iterator[Finding]:
    """Yield that the last rows have far fewer events: they may not be known yet."""
    time, is_event = table.roles.time, not table.roles.numbers and table.scores.shape[1] == 1
    if not is_event or time not in table.frame or len(table) < _FEWEST:
        return
    event = table.scores[np.argsort(table.frame[time].to_numpy(), kind="stable"), 0]
    late = max(int(len(event) * _LATE / 3), 50)
    last, before = float(event[-late:].mean()), event[: -3 * late]
    error = float(np.sqrt(before.mean() * (1 - before.mean()) / late))
    if last < _FALLS * before.mean() and last < before.mean() - 5 * error:
        yield Finding(
            "late labels",
            (table.roles.target,),
            f"{last:.1%} of the last {late:,} rows are events, {before.mean():.1%} of those "
            "before; "
            "where labels take time to come these are not known; set data.until to the last "
            "day whose outcomes are all in",
            "note",
        )


def _of_column(table: Table, name: str) -> Iterator[Finding]:
    column = table.frame[name]
    gaps = float(column.isna().mean())
    if gaps >= _GAPS:
        yield Finding(
            "missing values",
            (name,),
            f"column {name!r} has no value in {gaps:.0%} of the rows",
            "note",
        )
    if is_number(column) and clusters.numbers_rows(table, name):
        yield _identifier(name)
    if is_number(column) or is_time(column) or column.dtype.kind == "b":
        return
    if table.unique_share(name) < _UNIQUE:
        return
    text = column.dropna().head(_FEWEST).astype("str")
    if len(text) and float(text.str.count(r"\s+").mean()) + 1 >= _WORDS:
        yield Finding(
            "free text",
            (name,),
            f"column {name!r} is free text, of which no model here makes anything; leave it out, "
            "or make columns of it in source.py",
            "note",
        )
    elif clusters.numbers_rows(table, name):
        yield _identifier(name)


def _identifier(name: str) -> Finding:
    return Finding(
        "identifier",
        (name,),
        f"column {name!r} is another in nearly each row, as a number of the row is: it can tell "
        "nothing of rows to come; leave it out",
        "note",
    )
