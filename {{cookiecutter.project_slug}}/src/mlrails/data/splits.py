"""Which row belongs to training, validation and test."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..core.errors import UsageError
from ..core.layout import PARTS, Part
from ..core.params import ACKNOWLEDGEMENT, FILE, Params, Period

if TYPE_CHECKING:
    import pandas as pd


Times = npt.NDArray[np.datetime64]
Labels = npt.NDArray[np.str_]

_UNUSED = "unused"
_DAYS = {"day": 1, "week": 7}


def label(rows: "pd.DataFrame", params: Params) -> Labels:
    """Return the part of each row; raises UsageError for a random split of rows that carry time."""
    time, split = params.data.time, params.split
    if isinstance(split.validation, Period) and isinstance(split.test, Period):
        if time is None:
            raise UsageError(
                f"{FILE}: 'split.by: time' needs a column in 'data.time'; name one, or use random"
            )
        times = rows[time].to_numpy()
        return by_time(times, params.data.until, split.validation, split.test)
    if time is not None and split.acknowledge is None:
        raise UsageError(
            f"{FILE}: 'split.by: random' mixes rows of one day into training and test, since "
            f"'data.time' is {time!r}: figures would be too good; use 'by: time', or write "
            f"'split.acknowledge: {ACKNOWLEDGEMENT}'"
        )
    assert isinstance(split.validation, float) and isinstance(split.test, float)
    labels = at_random(len(rows), params.seed, split.validation, split.test)
    return arrived(labels, rows[time].to_numpy(), params.data.until) if time else labels


def divided(
    rows: "pd.DataFrame", params: Params, columns: Sequence[str]
) -> "dict[Part, pd.DataFrame]":
    """Return some columns of the rows of each part."""
    labels = label(rows, params)
    return {part: rows.loc[labels == part, [*columns]] for part in PARTS}


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
    count, one_day = np.timedelta64(length.count, "M"), np.timedelta64(1, "D")
    last_day = (month - count + np.timedelta64(1, "M")).astype("datetime64[D]") - one_day
    first: np.datetime64 = (month - count).astype("datetime64[D]") + into_month
    return min(first, last_day)
