"""Which row belongs to training, validation and test."""

from datetime import date
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from .params import Period

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

Times = npt.NDArray[np.datetime64]
Labels = npt.NDArray[np.str_]

_UNUSED = "unused"
_DAYS = {"day": 1, "week": 7}


def by_time(times: Times, until: date | None, validation: Period, test: Period) -> Labels:
    """Label rows in calendar order: training, then validation, then test, up to `until`.

    `times` is (rows,) datetime64 without a missing value; `until` is the last day that counts
    (default: the last day seen). Later rows are labelled `unused`: they have not arrived yet.
    Lengths reach back from the end in whole calendar units, so `1 month` before November is
    October. Returns (rows,) strings.
    """
    if not len(times):
        return np.empty(0, np.str_)
    days = times.astype("datetime64[D]")
    end = (np.datetime64(until, "D") if until else days.max()) + np.timedelta64(1, "D")
    test_from = _back(end, test)
    validation_from = _back(test_from, validation)
    labels = np.select(
        [days >= end, days >= test_from, days >= validation_from],
        [_UNUSED, "test", "validation"],
        default="train",
    )
    return labels.astype(np.str_)


def at_random(rows: int, seed: int, validation: float, test: float) -> Labels:
    """Label rows by shares, shuffled with the seed. Returns (rows,) strings."""
    place = np.random.default_rng(seed).permutation(rows) / max(rows, 1)
    return np.select([place < test, place < test + validation], ["test", "validation"], "train")


def arrived(labels: Labels, times: Times, until: date | None) -> Labels:
    """Label as `unused` the rows after `until`, which have not arrived yet. Returns (rows,)."""
    if until is None:
        return labels
    late = times.astype("datetime64[D]") > np.datetime64(until, "D")
    return np.where(late, _UNUSED, labels)


def _back(end: np.datetime64, length: Period) -> np.datetime64:
    """Go back from the first day after a part to its first day; a short month ends earlier."""
    if length.unit != "month":
        return end - np.timedelta64(length.count * _DAYS[length.unit], "D")
    month = end.astype("datetime64[M]")
    into_month = end - month.astype("datetime64[D]")
    last_day = (month - length.count + 1).astype("datetime64[D]") - 1
    first: np.datetime64 = (month - length.count).astype("datetime64[D]") + into_month
    return min(first, last_day)
