"""How far the window moves on: whole months stay whole, and outcomes are waited for."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrails.core.errors import UsageError
from mlrails.monitoring.until import asked_for, moved_on

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
OCTOBER = date(2013, 10, 31)


@pytest.mark.parametrize(
    ("until", "newest", "wait", "after"),
    [
        (OCTOBER, date(2013, 12, 31), 0, date(2013, 12, 31)),
        (OCTOBER, date(2013, 12, 30), 0, date(2013, 11, 30)),
        (OCTOBER, date(2013, 12, 31), 1, date(2013, 11, 30)),
        (OCTOBER, date(2013, 11, 29), 0, OCTOBER),
        (OCTOBER, date(2013, 9, 30), 0, OCTOBER),
        (date(2013, 11, 30), date(2014, 3, 1), 0, date(2014, 2, 28)),
        (date(2013, 10, 20), date(2013, 10, 25), 0, date(2013, 10, 24)),
        (date(2013, 10, 20), date(2013, 10, 25), 3, date(2013, 10, 22)),
        (date(2013, 10, 20), date(2013, 10, 21), 5, date(2013, 10, 20)),
    ],
)
def test_a_window_moves_to_the_newest_day_that_is_known(
    until: date, newest: date, wait: int, after: date
) -> None:
    assert moved_on(until, newest, wait) == after


@given(DAYS, DAYS, st.integers(0, 400))
def test_no_window_moves_back_nor_beyond_what_is_known(
    until: date, newest: date, wait: int
) -> None:
    after = moved_on(until, newest, wait)
    assert after >= until
    assert after == until or after <= newest - timedelta(days=wait)
    assert moved_on(after, newest, wait) == after  # Once is enough.


@given(DAYS, DAYS, st.integers(0, 400))
def test_what_ends_with_a_month_does_so_again(until: date, newest: date, wait: int) -> None:
    end = until.replace(day=1) - timedelta(days=1)
    assert (moved_on(end, newest, wait) + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("day", "words"),
    [(date(2013, 10, 30), "up to 2013-10-31 count already"), (date(2014, 1, 1), "choose that")],
)
def test_a_day_that_moves_nothing_on_is_refused(day: date, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        asked_for(OCTOBER, date(2013, 12, 31), day)
    assert asked_for(OCTOBER, date(2013, 12, 31), date(2013, 12, 31)) == date(2013, 12, 31)
