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
    assert all(repr(name) in it.sentence for it in stops for name in it.columns)


@pytest.mark.parametrize("name", honest.HONEST)
def test_an_honest_table_is_never_stopped(name: str) -> None:
    make = honest.HONEST[name]
    by: leaky.By = "time" if "t" in make(np.random.default_rng(21)) else "random"
    assert [it for it in found(make, by, 21) if it.level == "stop"] == []
