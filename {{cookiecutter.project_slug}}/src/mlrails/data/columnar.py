"""Whole columns of a table in this engine's words: what `cells` is for one of their cells."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import cells

if TYPE_CHECKING:
    import pandas as pd


_EXACT_DIGITS = 15
"""Whole numbers of so many digits are floats."""


def without(column: Any, nulls: Collection[str]) -> Any:
    """Return a column of text with nothing in the place of some words."""
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = pc.is_in(column, pa.array([*nulls], pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), column)


def without_unit(column: Any, unit: str) -> Any:
    """Return cells without a sign that stands in them once, and without the blanks around it."""
    import pyarrow.compute as pc

    beside = rf"\s*{re.escape(unit)}\s*"
    return pc.replace_substring_regex(column, beside, "", max_replacements=1)


def simple(column: Any) -> Any:
    """Return a column of Parquet as a type that rows are made of here, where nothing is lost.

    A day becomes its midnight, an instant of a zone the clock of UTC, a decimal number a float, or
    text where it is whole and a float might round it.
    """
    import pyarrow as pa
    import pyarrow.types as kinds

    type_ = column.type
    if kinds.is_dictionary(type_):
        return simple(column.cast(type_.value_type))
    if kinds.is_large_string(type_) or kinds.is_string_view(type_) or kinds.is_null(type_):
        return column.cast(pa.string())
    if kinds.is_date(type_) or kinds.is_timestamp(type_):
        return column.cast(pa.timestamp("us"), safe=False)
    if kinds.is_time(type_) or _may_be_rounded(type_):
        return column.cast(pa.string())
    if kinds.is_decimal(type_) or kinds.is_float16(type_):
        return column.cast(pa.float64())
    return column


def _may_be_rounded(type_: Any) -> bool:
    """Tell decimals that are whole and have more digits than each float has."""
    import pyarrow.types as kinds

    return bool(kinds.is_decimal(type_) and type_.scale <= 0 and type_.precision > _EXACT_DIGITS)


def numerals(column: Any, decimal: str, thousands: str) -> tuple[Any, np.ndarray]:
    """Return numbers with a decimal point and no thousands, and which cells are none."""
    import pyarrow.compute as pc

    number = cells.numeral(decimal, thousands)
    cut = pc.utf8_trim_whitespace(column)
    right = pc.match_substring_regex(cut, f"^({number}|{cells.MISSING})$")
    bare = pc.replace_substring(cut, thousands, "") if thousands else cut
    return pc.replace_substring(bare, decimal, "."), ~_mask(right, missing=True)


SINCE: Mapping[str, tuple[Literal["s", "ms", "D"], str]] = {
    "seconds since 1970-01-01": ("s", "1970-01-01"),
    "milliseconds since 1970-01-01": ("ms", "1970-01-01"),
    "days since 1899-12-30": ("D", "1899-12-30"),
}
"""Forms of times that are numbers: of Unix, of JavaScript, and of Excel; with unit and origin."""


def times(column: Any, form: str) -> tuple[Any, np.ndarray]:
    """Return times without a zone (of several zones: in UTC), and which cells are none."""
    import pyarrow as pa

    made, wrong = moments(column.to_pandas(), form)
    return pa.array(made.astype("datetime64[us]"), from_pandas=True), wrong


def moments(said: "pd.Series[Any]", form: str) -> "tuple[pd.Series[Any], np.ndarray]":
    """Do the same of text that is in no column of Arrow."""
    import pandas as pd

    if form in SINCE:
        unit, origin = SINCE[form]
        counts = pd.to_numeric(said, errors="coerce").astype("float64")
        made = pd.to_datetime(counts, unit=unit, origin=origin, errors="coerce").dt.round("ms")
    else:
        made = pd.to_datetime(said, format=form, errors="coerce", utc="%z" in form)
    if made.dt.tz is not None:
        made = made.dt.tz_localize(None)
    return made, np.asarray(made.isna() & said.notna())


def event(column: Any, positive: str) -> Any:
    """Return whether each cell is the event; what is missing stays so."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.equal(pc.utf8_trim_whitespace(column.cast(pa.string())), positive)


def _mask(column: Any, missing: bool) -> np.ndarray:
    return np.asarray(column.fill_null(missing).to_pandas(), dtype=bool)
