"""What columns tell alone and together: each is encoded once, however many are suspicious."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from mlrails.audit import clusters, columns, encodings, strength
from mlrails.audit.strength import Together
from mlrails.audit.table import Keys, Roles, Table, dense

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


@pytest.mark.parametrize("by_number", [True, False])
def test_codes_tell_by_groups_what_they_tell_row_by_row(by_number: bool) -> None:
    rng = np.random.default_rng(5)
    target = rng.normal(size=ROWS) if by_number else rng.choice([*"abc"], ROWS)
    codes = rng.integers(-1, 9, ROWS)
    codes[target == "a"] = 3
    whole = Table.of(pd.DataFrame({"y": target}), Roles("y", (), numbers=by_number))
    rows = strength.of_scores(strength.out_of_fold(codes, whole), whole)
    assert strength.of_codes(codes, whole) == pytest.approx(rows, rel=1e-9)


@pytest.mark.parametrize("wide", [3, 40])
def test_the_nearest_rows_are_the_same_by_a_tree_and_by_products(
    wide: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(6)
    points = rng.normal(size=(ROWS, wide)) + 1_000
    points[1], points[3] = points[0], points[2] + 1e-6
    monkeypatch.setattr(clusters, "_BLOCK", 90)
    found = []
    for bound in (0, wide):
        monkeypatch.setattr(clusters, "_WIDE", bound)
        found.append(clusters.neighbours(points, 4))
    (far, near), (by_tree, places) = found
    assert far == pytest.approx(by_tree, rel=1e-6, abs=1e-12)
    assert {*near[0, :2], *places[0, :2]} == {0, 1}
    assert (near[4:] == places[4:]).mean() > 0.99


@pytest.mark.parametrize(("rows", "events", "most"), [(84, 21, 8), (97, 30, 16), (360, 7, 30)])
def test_the_chance_of_a_simple_share_is_the_sum_of_those_of_its_numbers(
    rows: int, events: int, most: int
) -> None:
    every = np.arange(rows + 1)
    simple = rows // np.gcd(every, rows) <= most
    chance = float(binom.pmf(every[simple], rows, events / rows).sum())
    assert encodings._of_fraction(rows, events, most) == pytest.approx(chance, rel=1e-9)


@pytest.mark.parametrize("most", [1, 7, 300, 10**9])
def test_codes_without_gaps_are_those_of_a_sort(most: int) -> None:
    found = np.random.default_rng(2).integers(0, most, 300)
    assert dense(found).tolist() == np.unique(found, return_inverse=True)[1].tolist()
    assert dense(found[:0]).tolist() == []


def test_groups_of_a_column_without_values_in_a_part_are_none() -> None:
    rows = table(2, 1.0).frame.assign(a=np.arange(ROWS) % 20, b=np.arange(ROWS) % 9, x=np.nan)
    assert [*Keys.of(Table.of(rows, Roles("y", ("x",), numbers=True))).sets("x")] == []
