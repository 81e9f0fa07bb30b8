"""Leaky tables are stopped, each with the sentence that fits; honest ones never are."""

from collections.abc import Callable

import honest
import leaky
import numpy as np
import pandas as pd
import pytest

from mlrails.audit import look
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


def test_two_columns_that_are_both_known_are_not_asked_about_again() -> None:
    rows = leaky.parted(np.random.default_rng(1), "sum", "number")
    for known, stopped in (({"one": "why"}, True), ({"one": "why", "other": "why"}, False)):
        stops = look.stops(rows, leaky.roles(rows, "time", known=known))
        assert bool(stops) is stopped


def test_few_values_that_are_all_of_events_are_asked_about() -> None:
    rows = leaky.absent(np.random.default_rng(1), there=0.3, else_=0.0)
    asked = [it for it in look.findings(rows, leaky.roles(rows, "time")) if it.level == "question"]
    assert [(it.rule, it.columns) for it in asked] == [(leaky.ABSENT, ("days_to_callback",))]
    assert "100.0% of these are of one class" in asked[0].sentence


def test_of_very_many_columns_those_that_stand_near_each_other_are_paired() -> None:
    rows = leaky.parted(np.random.default_rng(1), "difference", "number")
    noise = np.random.default_rng(2).normal(size=(len(rows), 80)).round(3)
    wide = pd.concat([pd.DataFrame(noise, columns=[f"n{it}" for it in range(80)]), rows], axis=1)
    stops = look.stops(wide, leaky.roles(wide, "time"))
    assert [it.columns for it in stops] == [("one", "other")]
