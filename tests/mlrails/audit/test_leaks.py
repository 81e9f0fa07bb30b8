"""Leaky tables are stopped, each with the sentence that fits."""

import leaky
import numpy as np
import pytest

from mlrails.audit import look


@pytest.mark.parametrize("name", leaky.CASES)
def test_a_leak_is_stopped_with_its_sentence(name: str) -> None:
    case = leaky.CASES[name]
    rows = case.make(np.random.default_rng(1))
    first = look.findings(rows, leaky.roles(rows, case.by))[0]
    assert (first.level, first.rule) == ("stop", case.rule)
    assert first.columns == ((case.column,) if case.column else ())
    assert all(repr(it) in first.sentence for it in first.columns)
