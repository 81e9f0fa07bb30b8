"""Leaky tables are stopped, each with the sentence that fits; honest ones never are."""

from collections.abc import Callable
from itertools import chain

import honest
import leaky
import numpy as np
import pandas as pd
import pytest

from mlrails.audit import encodings, look
from mlrails.audit.finding import Finding


def found(make: Callable[[leaky.Rng], pd.DataFrame], by: leaky.By, seed: int = 1) -> list[Finding]:
    rows = make(np.random.default_rng(seed))
    return look.findings(rows, leaky.roles(rows, by))


@pytest.mark.parametrize("name", leaky.CASES)
def test_a_leak_is_stopped_with_its_sentence(name: str) -> None:
    case = leaky.CASES[name]
    stops = [it for it in found(case.make, case.by) if it.level == "stop"]
    fit = [it for it in stops if it.rule == case.rule]
    assert [it.columns for it in fit] == [(case.column,)] or (fit and case.column is None)
    if case.rule == leaky.TOGETHER:
        assert [it.columns for it in stops] == [("one", "other")]
    assert all(repr(name) in it.sentence for it in stops for name in it.columns)


@pytest.mark.parametrize("name", honest.HONEST)
def test_an_honest_table_is_never_stopped(name: str) -> None:
    make = honest.HONEST[name]
    by: leaky.By = "time" if "t" in make(np.random.default_rng(21)) else "random"
    assert [it for it in found(make, by, 21) if it.level == "stop"] == []


@pytest.mark.parametrize("kind", ["number", "event"])
def test_of_a_panel_the_means_of_years_are_stopped_and_years_are_not(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = honest.panel(np.random.default_rng(1), kind, leak=True)
    for seen, stopped in ((True, {"usual"}), (False, {"usual", "year"})):
        if not seen:
            monkeypatch.setattr(encodings, "panel", lambda *_: [])
        stops = look.stops(rows, leaky.roles(rows, "random"))
        assert {it.columns[0] for it in stops if it.rule == leaky.ENCODING} == stopped


def test_two_columns_that_are_both_known_are_not_asked_about_again() -> None:
    rows = leaky.parted(np.random.default_rng(1), "sum", "number")
    for known, stopped in (({"one": "why"}, True), ({"one": "why", "other": "why"}, False)):
        stops = look.stops(rows, leaky.roles(rows, "time", known=known))
        assert bool(stops) is stopped
        assert all("say why at both in schema.py" in it.sentence for it in stops)


def test_what_is_beside_a_known_column_that_tells_all_is_not_asked_about() -> None:
    rows = leaky.base(np.random.default_rng(1))
    rows = rows.assign(score=rows["y"] * 9 + rows["x"], x=rows["x"].to_numpy()[::-1] / 9)
    for known, stopped in (({}, [("score",)]), ({"score": "it is of the day before"}, [])):
        stops = look.stops(rows, leaky.roles(rows, "time", known=known))
        assert [it.columns for it in stops] == stopped


@pytest.mark.parametrize(("often", "stopped"), [(2, False), (12, True)])
def test_two_columns_are_no_number_that_is_nearly_always_zero(often: int, stopped: bool) -> None:
    rows = pd.DataFrame(np.zeros((40, 3)), columns=["one", "other", "y"])
    there = 1.0 + np.arange(often)
    rows.loc[: often - 1, ["one", "other", "y"]] = np.column_stack([there, 1 / there, there**0])
    rows.loc[often : often + 4, "one"] = rows.loc[often + 5 : often + 9, "other"] = 3.0
    stops = look.stops(rows, leaky.roles(rows, "random"))
    assert [it.columns for it in stops] == [("one", "other")] * stopped


def test_looks_side_by_side_find_what_they_find_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("encoded, two", "copies, number", "numbered"):
        case = leaky.CASES[name]
        at_once = found(case.make, case.by)
        with monkeypatch.context() as patched:
            patched.setattr(look, "_at_once", chain)
            assert found(case.make, case.by) == at_once != []


def test_few_values_that_are_all_of_events_are_asked_about() -> None:
    rows = leaky.absent(np.random.default_rng(1), there=0.3, else_=0.0)
    asked = [it for it in look.findings(rows, leaky.roles(rows, "time")) if it.level == "question"]
    assert [(it.rule, it.columns) for it in asked] == [(leaky.ABSENT, ("days_to_callback",))]
    assert "100.0% of these are of one class" in asked[0].sentence


def test_a_flag_is_said_to_tell_the_target_and_never_to_have_no_value() -> None:
    rows = leaky.base(np.random.default_rng(1))
    wrong = np.random.default_rng(2).random(len(rows)) < 0.05
    rows["relapse"] = (rows["y"].to_numpy() ^ wrong).astype(float)
    asked = [
        it for it in look.findings(rows, leaky.roles(rows, "time")) if it.columns == ("relapse",)
    ]
    assert [(it.rule, it.level) for it in asked] == [(leaky.LEAKAGE, "stop")]


def test_rows_of_another_sort_are_not_said_to_be_filled_in_late() -> None:
    rows = leaky.base(np.random.default_rng(1), "number")
    sums = rows["y"] > rows["y"].quantile(0.98)
    rows["state"] = [*map("s{}".format, np.random.default_rng(2).integers(0, 50, len(rows)))]
    rows.loc[sums, "state"] = None
    assert [it for it in look.findings(rows, leaky.roles(rows, "time")) if it.level != "note"] == []


@pytest.mark.parametrize("overlap", [False, True])
def test_codes_of_a_number_are_stopped_where_each_has_its_own_part_of_it(overlap: bool) -> None:
    rows = leaky.base(np.random.default_rng(1), "number")
    order = rows["y"].rank() + np.random.default_rng(2).normal(0, 220 * overlap, len(rows))
    rows["age"] = pd.qcut(order, 20, labels=False).astype(float)
    found = [it for it in look.findings(rows, leaky.roles(rows, "time")) if "age" in it.columns]
    assert [(it.rule, it.level) for it in found] == [
        (leaky.LEAKAGE, "question" if overlap else "stop")
    ]


def test_entities_of_a_wide_table_are_looked_for_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    rows = leaky.patients(np.random.default_rng(1), named="patient_id")
    wide = {f"n{it}": np.random.default_rng(it).normal(size=len(rows)) for it in range(120)}
    frame = pd.DataFrame({**wide, **rows}, copy=False)
    assert leaky.TORN in {it.rule for it in look.findings(frame, leaky.roles(frame, "random"))}
    assert [str(it.message) for it in recwarn] == []


def test_values_that_are_of_all_classes_but_one_are_not_said_to_be_of_one() -> None:
    rows = leaky.base(np.random.default_rng(1), "classes")
    rows["x"] = rows["x"].where((rows["y"] != "bird") & (rows["x"] > 1))
    sentences = [it.sentence for it in look.findings(rows, leaky.roles(rows, "time"))]
    assert not any("are of one class" in it for it in sentences)


@pytest.mark.parametrize("many", [80, 400])
def test_of_very_many_columns_those_that_stand_near_each_other_are_paired(many: int) -> None:
    rows = leaky.parted(np.random.default_rng(1), "difference", "number")[:500]
    noise = np.random.default_rng(2).normal(size=(len(rows), many)).round(3)
    wide = pd.concat([pd.DataFrame(noise, columns=[f"n{it}" for it in range(many)]), rows], axis=1)
    stops = look.stops(wide, leaky.roles(wide, "time"))
    assert [it.columns for it in stops] == [("one", "other")]
