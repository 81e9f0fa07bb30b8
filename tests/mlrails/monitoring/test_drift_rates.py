"""How often the monitor cries wolf, and what it finds, by simulation of months of known truth.

    MONITOR_SIMULATIONS=300 nox -s engine -- monitoring/test_drift_rates.py

Nothing changes in the months of `months.py` unless it is told to; days are alike, as weather is.
"""

import os
from collections import Counter

import months
import numpy as np
import pytest
from scipy import stats

from mlrails.evaluation import bootstrap
from mlrails.monitoring import distances, drift, windows
from mlrails.monitoring.alarms import Source
from mlrails.monitoring.survey import Survey, survey

SIMULATIONS = int(os.environ.get("MONITOR_SIMULATIONS", "15"))
WEEKS = (months.DAYS - months.KNOWN) // 7
BUDGET = 3.0
A_YEAR = 365 / 7


def surveys(change: months.Change | None = None, since: int = months.KNOWN) -> list[Survey]:
    found = []
    for seed in range(SIMULATIONS):
        frame = months.rows(seed)
        given = months.changed(frame, change, since, seed) if change else frame
        found.append(survey(months.material(given), months.QUESTION))
    return found


@pytest.fixture(scope="module")
def calm() -> list[Survey]:
    """Months in which nothing changes."""
    return surveys()


def most(rate: float, looks: int) -> float:
    """Return the count that a rate which is kept exceeds in one of a thousand runs only."""
    return float(stats.binom.ppf(0.999, looks, rate))


def begun(found: list[Survey], source: Source) -> int:
    """Count the alarms that began, each once however long it stood."""
    return sum(len({it.since for it in one.alarms if it.source is source}) for one in found)


def test_where_nothing_changes_false_alarms_keep_to_the_budget(calm: list[Survey]) -> None:
    looks = SIMULATIONS * WEEKS
    seen = {source: begun(calm, source) for source in Source}
    print({source: count / looks * A_YEAR for source, count in seen.items()}, "a year")
    how = calm[0].how
    assert how.error + how.error_of_outcomes == pytest.approx(BUDGET / A_YEAR)
    assert seen[Source.ROWS] <= most(how.error, looks)
    assert seen[Source.OUTCOMES] <= most(how.error_of_outcomes, looks)
    assert seen[Source.FAULT] <= most(0.001, looks)


def test_the_usual_rules_would_alarm_in_every_window(calm: list[Survey]) -> None:
    """Rows of a day share its weather: tests that take them for independent see change always."""
    for one in calm:
        heat = next(it for it in one.columns if it.name == "heat")
        new = one.windows[one.windows[:, 0] >= months.KNOWN]
        found = distances.between([heat], new, windows.before(new, one.how))[0]
        rows = heat.of(new).known
        assert np.all(found > 1.36 / np.sqrt(rows * (8 / 9)))  # Kolmogorov and Smirnov, at 5 %.


FOUND = {"unit": 0.9, "stuck": 0.9, "missing": 0.9, "default": 0.9, "score": 0.7, "late": 0.9}
"""In how many of the months each fault is found at the least."""


@pytest.mark.parametrize("fault", months.FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    found = surveys(months.FAULTS[fault])
    soon = Counter[int]()
    for one in found:
        first = min((it.until for it in one.alarms), default=None)
        if first is not None:
            soon[(first - months.KNOWN) // 7 + 1] += 1
    print(fault, "found in week", dict(sorted(soon.items())), "of", SIMULATIONS)
    assert SIMULATIONS - soon.total() <= most(1 - FOUND[fault], SIMULATIONS)


def test_days_that_are_alike_would_break_the_budget_if_they_were_taken_for_independent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The outcomes of the same months, with the widening and without it."""

    def alarms() -> int:
        count = 0
        for seed in range(3 * SIMULATIONS):
            frame = months.rows(seed, ar=0.9, of_day=30)
            count += begun([survey(months.material(frame), months.QUESTION)], Source.OUTCOMES)
        return count

    widened = alarms()
    monkeypatch.setattr(bootstrap, "stretch", lambda added: 1.0)
    assert alarms() > widened


def test_the_weeks_before_alone_would_break_the_budget(
    calm: list[Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without past windows a season, or a day that lasts, would pass for a change."""
    monkeypatch.setattr(drift, "_rank", lambda highest: float(np.mean(highest >= highest[-1])))
    whole = [drift.look(it.columns, it.how, months.DAYS, months.KNOWN) for it in calm]
    only_within = sum(
        drift._within(_history(one), place, 420) <= one.how.error
        for one in calm
        for place in range(len(_history(one).windows))
        if _history(one).windows[place, 0] >= months.KNOWN
    )
    both = sum(bool(it.alarm) for looks in whole for it in looks)
    assert only_within > both


def _history(one: Survey) -> drift._History:
    every = windows.grid(months.DAYS, months.KNOWN, one.how)
    nothing = np.zeros((0, len(every)))
    rows = np.full(len(every), 420.0)
    return drift._History(one.columns, one.how, every, nothing, rows, rows > 0)
