"""Everything that a careful colleague would say of a table, the gravest first."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from . import columns, people, plain, rows
from .finding import Finding
from .table import MOST_ROWS, Roles, Table

if TYPE_CHECKING:
    import pandas as pd

TORN = rows.TORN
_CELLS, _FEWEST, _ENOUGH, _NEAR = 1_000_000, 3_000, 8_000, 3_000
_NEIGHBOURS = 6_000_000
"""Cells among whose rows neighbours are looked for."""
_GRAVITY = {"stop": 0, "question": 1, "note": 2}


def findings(frame: "pd.DataFrame", roles: Roles, seed: int = 0) -> list[Finding]:
    """Return what was found in a table with roles; the same table gives the same, in one order.

    `frame` has its rows as they come, typed: numbers, text or categories, times, booleans.
    """
    table = Table.of(frame, roles, seed)
    if np.ptp(table.scores) == 0:
        return []
    return ordered(_all(table))


def stops(frame: "pd.DataFrame", roles: Roles, seed: int = 0) -> list[Finding]:
    """Return only what is shown to leak, from fewer rows: a stage must not wait for it."""
    table = Table.of(frame, roles, seed)
    if np.ptp(table.scores) == 0:
        return []
    each = _at_once(columns.of_table(table, _ENOUGH), rows.shared(table, _NEAR))
    return [it for it in each if it.level == "stop"]


def _all(table: Table) -> Iterator[Finding]:
    most = int(np.clip(_CELLS // max(len(table.roles.features), 1), _FEWEST, MOST_ROWS))
    near = _NEIGHBOURS // max(len(table.roles.features), 1)
    of_rows = rows.of_table(table, int(np.clip(near, _NEAR, rows.MOST)))
    looks = (columns.of_table(table, most), of_rows, plain.of_table(table), people.of_table(table))
    yield from _at_once(*looks)


def _at_once(*looks: Iterator[Finding]) -> Iterator[Finding]:
    """Yield what several looks find, in their order: each in a thread, with its own generators."""
    with ThreadPoolExecutor(len(looks)) as threads:
        yield from chain.from_iterable(threads.map(list, looks))


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """Return findings, those that stop first, then questions."""
    return sorted(found, key=lambda it: _GRAVITY[it.level])
