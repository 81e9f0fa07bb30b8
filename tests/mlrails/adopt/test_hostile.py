"""Hostile tables: each ends in a plan, or in one sentence that a person can act on."""

import os
import random
from collections import Counter

import hostile_tables
import pytest

from mlrails.adopt import table
from mlrails.adopt.plan import Plan
from mlrails.adopt.proposal import of_table
from mlrails.adopt.roles import Wishes
from mlrails.core.errors import UsageError

CHUNKS, EACH = 4, int(os.environ.get("HOSTILE_TABLES", "100")) // 4
"""`nox -s proof` makes 500 of them."""


def outcome(seed: int) -> Plan | str:
    """Return the plan for a generated table by the first column that can be a target.

    Else it is the last sentence that refuses one.
    """
    told, names = "", [""]
    try:
        found = table.of_bytes(hostile_tables.table(seed), "f.csv")
        names = random.Random(seed).sample(found.rows.column_names, found.rows.num_columns)
    except UsageError as error:
        return str(error)
    for target in names[:5]:
        try:
            return of_table(found, "f.csv", Wishes(target))
        except UsageError as error:
            told = str(error)
    return told


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_hostile_table_ends_in_a_plan_or_in_one_sentence(chunk: int) -> None:
    ends: Counter[str] = Counter()
    for seed in range(chunk * EACH, (chunk + 1) * EACH):
        found = outcome(seed)
        if isinstance(found, Plan):
            ends["plan"] += 1
            names = [it.column.name for it in found.columns]
            assert len(names) == len({*names}), seed
            assert all(name == " ".join(name.split()) and name for name in names), seed
            assert found.named("target"), seed
        else:
            ends["sentence"] += 1
            assert "\n" not in found, (seed, found)
            assert "; " in found or ", " in found, (seed, found)
            assert len(found) < 700, (seed, found)
    assert ends["plan"] > 0
    assert ends["sentence"] > 0
