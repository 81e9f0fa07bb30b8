"""Rows that nobody has sent, and that could have come: what a model is tried with.

Numbers are the median and the upper quartile of the training rows, to digits that a
person would say; categories are its commonest ones. No row of the data is among them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.schema import Column, Kind

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
