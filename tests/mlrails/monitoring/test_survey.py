"""All that is looked at together: what is said of months whose truth is known, and of bad ones."""

from collections.abc import Iterable
from dataclasses import replace

import months
import numpy as np
import pandas as pd
import pytest

from mlrails.core.params import Task
from mlrails.monitoring import drift, labels
from mlrails.monitoring.alarms import Alarm, Source
from mlrails.monitoring.invariants import Kind
from mlrails.monitoring.survey import PREDICTION, Survey, survey


def found(change: months.Change | None = None, seed: int = 0, **more: object) -> Survey:
    frame = months.rows(seed)
    if change:
        frame = months.changed(frame, change)
    return survey(months.material(frame, **more), months.QUESTION)


def of(alarms: Iterable[Alarm], source: Source) -> list[Alarm]:
    return [it for it in alarms if it.source is source]


@pytest.fixture(scope="module")
def calm() -> Survey:
    return found()


def test_where_nothing_has_changed_nothing_is_said(calm: Survey) -> None:
    assert calm.is_told and not calm.standing and not calm.faults
    assert [it.alarm for it in calm.looks] == [False] * 8
    assert [it.alarm for it in calm.outcome_looks] == [False] * 8
    assert calm.record is not None and calm.record.windows >= 8


def test_a_default_is_found_with_its_value_and_its_slice() -> None:
    alarm, *_ = of(found(months.by_default).alarms, Source.ROWS)
    assert alarm.columns == ["shop"] and alarm.since == months.KNOWN
    assert "north 2" in alarm.where and "→" in alarm.where
    assert "changed more than in any of 31 past windows" in alarm.what


def test_where_a_change_that_stays_is_told_by_the_weeks_before_it() -> None:
    """Else the change itself would be among what the later windows are told from."""
    first, *later = of(found(months.by_default).alarms, Source.ROWS)
    assert later and {it.since for it in later} == {first.since}
    assert {it.where.split(" → ")[0] for it in later} == {first.where.split(" → ")[0]}


def test_a_sensor_that_is_stuck_is_a_fault_on_its_first_day() -> None:
    (fault,) = (it for it in found(months.stuck).faults if it.kind is Kind.REPEATED)
    assert (fault.column, fault.first, fault.share) == ("heat", months.KNOWN, 1.0)


def test_a_unit_that_has_changed_breaks_the_range_of_the_schema_at_once() -> None:
    def to_kelvin(part: pd.DataFrame, rng: np.random.Generator) -> None:
        part["heat"] = part["heat"] * 10

    told = found(to_kelvin)
    (fault,) = (it for it in told.faults if it.kind is Kind.RANGE)
    assert fault.column == "heat" and fault.first == months.KNOWN
    assert "a unit may have changed" in told.standing[0].remedy


def test_a_prediction_that_has_changed_alone_says_so() -> None:
    alarm, *_ = of(found(months.surer, seed=1).alarms, Source.ROWS)
    assert alarm.columns == [PREDICTION] and alarm.what.startswith("the model's prediction")
    assert "no column explains it" in alarm.remedy


def test_outcomes_that_come_late_are_missed_once_their_time_is_over() -> None:
    told = found(months.late)
    (fault,) = told.faults
    assert fault.kind is Kind.LATE and fault.last == months.DAYS - 1
    patient = months.Asked().question(horizon="20 days")
    frame = months.changed(months.rows(), months.late)
    waited = survey(months.material(frame), patient)
    assert not waited.faults
    assert len(waited.outcome_looks) == 5 and len(waited.looks) == 8


def test_outcomes_of_a_part_of_the_rows_are_enough() -> None:
    frame = months.rows()
    some = np.random.default_rng(1).random(len(frame)) < 0.3
    target = np.where(some, frame["came"], np.nan)
    told = survey(months.material(frame, target=target), months.QUESTION)
    assert not told.faults and all(it.alarm is False for it in told.outcome_looks)


def test_without_outcomes_there_is_an_estimate_and_no_alarm() -> None:
    told = found(target=None)
    assert not told.outcome_looks and told.record is None and not told.standing
    assert all(np.isfinite(it.estimated) for it in told.figures if it.start >= months.KNOWN)


def test_a_change_that_stays_alarms_for_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    def warmer(part: pd.DataFrame, rng: np.random.Generator) -> None:
        part["heat"] += 40

    def alarmed() -> int:
        return sum(bool(it.alarm) for it in found(warmer).looks)

    stands = alarmed()
    assert stands > 1
    monkeypatch.setattr(
        drift._History,
        "past",
        lambda history, place, looks: np.flatnonzero(history.known[:place]),
    )
    assert alarmed() < stands  # It would pass for usual from the second week on.


def test_few_past_windows_tell_nothing_and_say_how_many_it_takes() -> None:
    frame = months.rows(days=7 * 30)
    told = survey(months.material(frame, known=7 * 25), months.QUESTION)
    assert all(it.alarm is None for it in told.looks)
    assert told.looks[0].why == "16 of the 26 past windows that it takes"
    generous = months.Asked(false_alarms=52).question()
    assert survey(months.material(frame, known=7 * 25), generous).looks[0].why == (
        "16 of the 19 past windows that it takes"
    )


def test_windows_that_are_too_small_are_put_together() -> None:
    frame = months.rows(of_day=7)
    told = survey(months.material(frame), months.Asked(false_alarms=12).question())
    assert told.how.merged == 5 and told.how.length == 35
    assert [it.end - it.start for it in told.looks] == [35]


def test_a_window_of_ten_rows_is_few_rows_and_no_drift() -> None:
    frame = months.rows()
    last = frame["day"] >= months.DAYS - 7
    few = pd.concat([frame[~last], frame[last].iloc[::42]], ignore_index=True)
    told = survey(months.material(few), months.QUESTION)
    assert told.looks[-1].alarm is None
    assert told.looks[-1].why == "10 of the 200 rows that it takes"
    assert Kind.FEW_ROWS in {it.kind for it in told.faults}


def test_a_month_that_is_missing_is_told_as_days_without_rows() -> None:
    frame = months.rows()
    gap = (frame["day"] >= months.KNOWN + 7) & (frame["day"] < months.KNOWN + 35)
    told = survey(months.material(frame[~gap].reset_index(drop=True)), months.QUESTION)
    (fault,) = (it for it in told.faults if it.kind is Kind.NO_ROWS)
    assert (fault.first, fault.last, fault.rows) == (months.KNOWN + 7, months.KNOWN + 34, 0)
    assert [it.alarm for it in told.looks[1:5]] == [None] * 4
    assert told.looks[5].alarm is not None


def test_all_of_one_category_is_drift() -> None:
    def one(part: pd.DataFrame, rng: np.random.Generator) -> None:
        part["shop"] = "north"

    told = found(one)
    assert of(told.standing, Source.ROWS)
    # At once, and where there is too little past to look at windows.
    young = months.changed(months.rows(days=80), one, since=63)
    for survey_of, since in (
        (told, months.KNOWN),
        (survey(months.material(young, 63), months.QUESTION), 63),
    ):
        (fault,) = (it for it in survey_of.faults if it.kind is Kind.REPEATED)
        assert (fault.column, fault.first, fault.share) == ("shop", since, 1.0)


def test_categories_that_nobody_knows_are_told_and_many_are_a_fault() -> None:
    def some(part: pd.DataFrame, rng: np.random.Generator) -> None:
        part["shop"] = part["shop"].where(rng.random(len(part)) > 0.01, "moon")

    def many(part: pd.DataFrame, rng: np.random.Generator) -> None:
        part["shop"] = part["shop"].where(rng.random(len(part)) > 0.5, "moon")

    told = found(some)
    assert told.strangers["shop"][0] == ["moon"] and not told.faults
    (fault,) = (it for it in found(many).faults if it.kind is Kind.UNSEEN)
    assert fault.column == "shop" and fault.share is not None and fault.share > 0.4


def test_a_column_that_is_never_missing_may_not_be() -> None:
    def empty(part: pd.DataFrame, rng: np.random.Generator) -> None:
        part.loc[5, "heat"] = np.nan

    (fault,) = found(empty).faults
    assert (fault.kind, fault.column, fault.rows) == (Kind.EMPTY, "heat", 1)


def test_a_level_that_moves_is_found_by_outcomes_alone() -> None:
    def more(part: pd.DataFrame, rng: np.random.Generator) -> None:
        part["came"] = np.maximum(part["came"], rng.random(len(part)) < 0.3)

    alarm, *_ = of(found(more).standing, Source.OUTCOMES)
    assert "predictions are" in alarm.what and "below what came" in alarm.what
    assert alarm.remedy.startswith("rows are still put in the right order")
    assert "`nox -s retrain -- --recalibrate`" in alarm.remedy
    assert not of(found(more).alarms, Source.ROWS)


def test_only_alarms_of_the_days_that_are_asked_for_stand() -> None:
    def once(part: pd.DataFrame, rng: np.random.Generator) -> None:
        first = part["day"] < months.KNOWN + 7
        part["shop"] = part["shop"].where(~first, "north")

    frame = months.changed(months.rows(), once)
    last = survey(months.material(frame), months.QUESTION)
    assert last.alarms and not of(last.standing, Source.ROWS)
    every = survey(months.material(frame), months.Asked(first=months.KNOWN).question())
    assert of(every.standing, Source.ROWS)


def test_in_public_no_value_is_told_but_those_of_slices() -> None:
    frame = months.changed(months.rows(), months.by_default)
    asked = replace(months.QUESTION, in_public=True)
    quiet = survey(months.material(frame, slices=()), asked)
    assert quiet.alarms and all("north" not in it.where for it in quiet.alarms)
    told = survey(months.material(frame), asked)
    assert any("north" in it.where for it in of(told.alarms, Source.ROWS))


def test_the_same_rows_are_told_the_same(calm: Survey) -> None:
    again = found()
    assert [it.chance for it in again.looks] == [it.chance for it in calm.looks]
    chances = [it.alone.chance for it in again.outcome_looks]
    assert chances == [it.alone.chance for it in calm.outcome_looks]


def test_what_a_window_is_told_does_not_change_when_others_come(calm: Survey) -> None:
    shorter = months.rows()
    shorter = shorter[shorter["day"] < months.DAYS - 14]
    before = survey(months.material(shorter.reset_index(drop=True)), months.QUESTION)
    assert [it.chance for it in before.looks] == [it.chance for it in calm.looks[:6]]


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.MULTICLASS])
def test_other_tasks_are_watched_as_well(task: Task) -> None:
    frame = months.rows()
    score = frame["score"].to_numpy()
    if task is Task.MULTICLASS:
        score = np.stack([1 - score, score], axis=1)
    more = {"score": score, "classes": ("no", "yes") if task is Task.MULTICLASS else ()}
    asked = months.Asked(task=task).question()
    told = survey(months.material(frame, **more), asked)
    assert not told.standing and told.is_told
    wrong = months.changed(frame.assign(came=1 - frame["came"]), lambda part, rng: None)
    wrong.loc[wrong["day"] < months.KNOWN, "came"] = frame["came"]
    worse = survey(months.material(wrong, **more), asked)
    alarm = of(worse.standing, Source.OUTCOMES)[-1]
    assert labels.LOSSES[task] in alarm.what or "within days" in alarm.what
