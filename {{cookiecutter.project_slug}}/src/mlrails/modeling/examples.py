"""Rows that nobody has sent, and that could have come: what a model is tried with.

Numbers are the median and the upper quartile of the training rows, to digits that a
person would say; categories are its commonest ones. No row of the data is among them.

Typical rows are more of them, which a prediction is explained against: each column is spread as
in the training rows, by its quantiles and its commonest categories, and shuffled by itself.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import WorldError
from ..data.schema import DTYPES, Column, Kind

if TYPE_CHECKING:
    import pandas as pd


Values = list[Any]
_PLACES = (0.5, 0.75)
"""The quantiles of the two rows."""
_DAY = "2030-01-07"
"""A Monday to come; the time of day is the rows' own."""
_MOST_DIGITS = 6
_STEPS = 50
"""Into which the middle half of a column is cut at the least."""
_MOST_TRIED = 500
TYPICAL = "typical.json"
"""The file of a model directory with typical rows, where it has some."""
_SHUFFLES = 64
_MOST_SCORED = 5_000
_OUTSIDE = 0.001
"""The share of training rows beyond either end of what a column is told to reach over."""


def example(rows: "pd.DataFrame", columns: Sequence[Column]) -> "pd.DataFrame":
    """Return two rows of the columns, made of the training rows and the same for the same ones."""
    import pandas as pd

    made = {it.name: _MADE[it.kind](rows[it.name].dropna(), it) for it in columns}
    known = {name: list(dict.fromkeys(values)) for name, values in made.items()}
    found = [{name: values[place] for name, values in made.items()} for place in range(2)]
    others = [_other(row, known, rows, columns) for row in found]
    return pd.DataFrame({it.name: [row[it.name] for row in others] for it in columns})


def _numbers(values: "pd.Series[Any]", column: Column) -> Values:
    if values.empty:
        return [float("nan")] * 2
    found = values.to_numpy(np.float64)
    digits = _digits(found)
    # Rounding takes away what two kinds of processors differ by, and the sign of zero.
    return [round(float(it), digits) + 0.0 for it in np.quantile(found, _PLACES)]


def _digits(values: np.ndarray) -> int:
    """Return how many digits tell a value: no more than the column has, nor a person would say."""
    low, high = np.quantile(values, (0.25, 0.75))
    said = max(0, int(np.ceil(-np.log10((high - low) / _STEPS)))) if high > low else _MOST_DIGITS
    for digits in range(min(said, _MOST_DIGITS)):
        if np.allclose(values, np.round(values, digits), rtol=1e-12, atol=1e-9):
            return digits
    return min(said, _MOST_DIGITS)


def _categories(values: "pd.Series[Any]", column: Column) -> Values:
    missing = None if column.nullable else "A"
    ranked = [name for name, _ in _ranked(values)] or [missing]
    return [ranked[0], ranked[min(1, len(ranked) - 1)]]


def _booleans(values: "pd.Series[Any]", column: Column) -> Values:
    ranked = [bool(value) for value, _ in _ranked(values)] or [False]
    return [ranked[0], not ranked[0]]


def _ranked(values: "pd.Series[Any]") -> list[tuple[Any, int]]:
    """Return each value and how often it stands, the commonest first, then by name."""
    return sorted(values.value_counts().items(), key=lambda it: (-it[1], str(it[0])))


def _times(values: "pd.Series[Any]", column: Column) -> Values:
    import pandas as pd

    minutes = (values.dt.hour * 60 + values.dt.minute).to_numpy(np.float64)
    found = np.quantile(minutes, _PLACES) if len(minutes) else (480, 1020)
    return [pd.Timestamp(_DAY) + pd.Timedelta(minutes=30 * int(it // 30)) for it in found]


_MADE: Mapping[Kind, Callable[["pd.Series[Any]", Column], Values]] = {
    "number": _numbers,
    "category": _categories,
    "boolean": _booleans,
    "time": _times,
}


def _other(
    row: Mapping[str, Any],
    known: Mapping[str, Values],
    rows: "pd.DataFrame",
    columns: Sequence[Column],
) -> Mapping[str, Any]:
    """Return a row, or one near it where the data has that one; where it has all, the row."""
    near = (it for it, _ in zip(_near(row, known, rows, columns), range(_MOST_TRIED), strict=False))
    return next((it for it in near if not _is_among(it, rows)), row)


def _near(
    row: Mapping[str, Any],
    known: Mapping[str, Values],
    rows: "pd.DataFrame",
    columns: Sequence[Column],
) -> Iterator[Mapping[str, Any]]:
    """Yield a row, then others a step of one number away, then other values that are common."""
    yield row
    numbers = [it for it in columns if it.kind == "number" and not np.isnan(row[it.name])]
    digits = {it.name: _digits(rows[it.name].dropna().to_numpy(np.float64)) for it in numbers}
    for steps, column in product(range(1, 20), numbers):
        for sign in (1, -1):
            value = row[column.name] + sign * steps * 10.0 ** -digits[column.name]
            if _is_within(value, column):
                yield {**row, column.name: round(value, digits[column.name])}
    names = [it.name for it in columns if it.kind in {"category", "boolean"}]
    for chosen in product(*(known[name] for name in names)):
        yield {**row, **dict(zip(names, chosen, strict=True))}


def _is_within(value: float, column: Column) -> bool:
    low, high = column.minimum, column.maximum
    return (low is None or value >= low) and (high is None or value <= high)


def _is_among(row: Mapping[str, Any], rows: "pd.DataFrame") -> bool:
    alike = np.ones(len(rows), dtype=bool)
    for name, value in row.items():
        same = rows[name].isna() if value is None or value != value else rows[name] == value  # noqa: PLR0124
        alike &= same.fillna(False).to_numpy(bool)
    return bool(alike.any())


@dataclass(frozen=True)
class Typical:
    """Typical rows, column by column with times as text, and what each was in the training rows."""

    columns: Mapping[str, Values]
    seen: Mapping[str, Mapping[str, float]]
    """The share `missing` of a column's values, and between which two (`low` and `high`) nearly all
    of its numbers lie."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"columns": {**self.columns}, "seen": {**self.seen}}


def read_typical(folder: Path) -> Typical | None:
    """Return the typical rows of a model directory, None where it has none.

    Raises WorldError where the file is not what it was written as.
    """
    path = folder / TYPICAL
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text("utf-8"))
        return Typical(told["columns"], told["seen"])
    except (ValueError, KeyError, TypeError):
        raise WorldError(f"{path}: holds no typical rows; run `nox -s train`") from None


Scores = Callable[["pd.DataFrame"], np.ndarray]
"""What a model says to rows, (rows,) or (rows, classes)."""


def typical(
    rows: "pd.DataFrame", columns: Sequence[Column], count: int, seed: int, scores: Scores
) -> Typical:
    """Return `count` rows whose columns are spread as in the training rows.

    Of several ways to shuffle the columns that one is taken of whose rows the fewest are in the
    data, none where that can be, and whose mean score is nearest to the training rows' own.
    """
    import pandas as pd

    chance = np.random.default_rng(seed)
    spread = {it.name: _spread(rows[it.name], it, count, chance) for it in columns}
    places = np.tile(np.arange(count), (_SHUFFLES, 1))
    shuffled = {name: it[chance.permuted(places, axis=1)].ravel() for name, it in spread.items()}
    frame = pd.DataFrame({it.name: _column(shuffled[it.name], it) for it in columns})
    some = rows.sample(min(len(rows), _MOST_SCORED), random_state=seed)
    wanted = np.mean(scores(some), axis=0).reshape(-1)
    found = np.asarray(scores(frame)).reshape(_SHUFFLES, count, -1).mean(axis=1)
    among = _are_among(frame, rows).reshape(_SHUFFLES, count).sum(axis=1)
    # Rounded, so that last bits do not decide.
    off = np.square(found - wanted).sum(axis=1).round(12)
    best = int(np.lexsort((off, among))[0])
    chosen = slice(best * count, (best + 1) * count)
    told = {name: [*map(_told, it[chosen].tolist())] for name, it in shuffled.items()}
    return Typical(told, {it.name: _seen(rows[it.name], it) for it in columns})


def _are_among(frame: "pd.DataFrame", rows: "pd.DataFrame") -> np.ndarray:
    """Tell which rows of a frame (rows,) are in the data as well."""
    import pandas as pd

    known = pd.util.hash_pandas_object(rows[[*frame.columns]], index=False).to_numpy()
    return np.isin(pd.util.hash_pandas_object(frame, index=False).to_numpy(), known)


def _told(value: Any) -> Any:
    """Return a value as JSON has it: times as text, and nothing for what is missing."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value != value else value  # noqa: PLR0124


def _column(values: np.ndarray, column: Column) -> "pd.Series[Any]":
    import pandas as pd

    missing = column.kind == "boolean" and any(it is None for it in values)
    return pd.Series(values, dtype=object if missing else DTYPES[column.kind])


def _spread(
    values: "pd.Series[Any]", column: Column, count: int, chance: np.random.Generator
) -> np.ndarray:
    """Return `count` values (count,) that are spread as those of a column; missing ones last."""
    known = values.dropna()
    missing = min(round(count * float(values.isna().mean())), count) if len(values) else count
    shares = (np.arange(count - missing) + 0.5) / max(count - missing, 1)
    if column.kind == "number":
        found = np.full(count, np.nan)
        numbers = known.to_numpy(np.float64)
        if len(shares):
            found[: len(shares)] = np.round(np.quantile(numbers, shares), _digits(numbers)) + 0.0
        return found
    if column.kind == "time":
        times = np.full(count, "NaT", dtype="datetime64[us]")
        times[: len(shares)] = _moments(known, shares, chance) if len(shares) else times[:0]
        return times
    names = np.full(count, None, dtype=object)
    ranked = _ranked(known)
    ends = np.cumsum([many for _, many in ranked]) / max(len(known), 1)
    for place, it in enumerate(np.searchsorted(ends, shares).tolist()):
        names[place] = ranked[it][0]
    return names


def _moments(
    values: "pd.Series[Any]", shares: np.ndarray, chance: np.random.Generator
) -> np.ndarray:
    """Return days of a column, each with the time of day of others, to the half hour."""
    days = values.to_numpy("datetime64[D]").astype(np.int64)
    minutes = (values.dt.hour * 60 + values.dt.minute).to_numpy(np.float64)
    day = np.quantile(days, shares, method="nearest").astype("datetime64[D]")
    half_hours = (np.quantile(minutes, chance.permutation(shares)) // 30).astype(np.int64)
    found: np.ndarray = day.astype("datetime64[us]") + half_hours * np.timedelta64(30, "m")
    return found


def _seen(values: "pd.Series[Any]", column: Column) -> Mapping[str, float]:
    known = values.dropna()
    told = {"missing": round(1 - len(known) / max(len(values), 1), 6)}
    if column.kind != "number" or known.empty:
        return told
    numbers = known.to_numpy(np.float64)
    low, high = np.quantile(numbers, (_OUTSIDE, 1 - _OUTSIDE))
    unit = 10.0 ** _digits(numbers)
    ends = {"low": np.floor(low * unit) / unit, "high": np.ceil(high * unit) / unit}
    return told | {name: round(float(it), _MOST_DIGITS) + 0.0 for name, it in ends.items()}
