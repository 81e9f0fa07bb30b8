"""From when on a level that has moved can be learnt of: not while it is among the test rows."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import rows

from mlrails.core.params import Params
from mlrails.data import splits
from mlrails.monitoring.watch import level

NEWEST = date(2013, 12, 31)


def params(**split: Any) -> Params:
    asked = {"by": "time", "validation": "1 month", "test": "2 months"} | split
    return Params.model_validate(rows.values() | {"split": asked})


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


def test_what_began_among_the_test_rows_is_not_sent_to_a_training_that_knows_nothing() -> None:
    """On the flights the level moved so was .026 further off than it had been."""
    advice = "run it"
    assert level.remedy(advice, date(2013, 10, 31), NEWEST, params()) == advice
    told = level.remedy(advice, date(2013, 12, 6), NEWEST, params())
    assert "once there are rows up to 2014-02-06" in told and "'split.test'" in told


def test_parts_that_are_not_made_by_time_hold_rows_of_all_days() -> None:
    asked = params(by="random", validation=0.2, test=0.2, acknowledge=None)
    assert level.remedy("run it", date(2013, 12, 6), NEWEST, asked) == "run it"
