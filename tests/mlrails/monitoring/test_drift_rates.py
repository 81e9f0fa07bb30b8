"""How often the monitor cries wolf, and what it finds, by simulation of months of known truth.

    MONITOR_SIMULATIONS=300 nox -s engine -- monitoring/test_drift_rates.py

Nothing changes in the months of `months.py` unless it is told to; days are alike, as weather is.
"""

import os
from collections import Counter
from collections.abc import Callable

import months
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlrails.evaluation import bootstrap
from mlrails.monitoring import distances, drift, windows
from mlrails.monitoring.alarms import Source
from mlrails.monitoring.survey import Survey, survey

SIMULATIONS = int(os.environ.get("MONITOR_SIMULATIONS", "6"))
WEEKS = (months.DAYS - months.KNOWN) // 7
BUDGET = 3.0
A_YEAR = 365 / 7


def surveys(
    change: months.Change | None = None,
    world: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
) -> list[Survey]:
    found = []
    for seed in range(SIMULATIONS):
        frame = world(months.rows(seed))
        given = months.changed(frame, change, seed=seed) if change else frame
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
    a_year = {source.value: round(count / looks * A_YEAR, 2) for source, count in seen.items()}
    print(f"false alarms a year: {a_year}, of {looks} looks")
    how = calm[0].how
    assert how.error + how.error_of_outcomes == pytest.approx(BUDGET / A_YEAR)
    assert seen[Source.ROWS] <= most(how.error, looks)
    assert seen[Source.OUTCOMES] <= most(how.error_of_outcomes, looks)
    assert seen[Source.FAULT] <= most(0.001, looks)


def test_the_usual_rule_would_alarm_in_most_windows(calm: list[Survey]) -> None:
    """Rows of a day share its weather: a test that takes them for independent sees change always.

    Any of the numbers' distances beyond Kolmogorov and Smirnov's bound for an error of 5 %.
    """
    alarms = []
    for one in calm:
        new = one.windows[one.windows[:, 0] >= months.KNOWN]
        numbers = [it for it in one.columns if it.kind == "number"]
        found = distances.between(numbers, new, windows.before(new, one.how))
        values = [it.respect is distances.Respect.VALUES for it in distances.measures(numbers)]
        rows = numbers[0].of(new).known
        alarms.append((found[values] > 1.36 / np.sqrt(rows * 8 / 9)).any(axis=0))
    assert np.mean(alarms) > 0.8


FOUND = {"unit": 0.9, "stuck": 0.9, "missing": 0.9, "default": 0.9, "score": 0.4, "late": 0.9}
"""In how many of the months each fault is found at the least."""


@pytest.mark.parametrize("fault", months.FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    found = surveys(months.FAULTS[fault])
    soon = Counter[int]()
    for one in found:
        seen = (it.since if it.source is Source.FAULT else it.until for it in one.alarms)
        first = min(seen, default=None)
        if first is not None:
            soon[(first - months.KNOWN) // 7 + 1] += 1
    print(fault, "found in week", dict(sorted(soon.items())), "of", SIMULATIONS)
    assert SIMULATIONS - soon.total() <= most(1 - FOUND[fault], SIMULATIONS)


def test_a_unit_is_found_in_a_column_that_swings_with_the_season() -> None:
    """Distances end at 1: scaled by what a season makes of them, none would stand out."""
    found = surveys(months.to_celsius, months.seasonal)
    first = [it.looks[0] for it in found]
    missed = sum(not it.alarm or it.movers[0].measure.column != "heat" for it in first)
    assert missed <= most(0.1, SIMULATIONS)


def test_what_leaps_hides_nothing_in_other_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    def missed() -> int:
        found = surveys(months.by_default, months.by_leaps)
        return sum(not it.looks[0].alarm for it in found)

    assert (seen := missed()) <= most(0.2, SIMULATIONS)
    monkeypatch.setattr(drift, "_LEAP", np.inf)
    assert missed() > seen


def test_days_that_are_alike_would_break_the_budget_if_they_were_taken_for_independent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The outcomes of the same months, with the widening and without it."""
    frames = [months.rows(seed, ar=0.95, of_day=20) for seed in range(2 * SIMULATIONS)]

    def alarms() -> int:
        asked = (survey(months.material(it), months.QUESTION) for it in frames)
        return sum(bool(look.alarm) for one in asked for look in one.outcome_looks)

    widened = alarms()
    monkeypatch.setattr(bootstrap, "stretch", lambda added: 1.0)
    assert alarms() > widened


def in_a_year_of_seasons() -> int:
    """Count the windows that alarm where nothing but the season goes on."""
    every = (months.material(months.seasonal(months.rows(seed))) for seed in range(SIMULATIONS))
    looks = [it for one in every for it in survey(one, months.QUESTION).looks]
    assert all(it.alarm is not None for it in looks)
    return sum(bool(it.alarm) for it in looks)


def test_the_weeks_before_alone_would_take_a_season_for_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = in_a_year_of_seasons()
    assert both <= most(survey_error(), SIMULATIONS * WEEKS)
    monkeypatch.setattr(drift, "_among_past", lambda highest: 0.0)
    assert in_a_year_of_seasons() > max(both, most(survey_error(), SIMULATIONS * WEEKS))


def survey_error() -> float:
    """Return the chance of a false alarm in a look at rows."""
    return float(2 / 3 * BUDGET / A_YEAR)
