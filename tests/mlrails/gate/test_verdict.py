"""The decision rule: promote, reject, or say what would decide."""

import json
import math

import pytest

from mlrails.core.params import Unit
from mlrails.evaluation.comparison import Comparison
from mlrails.gate import verdict
from mlrails.gate.verdict import Answer, Check, Verdict

MARGIN, LEAST_DAYS = 0.25, 20
"""A margin that floating point holds exactly."""
NAN = math.nan


def check(low: float, high: float, days: int = 60) -> Check:
    found = Comparison((low + high) / 2, low, high, days, 100 * days)
    return verdict.no_worse("no worse", found, MARGIN, LEAST_DAYS)


@pytest.mark.parametrize(
    ("low", "high", "passed", "words"),
    [
        (0.1, 0.3, True, "a loss of 0.25 is ruled out"),
        (-0.2, 0.1, True, "ruled out"),
        (-0.24, -0.1, True, "ruled out"),  # surely worse, and surely by less than the margin
        (-0.9, -0.3, False, "worse by more than 0.25"),
        (-0.5, 0.5, None, "about 240 days (24,000 rows) would decide, with a power of 80 %"),
        (-0.5, 0.5, None, "what may be lost is `gate.margin` in params.yaml"),
        (-0.25, 0.5, None, "would decide"),  # an end right at the margin rules nothing out
        (-0.5, -0.25, None, "would decide"),
        (-0.5, 0.0, None, "right at the margin 0.25: no number of days would decide"),
    ],
)
def test_the_interval_decides(low: float, high: float, passed: bool | None, words: str) -> None:
    found = check(low, high)
    assert found.passed is passed
    assert words in found.reason and "on 60 days (6,000 rows)" in found.reason
    assert (found.value, found.bound) == ((low + high) / 2, -MARGIN)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.3), (-0.9, -0.3), (-0.5, 0.5)])
def test_too_few_days_decide_nothing_and_it_says_how_many_are_needed(
    low: float, high: float
) -> None:
    found = check(low, high, days=19)
    assert found.passed is None
    assert "on 19 days (1,900 rows) only" in found.reason
    assert "20 days are needed, about 2,000 rows" in found.reason
    assert check(low, high, days=20).passed is check(low, high).passed


def test_of_groups_nobody_speaks_of_days() -> None:
    few, doubt, at_margin = (
        verdict.no_worse("", Comparison(0.0, low, 0.5, size, 10 * size, unit=Unit.GROUP), *bounds)
        for low, size, bounds in (
            (-0.1, 5, (MARGIN, LEAST_DAYS)),
            (-0.5, 60, (MARGIN, LEAST_DAYS)),
            (-0.5, 60, (0.0, LEAST_DAYS)),
        )
    )
    assert few.reason == (
        "seen on 5 groups (50 rows) only, too few to tell; 20 groups are needed, about 200 rows"
    )
    assert "on 60 groups (600 rows); about 240 groups (2,400 rows) would decide" in doubt.reason
    assert "no number of groups would decide" in at_margin.reason


def test_no_rows_at_all_decide_nothing() -> None:
    found = check(NAN, NAN, days=0)
    assert (found.passed, found.value) == (None, None)
    assert "0 days (0 rows) only, too few" in found.reason
    assert "20 days are needed" in found.reason and "nan" not in found.reason


def test_where_no_row_is_new_it_is_said_what_to_do() -> None:
    assert "bring later rows, and move `data.until` in params.yaml on" in check(NAN, NAN, 0).reason
    timeless, grouped = (
        verdict.no_worse("", Comparison(NAN, NAN, NAN, 0, 0, unit=it), MARGIN, LEAST_DAYS).reason
        for it in (Unit.ROW, Unit.GROUP)
    )
    assert "`data.time` in params.yaml" in timeless and "another name" in timeless
    assert "groups without a time cannot tell" in grouped and "take the change back" in grouped
    assert "data.time" not in check(0.1, 0.3, days=19).reason


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize(("rows", "passed"), [(299, None), (300, True)])
def test_models_that_differ_in_no_draw_decide_on_enough_rows_only(
    unit: Unit, rows: int, passed: bool | None
) -> None:
    size = rows if unit is Unit.ROW else 60
    alike = Comparison(0.0, 0.0, 0.0, size, rows, unit=unit)
    found = verdict.no_worse("", alike, MARGIN, LEAST_DAYS)
    assert found.passed is passed
    assert ("ruled out" in found.reason) is (passed is True)
    assert ("300 rows would tell" in found.reason) is (passed is None)


def test_one_outcome_only_decides_nothing() -> None:
    found = check(NAN, NAN)
    assert (found.passed, found.value) == (None, None)
    assert "one outcome only" in found.reason and "nan" not in found.reason


@pytest.mark.parametrize(
    ("passed", "answer"),
    [
        ([], Answer.PROMOTE),
        ([True, True], Answer.PROMOTE),
        ([True, None], Answer.UNDECIDED),
        ([None, False, True], Answer.REJECT),
    ],
)
def test_one_failure_rejects_and_one_doubt_waits(passed: list[bool | None], answer: Answer) -> None:
    checks = [Check("", it, None, None, "") for it in passed]
    assert verdict.answer(iter(checks)) is answer


def test_a_verdict_tells_what_stands_in_the_way_and_nothing_else() -> None:
    checks = [
        Check("size", True, 1.0, 2.0, "small"),
        Check("signature", False, None, None, "'wind' is asked for"),
        check(-0.5, 0.5),
    ]
    found = Verdict(verdict.answer(checks), "a", "b", checks, {})
    size, signature, no_worse = found.to_json("here", "main")["checks"]
    told = [it.split(":")[0] for it in found.reasons()]
    assert told == ["signature", "no worse (undecided)"]
    waiting = Verdict(Answer.UNDECIDED, "a", "b", checks[2:], {})
    assert [it.split(":")[0] for it in waiting.reasons()] == ["no worse"]
    assert signature == {
        "name": "signature",
        "passed": False,
        "value": None,
        "bound": None,
        "reason": "'wind' is asked for",
        "worse": "",
    }
    assert (size["passed"], no_worse["passed"]) == (True, None)


def test_a_challenger_that_is_the_champion_changes_nothing() -> None:
    found = verdict.unchanged("a")
    assert (found.answer, found.challenger, found.champion) == (Answer.UNCHANGED, "a", "a")
    assert found.reasons() == []


@pytest.mark.parametrize("days", [0, 1, 60])
@pytest.mark.parametrize("ends", [(-0.1, 0.1), (NAN, NAN), (-math.inf, math.inf)])
def test_json_can_hold_every_verdict(ends: tuple[float, float], days: int) -> None:
    checks = [check(*ends, days=days)]
    told = Verdict(verdict.answer(checks), "a", None, checks, {}).to_json("here", "main")
    assert json.loads(json.dumps(told, allow_nan=False)) == told
