"""How the rows of a table are divided into training, validation and test, and why.

By time where a column tells it, for tomorrow's rows are what is predicted; else by the entities
that several rows are of, for a new one is; else at random, which takes much for granted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..core.config import Period
from ..core.errors import UsageError, counted
from ..core.params import Split
from ..data.splits import Times, by_time
from . import names, sizes
from .plan import By, Question
from .seen import Seen, each

_FEWEST_DAYS, _FEWEST_GROUPS = 10, 10
_TRAIN, _VALIDATION, _TEST = 0.4, 0.08, 0.15
"""So large a share of the rows each part has at least, where time divides them."""
_UNITS = {"month": (300, 30), "week": (70, 7), "day": (0, 1)}
"""From how many days on a part is counted in units, and how long one is."""
_LONGEST = 200 * 365
"""Days from the middle to the furthest row: more is no time that rows are of."""
_ENTITIES, _LEAST_ALIKE, _SEVERAL = 20, 0.6, 2.0
_MEASURED, _LOOKED = 2, 20
"""So many numbers at least show whether rows of a group are alike; so many are looked at."""


@dataclass(frozen=True)
class Division:
    """The parts, and what they are made by."""

    by: By
    because: str
    validation: float | str
    test: float | str
    time: str | None = None
    group: str | None = None
    until: str | None = None
    calendar: tuple[str, ...] = ()
    held: int = 0
    """How many rows are going to be test rows."""
    blocks: int = 0
    """How many days, groups or rows these are of."""
    question: Question | None = None


def of(
    columns: Mapping[str, Seen],
    target: str,
    time: str | None,
    group: str | None,
    where: str,
    by: By | None = None,
    kept: Split | None = None,
) -> Division:
    """Return how a table is divided; raises UsageError where the columns that are named cannot.

    `by` is what the project has chosen, against what the table says for itself; the lengths of
    `kept` stay where the rows are divided as they were.
    """
    rows = next(iter(columns.values())).rows
    if by is not None:
        return _as_chosen(by, columns, time, group, kept)
    entity, why = (group, "as was said") if group else _entity(columns, target)
    if time is not None:
        return _by_time(columns[time], entity, "as was said", where, kept)
    candidates = _times(columns)
    for name in candidates:
        try:
            found = _by_time(columns[name], entity, "the only column that can", where, kept)
        except UsageError:
            continue
        return found if len(candidates) == 1 else _asked(found, candidates)
    if entity:
        return _by_group(columns[entity], why, kept)
    return _at_random(rows, candidates, kept)


def _as_chosen(
    by: By, columns: Mapping[str, Seen], time: str | None, group: str | None, kept: Split | None
) -> Division:
    rows = next(iter(columns.values())).rows
    parts = _at_random(rows, (), kept)
    if by == "group" and group is not None:
        parts = _by_group(columns[group], "as was said", kept)
    parts = replace(parts, because=f"params.yaml says so ('split.by: {by}')", group=group)
    if time is None:
        return parts
    moments = np.asarray(columns[time].values.drop_null().to_numpy()).astype("datetime64[us]")
    until = str(moments.max().astype("datetime64[D]"))
    return replace(parts, time=time, until=until, calendar=_calendar(moments))


def _shares(rows: int, by: By, kept: Split | None) -> tuple[float, float]:
    """Return which shares of the rows are held out for validation and test."""
    if kept and kept.by == by:
        assert isinstance(kept.validation, float) and isinstance(kept.test, float)
        return kept.validation, kept.test
    if rows < 2_000:
        return 0.2, 0.3
    return (0.15, 0.2) if rows < 1_000_000 else (0.1, 0.1)


def _times(columns: Mapping[str, Seen]) -> list[str]:
    """Return the columns that may tell when a row is of, the likely ones first."""
    found = [
        it.name
        for it in columns.values()
        if it.kind == "time" and not it.missing and not names.has(it.name, names.BIRTH)
    ]
    return sorted(found, key=lambda it: not names.has(it, names.TIME))


def _by_time(seen: Seen, entity: str | None, why: str, where: str, kept: Split | None) -> Division:
    if seen.kind != "time":
        raise UsageError(
            f"{where}: column {seen.name!r}: --time names it, and its values are no times "
            f"({seen.why}); name another"
        )
    times = np.asarray(seen.values.drop_null().to_numpy()).astype("datetime64[us]")
    days = times.astype("datetime64[D]")
    _check_near(days, f"{where}: column {seen.name!r}")
    distinct = len(np.unique(days))
    if kept and kept.by == "time":
        lengths: tuple[Period, Period, int, int] | None = _as_kept(times, kept)
    else:
        lengths = _lengths(times, distinct) if distinct >= _FEWEST_DAYS else None
    if lengths is None:
        raise UsageError(
            f"{where}: column {seen.name!r}: rows of {counted(distinct, 'time')} cannot be divided "
            "by time; leave --time away"
        )
    validation, test, held, blocks = lengths
    because = (
        f"{seen.name!r} tells when each row is of, from {days.min()} to {days.max()}: the last "
        f"{test} are the test, since rows to come are later ones ({why})"
    )
    return Division(
        "time", because, str(validation), str(test), seen.name, entity, str(days.max()),
        _calendar(times), held, blocks,
    )  # fmt: skip


def _check_near(days: Times, here: str) -> None:
    """Raise UsageError for days that stand for none, as 9999-12-31 does: ages away from others."""
    numbers = days.astype(np.int64)
    off = np.abs(numbers - int(np.median(numbers)))
    if off.max() > _LONGEST:
        row = int(np.argmax(off))
        raise UsageError(
            f"{here}: row {row + 1:,} is of {days[row]}, more than {_LONGEST // 365} years away "
            "from most; leave the cell empty where no time is known, or name another with --time"
        )


def _lengths(times: Times, distinct: int) -> tuple[Period, Period, int, int] | None:
    """Return lengths of validation and test in calendar units, and the test's rows and days."""
    days, counts = np.unique(times.astype("datetime64[D]"), return_counts=True)
    span = int((days[-1] - days[0]).astype(int)) + 1
    wanted = min(sizes.DAYS, max(3, distinct // 5))
    for unit, (least, length) in _UNITS.items():
        if span < least:
            continue
        most = int(span * (1 - _TRAIN)) // length
        for number in range(1, most + 1):
            test = Period.model_validate({"count": number, "unit": unit})
            found = _with_validation(days, counts, test, wanted)
            if found:
                return found
    return None


def _as_kept(times: Times, kept: Split) -> tuple[Period, Period, int, int]:
    """Return the lengths that a project has, and how many rows and days are its test."""
    validation, test, final = kept.validation, kept.test, kept.final
    assert isinstance(validation, Period) and isinstance(test, Period)
    labels = by_time(times, None, validation, test, final if isinstance(final, Period) else None)
    held = times[labels == "test"].astype("datetime64[D]")
    return validation, test, len(held), len(np.unique(held))


def _with_validation(
    days: Times, counts: np.ndarray, test: Period, wanted: int
) -> tuple[Period, Period, int, int] | None:
    """Return the shortest validation beside a test that is long enough, None where it is not."""
    for number in range(1, test.count + 1):
        validation = Period.model_validate({"count": number, "unit": test.unit})
        part = by_time(days, None, validation, test)
        rows = {it: int(counts[part == it].sum()) for it in ("train", "validation", "test")}
        held, total = int((part == "test").sum()), int(counts.sum())
        if rows["test"] < _TEST * total or held < wanted:
            return None
        if rows["validation"] >= _VALIDATION * total and rows["train"] >= _TRAIN * total:
            return validation, test, rows["test"], held
    return None


def _calendar(times: Times) -> tuple[str, ...]:
    """Return what of the time varies, and so may be a feature.

    Months and quarters that are written as their first day have no day of the week.
    """
    days = times.astype("datetime64[D]")
    minutes = (times - days).astype("timedelta64[m]").astype(int)
    found = ["minute_of_day"] if len(np.unique(minutes)) > 1 else []
    is_of_days = (days != days.astype("datetime64[M]")).any()
    return (*found, "day_of_week") if is_of_days and np.ptp(days.astype(int) % 7) else tuple(found)


def _asked(found: Division, candidates: Sequence[str]) -> Division:
    words = "Which column tells when a row is of, at the moment of prediction?"
    question = Question("time", words, tuple(candidates), found.time or candidates[0])
    return replace(found, question=question)


def _by_group(seen: Seen, why: str, kept: Split | None) -> Division:
    validation, test = _shares(seen.rows, "group", kept)
    each = (seen.rows - seen.missing) / max(seen.distinct, 1)
    because = (
        f"{seen.name!r} has {seen.distinct:,} values in {each:.1f} rows each ({why}): rows of one "
        "are alike, so none is in two parts, and what is held out is new to the model"
    )
    held = round(test * seen.rows)
    blocks = max(1, round(test * seen.distinct))
    return Division("group", because, validation, test, None, seen.name, None, (), held, blocks)


def _at_random(rows: int, times: Sequence[str], kept: Split | None) -> Division:
    validation, test = _shares(rows, "random", kept)
    told = (
        f"{' and '.join(map(repr, times))} cannot divide the rows by time, and no column tells"
        if times
        else "no column tells a time or"
    )
    because = (
        f"{told} whose a row is, so rows are dealt at random; this takes for granted that rows to "
        "come are like these and that no two belong together (else say --time or --group)"
    )
    held = round(test * rows)
    return Division("random", because, validation, test, held=held, blocks=held)


def _entity(columns: Mapping[str, Seen], target: str) -> tuple[str | None, str]:
    """Return the column that names what several rows are of, and why it is taken for one."""
    for it in columns.values():
        if it.name != target and _repeats(it) and _is_named(it.name):
            return it.name, "its name says so"
    measured = [it for it in columns.values() if it.what == "number" and it.name != target]
    likely = [it for it in columns.values() if it.name != target and _repeats(it, _ENTITIES)]
    for it in likely if len(measured) >= _MEASURED else ():
        codes = _codes(it)
        alike = each(partial(_is_alike, codes=codes), measured[:_LOOKED])
        if sum(alike) > len(alike) / 2:
            return (
                it.name,
                f"{sum(alike)} of {len(alike)} numbers are nearly the same in all rows of one",
            )
    return None, ""


def _is_named(name: str) -> bool:
    return names.has(name, names.IDENTIFIER) or names.is_of(name, names.ENTITY)


def _repeats(seen: Seen, least: int = _FEWEST_GROUPS) -> bool:
    """Tell whether a column's values are many, and most of them in several rows."""
    present = seen.rows - seen.missing
    if seen.kind != "category" or seen.what == "constant" or seen.missing:
        return False
    return least <= seen.distinct <= present / _SEVERAL


def _codes(seen: Seen) -> np.ndarray:
    return np.asarray(seen.values.combine_chunks().dictionary_encode().indices.to_numpy(), np.int64)


def _is_alike(seen: Seen, codes: np.ndarray) -> bool:
    numbers = seen.numbers
    if (missing := np.isnan(numbers)).any():
        numbers, codes = numbers[~missing], codes[~missing]
    return len(numbers) > 2 and sizes.alike(numbers, codes) >= _LEAST_ALIKE
