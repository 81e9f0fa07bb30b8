"""Everything that a careful colleague would say of a table, the gravest first."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from . import columns, rows
from .finding import Finding
from .table import MOST_ROWS, Roles, Table

if TYPE_CHECKING:
    import pandas as pd

_CELLS, _FEWEST = 1_000_000, 3_000
_GRAVITY = {"stop": 0, "question": 1, "note": 2}


def findings(frame: "pd.DataFrame", roles: Roles, seed: int = 0) -> list[Finding]:
    """Return what was found in a table with roles; the same table gives the same, in one order.

    `frame` has its rows as they come, typed: numbers, text or categories, times, booleans.
    """
    table = Table.of(frame, roles, seed)
    if len(np.unique(table.scores, axis=0)) < 2:
        return []
    return ordered(_all(table))


def _all(table: Table) -> Iterator[Finding]:
    most = int(np.clip(_CELLS // max(len(table.roles.features), 1), _FEWEST, MOST_ROWS))
    yield from columns.of_table(table, most)
    yield from rows.of_table(table)


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """Return findings, those that stop first, then questions."""
    return sorted(found, key=lambda it: _GRAVITY[it.level])
