"""How many rows tell by how much a model gets worse without a column."""

import pytest

from mlrails.evaluation.permutation import rows_enough


@pytest.mark.parametrize(
    ("columns", "rows"), [(0, 5_000), (18, 5_000), (100, 5_000), (200, 2_500), (2_000, 1_000)]
)
def test_wider_tables_are_sampled_by_fewer_rows(columns: int, rows: int) -> None:
    assert rows_enough(columns) == rows
