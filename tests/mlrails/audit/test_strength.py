"""What columns tell alone and together: each is encoded once, however many are suspicious."""

import numpy as np
import pandas as pd
import pytest

from mlrails.audit import columns, strength
from mlrails.audit.strength import Together
from mlrails.audit.table import Roles, Table

ROWS = 400


def table(features: int, noise: float) -> Table:
    """Return rows whose features all are the target with noise."""
    rng = np.random.default_rng(3)
    target = rng.normal(size=ROWS)
    names = [f"f{at}" for at in range(features)]
    made = {name: target + rng.normal(size=ROWS) * noise for name in names}
    frame = pd.DataFrame({"y": target, **made})
    return Table.of(frame, Roles("y", (*names,), numbers=True))


def test_what_is_left_out_is_as_if_it_had_never_been_there() -> None:
    whole = table(6, 3.0)
    some = ["f1", "f2", "f5"]
    found = Together(whole, whole.roles.features).told(some)
    assert found == pytest.approx(Together(whole, some).told(some), rel=1e-9)
    assert found != pytest.approx(Together(whole, whole.roles.features).told(["f1"]), rel=1e-3)


def test_a_column_is_encoded_twice_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = strength.coded
    monkeypatch.setattr(strength, "coded", lambda of, name: asked.append(name) or real(of, name))
    whole = table(12, 0.5)
    assert len(list(columns.of_table(whole, ROWS))) == 12
    assert {name: asked.count(name) for name in whole.roles.features} == dict.fromkeys(
        whole.roles.features, 2
    )


def test_what_may_name_groups_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = Table.keys
    monkeypatch.setattr(Table, "keys", lambda it, least: asked.append(least) or real(it, least))
    whole = table(12, 0.5)
    assert len(list(columns.of_table(whole, ROWS))) == 12
    assert len(asked) == 1


def test_of_very_many_columns_those_are_added_up_that_tell_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(columns, "_MOST_TOGETHER", 5)
    whole = table(9, 3.0)
    best = whole.frame["f4"] + 3 * whole.frame["y"]
    whole = Table(whole.frame.assign(f4=best), whole.roles)
    found = columns.Columns(whole, ROWS)
    assert len(found._together.places) == 5
    assert "f4" in found._together.places
    assert found.others("f4").low < found.others("f0").low


def test_where_there_is_nothing_to_compare_with_it_is_said() -> None:
    (found,) = columns.of_table(table(1, 0.001), ROWS)
    assert "and no other column is left to compare it with; " in found.sentence
    assert "0.00" not in found.sentence
    whole = table(2, 0.001)
    noisy = whole.frame["f1"] + 9 * np.random.default_rng(4).normal(size=ROWS)
    (found,) = columns.of_table(Table(whole.frame.assign(f1=noisy), whole.roles), ROWS)
    assert "all other columns together rank correlation" in found.sentence
