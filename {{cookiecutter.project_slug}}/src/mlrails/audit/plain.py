"""What anybody would see who looks at a table for an hour: rare classes, gaps, texts, constants."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import clusters
from .finding import Finding
from .table import Codes, Floats, Table, codes, is_number, is_time
from .table import numbers as as_numbers

_NOTED = 0.001
_RARE = 20
_GAPS = 0.4
_WORDS = 4.0
_UNIQUE = 0.5
_LATE = 0.15
_FALLS = 0.5
_FEWEST = 400
_SHOWN = 5
_DEALT, _BY_CHANCE = 0.1, 2.0
"""Kolmogorov's distance of numbers from even ones, the second times the root of their number."""


def of_table(table: Table) -> Iterator[Finding]:
    """Yield what is plain to see."""
    yield from _again(table)
    yield from _rare_classes(table)
    yield from _dated_target(table)
    yield from _late_labels(table)
    for name in table.features:
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
    if is_number(column) and clusters.numbers_rows(table, name) and _is_even(as_numbers(column)):
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


def _is_even(values: Floats) -> bool:
    """Tell numbers that are dealt out from such as incomes: these lie close, and some far off."""
    found = np.unique(values[~np.isnan(values)])
    place = (found - found[0]) / max(np.ptp(found), 1e-300)
    off = float(np.abs(place - np.linspace(0, 1, len(found))).max())
    return bool(off < max(_DEALT, _BY_CHANCE / len(found) ** 0.5))


def _identifier(name: str) -> Finding:
    return Finding(
        "identifier",
        (name,),
        f"column {name!r} is another in nearly each row, as a number of the row is: it can tell "
        "nothing of rows to come; leave it out",
        "note",
    )


Hashes = npt.NDArray[np.uint64]

_EVEN, _ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


class Copies(NamedTuple):
    """What is equal in some columns."""

    rows: int
    """How many rows are there again."""
    distinct: int
    """How many different ones they are."""
    contradictory: int
    """How many rows have another target than most of their equals."""
    ceiling: float
    """The share of rows that one can be right about, at the most, if all else were known."""


def hashes(table: Table, names: Sequence[str]) -> Hashes:
    """Return the hash of each row, which is the sum of its values' own."""
    each = [_mixed(_bits(table, name), number) for number, name in enumerate(names)]
    return np.asarray(np.sum(each, axis=0, dtype=np.uint64))


def _bits(table: Table, name: str) -> Hashes:
    column = table.frame[name]
    if is_number(column) or is_time(column) or column.dtype.kind == "b":
        values = as_numbers(column) + 0.0  # One zero, not two.
        return np.where(np.isnan(values), 0.5, values).view(np.uint64)
    return codes(column).astype(np.uint64)


def _mixed(bits: Hashes, number: int) -> Hashes:
    """Spread bits over 64, another way for each column (after SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        found = (bits + np.uint64(number + 1) * _EVEN) * _ODD
        found ^= found >> _SHIFT
        found = found * _EVEN
        return found ^ (found >> _SHIFT)


def equal(rows: Hashes) -> Codes:
    """Return a number for each set of equal rows."""
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def counted(row: Codes, target: Codes) -> Copies:
    """Return how many rows are there again, and how many of them contradict their equals."""
    sizes = np.bincount(row)
    again = sizes[row] > 1
    if not again.any():
        return Copies(0, 0, 0, 1.0)
    width = int(target.max(initial=0)) + 2
    joint, counts = np.unique(row * width + target + 1, return_counts=True)
    most = np.zeros(len(sizes), dtype=np.int64)
    np.maximum.at(most, joint // width, counts)
    wrong = int((sizes - most).sum())
    return Copies(int(again.sum()), int((sizes > 1).sum()), wrong, 1 - wrong / len(row))


def _again(table: Table) -> Iterator[Finding]:
    """Yield how many rows are there again, and what contradictions leave to be reached."""
    names = [it for it in table.features if it not in table.roles.ids]
    if not names or table.roles.numbers:
        return
    row = equal(hashes(table, names))
    found = counted(row, codes(table.frame[table.roles.target]))
    if found.rows < max(2, _NOTED * len(table)):
        return
    yield Finding(
        "duplicates",
        (),
        f"{found.rows:,} of {len(table):,} rows are equal to another in every feature "
        f"({found.distinct:,} different ones), and {found.contradictory:,} have another target "
        f"than most of their equals: no model can be right about more than {found.ceiling:.1%} "
        "of the rows",
        "note",
    )
