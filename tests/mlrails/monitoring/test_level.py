"""From when on a level that has moved can be learnt of: not while it is among the test rows."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import rows

from mlrails.core.params import Params
from mlrails.data import splits
from mlrails.monitoring import until
from mlrails.monitoring.watch import level

NEWEST = date(2013, 12, 31)


def params(until: str | None = None, horizon: str | None = None, **split: Any) -> Params:
    asked = {"by": "time", "validation": "1 month", "test": "2 months"} | split
    values = rows.values()
    data, monitor = values["data"] | {"until": until}, {"horizon": horizon}
    return Params.model_validate(values | {"split": asked, "data": data, "monitor": monitor})


def part(since: date, until: date, asked: Params) -> str:
    split: Any = asked.split
    day = np.array([np.datetime64(since)])
    return str(splits.by_time(day, until, split.validation, split.test, split.final)[0])


@pytest.mark.parametrize(
    ("since", "final"),
    [
        (date(2013, 10, 31), None),
        (date(2013, 11, 1), None),
        (date(2013, 12, 6), None),
        (date(2013, 12, 31), None),
        (date(2013, 10, 31), "1 month"),
    ],
)
def test_the_first_day_is_the_first_on_which_a_training_learns_of_it(
    since: date, final: str | None
) -> None:
    asked = params(final=final) if final else params()
    first = level.learnt_from(since, NEWEST, asked)
    assert first is not None and part(since, first, asked) == "validation"
    if since == date(2013, 10, 31) and not final:
        assert first == NEWEST
    else:
        assert part(since, first - timedelta(days=1), asked) in {"test", splits.FINAL}


@pytest.mark.parametrize(
    ("since", "newest", "horizon", "first"),
    [
        # Up to 14 December November is the newest whole month: October is a test month, too.
        (date(2013, 10, 10), date(2013, 12, 14), None, date(2013, 12, 31)),
        (date(2013, 10, 10), date(2013, 12, 31), None, date(2013, 12, 31)),
        (date(2013, 10, 10), date(2013, 12, 31), "1 week", date(2014, 1, 7)),
        (date(2013, 12, 6), date(2013, 12, 31), None, date(2014, 2, 28)),
        (date(2013, 12, 6), date(2013, 12, 31), "1 month", date(2014, 3, 28)),
    ],
)
def test_rows_of_half_a_month_and_without_outcomes_are_no_training_s(
    since: date, newest: date, horizon: str | None, first: date
) -> None:
    asked = params("2013-10-31", horizon)
    assert level.learnt_from(since, newest, asked) == first
    ends = [until.moved_on(date(2013, 10, 31), it, asked.monitor.wait) for it in (first, newest)]
    assert part(since, ends[0], asked) == "validation"
    assert first == newest or part(since, ends[1], asked) in {"test", "unused"}


def test_what_began_among_the_test_rows_is_not_sent_to_a_training_that_knows_nothing() -> None:
    """On the flights the level moved so was .026 further off than it had been."""
    advice = "run it"
    assert level.remedy(advice, date(2013, 10, 31), NEWEST, params()) == advice
    told = level.remedy(advice, date(2013, 12, 6), NEWEST, params())
    assert "once there are rows up to 2014-02-06" in told and "'split.test'" in told


def test_parts_that_are_not_made_by_time_hold_rows_of_all_days() -> None:
    asked = params(by="random", validation=0.2, test=0.2, acknowledge=None)
    assert level.remedy("run it", date(2013, 12, 6), NEWEST, asked) == "run it"
