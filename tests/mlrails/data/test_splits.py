"""Splits: calendar order, boundaries counted by hand, and no row in two parts."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows
from hypothesis import given
from hypothesis import strategies as st

from mlrails.core import layout
from mlrails.core.config import Period
from mlrails.data import splits


def period(text: str) -> Period:
    count, unit = text.removesuffix("s").split()
    return Period.model_validate({"count": int(count), "unit": unit})


def every_day(first: str, last: str) -> splits.Times:
    return np.arange(first, np.datetime64(last) + 1, dtype="datetime64[D]")


@pytest.mark.parametrize(
    ("until", "validation", "test", "validation_from", "test_from"),
    [
        ("2013-10-31", "1 month", "2 months", "2013-08-01", "2013-09-01"),
        ("2013-12-31", "1 month", "1 month", "2013-11-01", "2013-12-01"),
        ("2013-02-28", "1 month", "1 month", "2013-01-01", "2013-02-01"),
        ("2013-03-15", "1 month", "1 month", "2013-01-16", "2013-02-16"),
        ("2013-03-30", "1 day", "1 month", "2013-02-27", "2013-02-28"),
        ("2012-03-30", "1 day", "1 month", "2012-02-28", "2012-02-29"),
        ("2013-01-31", "1 month", "2 months", "2012-11-01", "2012-12-01"),
        ("2013-10-31", "10 days", "1 week", "2013-10-15", "2013-10-25"),
        ("2013-10-31", "2 weeks", "3 days", "2013-10-15", "2013-10-29"),
    ],
)
def test_parts_begin_on_the_days_counted_by_hand(
    until: str, validation: str, test: str, validation_from: str, test_from: str
) -> None:
    days = every_day("2011-06-01", until)
    last = date.fromisoformat(until)
    labels = splits.by_time(days, last, period(validation), period(test))
    assert str(days[labels == "validation"].min()) == validation_from
    assert str(days[labels == "test"].min()) == test_from
    assert str(days[labels == "test"].max()) == until


def test_rows_after_the_last_day_have_not_arrived_yet() -> None:
    days = every_day("2013-01-01", "2013-12-31")
    labels = splits.by_time(days, date(2013, 10, 31), period("1 month"), period("2 months"))
    assert (labels[days > np.datetime64("2013-10-31")] == "unused").all()
    assert not (labels[days <= np.datetime64("2013-10-31")] == "unused").any()


def test_without_a_last_day_all_rows_count() -> None:
    times = np.array(["2013-01-01T08:00", "2013-01-30T23:59", "2013-01-31T00:00"], "datetime64[m]")
    labels = splits.by_time(times, None, period("1 day"), period("1 day"))
    assert labels.tolist() == ["train", "validation", "test"]


def test_no_rows_are_no_labels() -> None:
    none = np.array([], "datetime64[us]")
    assert len(splits.by_time(none, None, period("1 day"), period("1 day"))) == 0
    assert len(splits.at_random(0, 1, 0.2, 0.2)) == 0


periods = st.builds(
    lambda count, unit: Period(count=count, unit=unit),
    st.integers(1, 40),
    st.sampled_from(["day", "week", "month"]),
)


@given(
    st.lists(st.integers(0, 1500), min_size=1, max_size=60),
    st.one_of(st.none(), st.integers(0, 1500)),
    periods,
    periods,
)
def test_no_test_day_comes_before_a_training_day(
    offsets: list[int], until: int | None, validation: Period, test: Period
) -> None:
    days = np.datetime64("2010-01-01") + np.array(offsets)
    last = None if until is None else date(2010, 1, 1) + timedelta(until)
    labels = splits.by_time(days.astype("datetime64[us]"), last, validation, test)
    assert len(labels) == len(days)
    assert set(labels) <= {*layout.PARTS, "unused"}
    order = np.array([[*layout.PARTS, "unused"].index(label) for label in labels])
    assert (np.diff(order[np.argsort(days, kind="stable")]) >= 0).all()
    assert all(len(set(labels[days == day])) == 1 for day in days)


def test_a_random_split_has_the_shares_and_every_row_once() -> None:
    labels = splits.at_random(1000, 1, 0.125, 0.25)
    parts, counts = np.unique(labels, return_counts=True)
    assert dict(zip(parts.tolist(), counts.tolist(), strict=True)) == {
        "train": 625,
        "validation": 125,
        "test": 250,
    }


def test_a_random_split_depends_on_nothing_but_the_seed() -> None:
    first = splits.at_random(1000, 1, 0.125, 0.25)
    assert (first == splits.at_random(1000, 1, 0.125, 0.25)).all()
    assert (first != splits.at_random(1000, 2, 0.125, 0.25)).any()


def of_groups(names: list[Any], seed: int = 1) -> splits.Deal:
    """Deal groups, a fifth for each of validation and test."""
    given = rows.parameters(
        data={"target": "late", "time": None, "group": "who"},
        features={"numeric": ["distance"]},
        split={"by": "group", "validation": 0.2, "test": 0.2},
        seed=seed,
    )
    return splits.deal(pd.DataFrame({"who": names}), given)


def parts_of(names: list[Any], seed: int = 1) -> dict[Any, str]:
    found = of_groups(names, seed)
    return dict(zip(found.names, found.parts.tolist(), strict=True))


def test_groups_have_the_shares_of_the_split() -> None:
    sizes = np.random.default_rng(1).integers(1, 40, 3000)
    names = [f"patient {it}" for it in range(3000)]
    found = of_groups(names)
    of_rows = {part: sizes[found.parts == part].sum() / sizes.sum() for part in layout.PARTS}
    assert of_rows == pytest.approx({"train": 0.6, "validation": 0.2, "test": 0.2}, abs=0.03)
    assert found.settled


@given(st.lists(st.text(), min_size=3, max_size=40, unique=True), st.integers(0, 2**32 - 1))
def test_every_part_has_a_group_and_their_order_means_nothing(names: list[str], seed: int) -> None:
    found = parts_of(names, seed)
    assert set(found.values()) == {*layout.PARTS}
    assert parts_of(names[::-1], seed) == found == parts_of([*names, *names], seed)


@given(
    st.lists(st.text(), min_size=3, max_size=30, unique=True),
    st.lists(st.text(), max_size=30, unique=True),
)
def test_a_group_stays_where_it_is_when_new_ones_come(names: list[str], more: list[str]) -> None:
    before = of_groups(names)
    after = parts_of([*more, *names])
    for name, part in zip(before.names, before.parts, strict=True):
        assert after[name] == part or not before.settled


def test_a_shuffle_would_turn_groups_around() -> None:
    """What stays where it is by its name does not by its place in a shuffle."""

    def shuffled(count: int) -> np.ndarray:
        return splits.at_random(count, 1, 0.2, 0.2)

    assert (shuffled(300)[:299] != shuffled(299)).any()
    names = [str(it) for it in range(300)]
    assert (of_groups(names).parts[:299] == of_groups(names[:299]).parts).all()


def test_another_seed_deals_groups_otherwise_and_a_number_is_a_name() -> None:
    names = [float(it) for it in range(300)]
    assert parts_of(names, 1) != parts_of(names, 2)
    assert set(parts_of(names).values()) == {*layout.PARTS}


@pytest.mark.parametrize(
    ("count", "parts"), [(0, set()), (1, {"train"}), (2, {"train", "validation"})]
)
def test_fewer_than_three_groups_leave_a_part_empty(count: int, parts: set[str]) -> None:
    assert set(parts_of([str(it) for it in range(count)]).values()) == parts
