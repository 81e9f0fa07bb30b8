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
    if not pc.any(missing).as_py():
        return column
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
    import pyarrow.types as kinds

    if form not in SINCE and kinds.is_integer(column.type):
        column = column.cast(pa.string())
    plain = in_digits(column, form)
    if plain is not None:
        return plain, np.zeros(len(column), dtype=bool)
    made, wrong = moments(column.to_pandas(), form)
    return pa.array(made.astype("datetime64[us]"), from_pandas=True), wrong


_DIGITS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_CLOCK = (("%H", 24, 3600), ("%M", 60, 60), ("%S", 60, 1))
_FORM = re.compile("|".join(_DIGITS))


def in_digits(column: Any, form: str) -> Any:
    """Return times of text that are all written with every digit of a form; None for others.

    A fraction of what pandas takes, to the same times: letters are digits at known places. Where
    one is none, or no day of the calendar, nothing is said here and pandas tells which.
    """
    import pyarrow as pa

    form = form.replace("%z", "Z")  # What else a zone may be has other letters, and is not taken.
    if not {"%Y", "%m", "%d"} <= {*_FORM.findall(form)} or "%" in _FORM.sub("", form):
        return None
    said = column.drop_null() if column.null_count else column
    letters = _letters(said, len(_FORM.sub(lambda it: "0" * _DIGITS[it[0]], form)))
    seconds = None if letters is None else _seconds(letters, form)
    if seconds is None:
        return None
    made = np.full(len(column), np.datetime64("NaT", "us"))
    made[column.is_valid().to_numpy(zero_copy_only=False)] = seconds  # Bits of an array are copied.
    return pa.array(made, from_pandas=True)


def _letters(said: Any, width: int) -> np.ndarray | None:
    """Return texts as (rows, letters) bytes; None where one has not as many as a width."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if not len(said) or not kinds.is_string(said.type):
        return None
    whole = said.combine_chunks() if isinstance(said, pa.ChunkedArray) else said
    if not isinstance(whole, pa.Array):
        return None
    _, ends, data = whole.buffers()
    ends = np.frombuffer(ends, np.int32)[whole.offset : whole.offset + len(whole) + 1]
    if (np.diff(ends) != width).any():
        return None
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].reshape(len(whole), width)


def _seconds(letters: np.ndarray, form: str) -> np.ndarray | None:
    """Return the times that letters say, None where one is no time of a form without a rest."""
    parts, place, start = dict[str, np.ndarray](), 0, 0
    for mark in (*_FORM.finditer(form), None):
        between = form[start : mark.start() if mark else None].encode()
        if any((letters[:, place + at] != it).any() for at, it in enumerate(between)):
            return None
        place += len(between)
        if mark:
            many = _DIGITS[mark[0]]
            digits = letters[:, place : place + many] - np.uint8(ord("0"))
            if digits.max() > 9 or mark[0] in parts:
                return None
            parts[mark[0]] = _number(digits)
            place, start = place + many, mark.end()
    return _of_parts(parts)


def _number(digits: np.ndarray) -> np.ndarray:
    number = np.zeros(len(digits), dtype=np.int32)
    for digit in digits.T:
        number *= 10
        number += digit
    return number


def _of_parts(parts: Mapping[str, np.ndarray]) -> np.ndarray | None:
    month, day = parts["%m"], parts["%d"]
    if parts["%Y"].min() < 1000 or month.min() < 1 or month.max() > 12 or day.min() < 1:
        return None
    months = 12 * (parts["%Y"] - 1970) + month - 1
    first = np.arange(months.min(), months.max() + 2).astype("datetime64[M]")
    begin = first.astype("datetime64[D]").astype(np.int64)
    place = months - months.min()
    if (day > np.diff(begin)[place]).any():
        return None
    made: np.ndarray = (begin[place] + (day - 1)) * 86_400
    for name, most, seconds in _CLOCK:
        if name in parts:
            if parts[name].max() >= most:
                return None
            made += parts[name] * seconds
    return made.astype("datetime64[s]")


def moments(said: "pd.Series[Any]", form: str) -> "tuple[pd.Series[Any], np.ndarray]":
    """Do the same of text that is in no column of Arrow."""
    import pandas as pd

    if form in SINCE:
        unit, origin = SINCE[form]
        counts = pd.to_numeric(said, errors="coerce").astype("float64")
        made = pd.to_datetime(counts, unit=unit, origin=origin, errors="coerce").dt.round("ms")
    else:
        texts = said
        if pd.api.types.is_numeric_dtype(said):  # 20300107 in Parquet; 20300107.5 is no day.
            texts = said.where(said % 1 == 0).astype("Int64").astype("str")
        if _PERIOD.search(form):
            texts = texts.map(lambda cell: spelled(cell, form)[0], na_action="ignore")
        known = spelled("", form)[1]
        made = pd.to_datetime(texts, format=known, errors="coerce", utc="%z" in form)
    if made.dt.tz is not None:
        made = made.dt.tz_localize(None)
    return made, np.asarray(made.isna() & said.notna())


_PERIOD = re.compile("%q|%V")


def spelled(cell: str, form: str) -> tuple[str, str]:
    """Return a cell and a form that `strptime` knows.

    A quarter (`%q`) becomes its first month, a week of ISO 8601 (`%V`) its Monday.
    """
    if "%V" in form:
        return f"{cell}-1", f"{form}-%u"
    if "%q" not in form:
        return cell, form
    pattern = (
        re.escape(form).replace("%Y", "(?P<year>[0-9]{4})").replace("%q", "(?P<quarter>[1-4])")
    )
    found = re.fullmatch(pattern, cell)
    return f"{found['year']}-{3 * int(found['quarter']) - 2}" if found else "", "%Y-%m"


def event(column: Any, positive: str) -> Any:
    """Return whether each cell is the event; what is missing stays so."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.equal(pc.utf8_trim_whitespace(column.cast(pa.string())), positive)


def _mask(column: Any, missing: bool) -> np.ndarray:
    return np.asarray(column.fill_null(missing).to_pandas(), dtype=bool)
