"""Which row belongs to training, validation and test, and which ones nobody sees yet.

How to change this: whoever reads the raw rows takes a part of them by `label`, or leaves the final
ones out by `seen`; the engine's `lifecycle/test_holdout.py` holds that no other byte comes of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..core.config import Period
from ..core.errors import UsageError
from ..core.layout import PARTS, Part
from ..core.params import FILE, Params, acknowledgement

if TYPE_CHECKING:
    import pandas as pd


Times = npt.NDArray[np.datetime64]
Labels = npt.NDArray[np.str_]

FINAL = "final"
"""The label of rows that are kept for the end: no stage, trial, report or gate has them."""
_UNUSED = "unused"
_DAYS = {"day": 1, "week": 7}


def label(rows: "pd.DataFrame", params: Params) -> Labels:
    """Return the part of each row; raises UsageError where the split lacks a column, or mixes rows.

    Rows that have not arrived yet, and those of weight 0, are in no part.
    """
    labels = _SPLITS[params.split.by](rows, params)
    if params.data.time:
        labels = arrived(labels, rows[params.data.time].to_numpy(), params.data.until)
    if params.data.weight:
        labels = np.where(rows[params.data.weight].to_numpy() == 0, _UNUSED, labels)
    return labels


def _by_time(rows: "pd.DataFrame", params: Params) -> Labels:
    split, time = params.split, params.data.time
    assert isinstance(split.validation, Period) and isinstance(split.test, Period)
    if time is None:
        raise UsageError(
            f"{FILE}: 'split.by: time' needs a column in 'data.time'; name one, or use random"
        )
    times = rows[time].to_numpy()
    final = split.final if isinstance(split.final, Period) else None
    return by_time(times, params.data.until, split.validation, split.test, final)


def _by_group(rows: "pd.DataFrame", params: Params) -> Labels:
    if params.data.group is None:
        raise UsageError(
            f"{FILE}: 'split.by: group' needs a column in 'data.group'; name one, or use random"
        )
    place, _ = rows[params.data.group].factorize()
    labels: Labels = deal(rows, params).parts[place]
    return labels


def _by_chance(rows: "pd.DataFrame", params: Params) -> Labels:
    data, split = params.data, params.split
    asked = acknowledgement(data.units)
    if data.units and split.acknowledge != asked:
        named = {"time": data.time, "group": data.group}
        which = " and ".join(f"'data.{key}' is {name!r}" for key, name in named.items() if name)
        others = " or ".join(f"'by: {key}'" for key, name in named.items() if name)
        raise UsageError(
            f"{FILE}: 'split.by: random' mixes rows of one {' or '.join(data.units)} into training "
            f"and test, since {which}: figures would be too good; use {others}, or write "
            f"'split.acknowledge: {asked}'"
        )
    return at_random(len(rows), params.seed, *_shares(params))


def _shares(params: Params) -> tuple[float, float, float]:
    """Return the shares of validation, test and the final part, where parts are shares."""
    split = params.split
    assert isinstance(split.validation, float) and isinstance(split.test, float)
    final = split.final if isinstance(split.final, float) else 0.0
    return split.validation, split.test, final


_SPLITS: Mapping[str, Callable[["pd.DataFrame", Params], Labels]] = {
    "time": _by_time,
    "group": _by_group,
    "random": _by_chance,
}


@dataclass(frozen=True)
class Deal:
    """The part of each group, in the order of their first rows."""

    names: Sequence[object]
    parts: Labels
    settled: bool
    """Whether chance alone gave each part a group; else new groups may turn others around."""


def deal(rows: "pd.DataFrame", params: Params) -> Deal:
    """Return which group is in which part: a matter of its name and the seed alone.

    So a group stays where it is when others come, and no model has ever learnt of a test group.
    The shares are those of the rows on the average, more exactly the more groups there are. Where
    chance would leave a part of few groups empty, it has the group that comes nearest. A final part
    takes its groups from training, so that none of them was a test group before.
    """
    validation, test, final = _shares(params)
    names = rows[params.data.group].factorize()[1].tolist() if params.data.group else []
    points, count = np.array([_point(name, params.seed) for name in names]), len(names)
    held_out = ["test", "validation", FINAL][: 3 if final else 2]
    shares = np.cumsum([test, validation, final])[: len(held_out)]
    chance, ends = [int(np.sum(points < share)) for share in shares], [0]
    for place, found in enumerate(chance):
        ends.append(int(np.clip(found, ends[-1] + 1, max(count - len(chance) + place, 0))))
    parts = np.empty(count, dtype="U10")
    parts[np.argsort(points, kind="stable")] = np.repeat(
        [*held_out, "train"], np.diff([*ends, count])
    )
    return Deal(names, parts, chance == ends[1:])


def _point(name: object, seed: int) -> float:
    """Return where in 0 to 1 a group's name lies, which looks like chance and never changes."""
    text = str(name).encode("utf-8", "surrogatepass")
    digest = blake2b(text, digest_size=8, key=seed.to_bytes(4, "big")).digest()
    return int.from_bytes(digest, "big") / 2**64


def divided(
    rows: "pd.DataFrame", params: Params, columns: Sequence[str]
) -> "dict[Part, pd.DataFrame]":
    """Return some columns of the rows of each part; what is sensitive, of the test rows alone.

    So no fit can learn from it, whatever the project makes of its rows.
    """
    labels, kept = label(rows, params), {*params.data.sensitive}
    asked = {it: [name for name in columns if it == "test" or name not in kept] for it in PARTS}
    return {part: rows.loc[labels == part, asked[part]] for part in PARTS}


def final(rows: "pd.DataFrame", params: Params) -> "pd.DataFrame":
    """Return the rows that are kept for the end, for who opens them; none where none are."""
    chosen: pd.DataFrame = rows[_is_final(rows, params)]
    return chosen


def seen(rows: "pd.DataFrame", params: Params) -> "pd.DataFrame":
    """Return the rows that anybody may look at: those themselves where none are kept."""
    chosen: pd.DataFrame = rows if params.split.final is None else rows[~_is_final(rows, params)]
    return chosen


def _is_final(rows: "pd.DataFrame", params: Params) -> npt.NDArray[np.bool_]:
    if params.split.final is None:
        return np.zeros(len(rows), bool)
    found: npt.NDArray[np.bool_] = label(rows, params) == FINAL
    return found


def by_time(
    times: Times,
    until: date | None,
    validation: Period,
    test: Period,
    final: Period | None = None,
) -> Labels:
    """Label rows in calendar order: training, validation, test, perhaps final, up to `until`.

    `times` is (rows,) datetime64 without a missing value; `until` is the last day that counts
    (default: the last day seen). Later rows are labelled `unused`: they have not arrived yet.
    Lengths reach back from the end in whole calendar units, so `1 month` before November is
    October. Returns (rows,) strings.
    """
    if not len(times):
        return np.empty(0, np.str_)
    days = times.astype("datetime64[D]")
    end = (np.datetime64(until, "D") if until else days.max()) + np.timedelta64(1, "D")
    final_from = end if final is None else _back(end, final)
    test_from = _back(final_from, test)
    validation_from = _back(test_from, validation)
    labels = np.array(["train", "validation", "test", FINAL, _UNUSED])
    begins = np.array([validation_from, test_from, final_from, end])
    found: Labels = labels[np.searchsorted(begins, days, side="right")]
    return found


def at_random(rows: int, seed: int, validation: float, test: float, final: float = 0.0) -> Labels:
    """Label rows by shares, shuffled with the seed. Returns (rows,) strings."""
    place = np.random.default_rng(seed).permutation(rows) / max(rows, 1)
    ends = np.cumsum([test, validation, final])
    return np.select([place < end for end in ends], ["test", "validation", FINAL], "train")


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
