"""From whatever a file or a data frame holds to a column's kind: the one place where types change.

A value keeps what it says or is refused; nothing is rounded, cut, filled in or made up. Rows to
learn from (`frames`) and rows to score (`batch.rules`) come through here, so they cannot skew.

How to change this: what is taken here as text must mean the same in `cells`, which requests use.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from . import cells

if TYPE_CHECKING:
    import pyarrow as pa


Mask = npt.NDArray[np.bool_]
Read = tuple[np.ndarray, list[tuple[Mask, str]]]
"""The values, and which rows have none of the kind, with the reason."""
MISSING = "a value is missing, and must not be"
INFINITE = "must be a finite number"
FINITE = "allow_inf_nan"
_EXACT = 2**53
"""Up to here a float tells each whole number from its neighbours."""


class Rule(Protocol):
    """What a column asks of its values."""

    @property
    def nullable(self) -> bool:
        """Whether one may be missing."""

    @property
    def minimum(self) -> float | None:
        """The least."""

    @property
    def maximum(self) -> float | None:
        """The most."""


class Limit(NamedTuple):
    """One thing that a rule asks of numbers."""

    name: str
    """What pydantic calls it."""
    bound: float
    breaks: Callable[[np.ndarray], Mask]
    """Tells which values break it; a missing one never does."""
    asked: str
    """What a caller is told."""
    found: str
    """What the owner of the rows is told."""


def limits(rule: Rule) -> Iterator[Limit]:
    """Yield what numbers must keep: the one set of rules, for requests, files and training."""
    yield Limit(FINITE, False, np.isinf, INFINITE, "infinite")
    if (least := rule.minimum) is not None:
        asked = f"must be greater than or equal to {least:g}"
        yield Limit("ge", least, lambda it: it < least, asked, f"less than {least:g}")
    if (most := rule.maximum) is not None:
        asked = f"must be less than or equal to {most:g}"
        yield Limit("le", most, lambda it: it > most, asked, f"more than {most:g}")


def number(column: "pa.Array", rule: Rule) -> Read:
    """Read 64-bit floats, NaN where one is missing."""
    import pyarrow.types as kinds

    faults = []
    if _is_text(column):
        import pyarrow as pa
        import pyarrow.compute as pc

        cut = pc.utf8_trim(column, characters=cells.BLANKS)
        right = _says(cut, cells.NUMBER)
        wrong = ~(right | is_missing(column))
        if wrong.any():
            faults.append((wrong & ~_says(cut, cells.MISSING), "must be a valid number"))
        column = _where(right, cut).cast(pa.float64())
    elif kinds.is_integer(column.type) and column.type.bit_width == 64:
        faults.append((_rounded(column), "is a whole number that a float would round"))
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    return values, [*faults, *_limits(values, np.isnan(values), rule)]


def whole(column: "pa.Array", rule: Rule) -> Read:
    """Read whole numbers as such: not every one of 64 bits is a float."""
    if _is_text(column):
        said = [it if it is None else cells.whole(it) for it in column.to_pylist()]
        wrong = np.array([isinstance(it, str) for it in said], dtype=bool)
        empty = np.array([it is None for it in said], dtype=bool)
        values = np.array([it if isinstance(it, int) else 0 for it in said], dtype=np.int64)
        values = np.where(empty, np.nan, values) if empty.any() else values
    else:
        values = column.to_numpy(zero_copy_only=False)
        if values.dtype.kind not in "iu":
            values = np.asarray(values, dtype=np.float64)
        empty = np.isnan(values)
        wrong = ~empty & (values != np.floor(values))
    return values, [*_limits(values, empty, rule), (wrong, "must be a valid integer")]


def text(column: "pa.Array", rule: Rule) -> Read:
    """Read text as it is, None where it is missing.

    A whole number is the text that stands for it, also one that a data frame holds as a float since
    others are missing; of any other number nobody knows how it was written.
    """
    missing, faults = is_missing(column), list[tuple[Mask, str]]()
    if not _is_text(column):
        column, wrong = _digits(column)
        faults.append((wrong, "must be text, or a whole number below 2**53"))
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    return values, [*faults, *([] if rule.nullable else [(missing, MISSING)])]


def time(column: "pa.Array", rule: Rule) -> Read:
    """Read times without a zone, in microseconds: what is finer is left out."""
    missing = is_missing(column)
    faults = [] if rule.nullable else [(missing, MISSING)]
    if _is_text(column):
        import pyarrow as pa
        import pyarrow.compute as pc

        right = _says(column, cells.TIME)
        faults.append((~right & ~missing, cells.NO_TIME))
        cut = pc.utf8_slice_codeunits(column, 0, cells.MICROSECONDS)
        column = _where(right, cut).cast(pa.timestamp("us"))
    return np.asarray(column.to_numpy(zero_copy_only=False), "datetime64[us]"), faults


def boolean(column: "pa.Array", rule: Rule) -> Read:
    """Read booleans; where one is missing all become floats, NaN for the missing ones."""
    said: list[Any] = column.to_pylist()
    if _is_text(column):
        said = [it if it is None else cells.boolean(it) for it in said]
    wrong = np.array([it is not None and not isinstance(it, bool) for it in said], dtype=bool)
    missing = np.array([it is None for it in said], dtype=bool)
    faults = [(wrong, "must be a valid boolean")]
    if not rule.nullable:
        faults.append((missing, MISSING))
    values = np.array([it is True for it in said], dtype=bool)
    return np.where(missing, np.nan, values) if rule.nullable and missing.any() else values, faults


def _limits(values: np.ndarray, empty: Mask, rule: Rule) -> Iterator[tuple[Mask, str]]:
    if not rule.nullable:
        yield empty, MISSING
    for limit in limits(rule):
        yield limit.breaks(values), limit.asked


def _rounded(column: "pa.Array") -> Mask:
    """Tell which whole numbers are no float."""
    import pyarrow.compute as pc

    values = np.asarray(pc.fill_null(column, 0).to_numpy(zero_copy_only=False))
    large = np.flatnonzero((values > _EXACT) | (values < -_EXACT))
    found = np.zeros(len(values), dtype=bool)
    found[large] = [int(float(it)) != it for it in values[large].tolist()]
    return found


def _digits(column: "pa.Array") -> tuple["pa.Array", Mask]:
    """Return whole numbers as text, and which of them are none."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if not kinds.is_floating(column.type):
        return column.cast(pa.string()), np.zeros(len(column), dtype=bool)
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    good = (values == np.floor(values)) & (np.abs(values) < _EXACT)
    digits = pa.array(np.where(good, values, 0).astype(np.int64), mask=~good)
    return digits.cast(pa.string()), ~good & ~np.isnan(values)


def plain(column: "pa.Array") -> "pa.Array":
    """Return a column whose values lie in it, and not in a dictionary or elsewhere.

    A text of no letter is a missing value, as an empty cell of CSV is one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kinds.is_string_view(column.type):
        column = column.cast(pa.string())
    if _is_text(column) and (empty := _true(pc.equal(column, ""))).any():
        column = _where(~empty, column)
    return column


def kind(type_: Any) -> str:
    """Return which kind of values an Arrow type holds: a word of ours, else Arrow's own."""
    import pyarrow.types as kinds

    if isinstance(type_, str):
        return type_
    if kinds.is_dictionary(type_):
        type_ = type_.value_type
    words = {
        "nothing": kinds.is_null,
        "whole number": kinds.is_integer,
        "number": kinds.is_floating,
        "text": lambda it: any(is_(it) for is_ in _texts()),
        "time": lambda it: kinds.is_timestamp(it) and it.tz is None,
        "boolean": kinds.is_boolean,
    }
    return next((word for word, is_ in words.items() if is_(type_)), str(type_))


def _texts() -> "tuple[Callable[[pa.DataType], bool], ...]":
    """Return what tells the types of text."""
    import pyarrow.types as kinds

    return kinds.is_string, kinds.is_large_string, kinds.is_string_view


def _is_text(column: "pa.Array") -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(column.type) or kinds.is_large_string(column.type))


def is_missing(column: "pa.Array") -> Mask:
    """Tell which values are missing."""
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def _true(column: "pa.Array") -> Mask:
    return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def _says(column: "pa.Array", pattern: str) -> Mask:
    """Tell which cells of text are a pattern, whole."""
    import pyarrow.compute as pc

    return _true(pc.match_substring_regex(column, f"^({pattern})$"))


def _where(mask: Mask, column: "pa.Array") -> "pa.Array":
    """Return the cells of a mask, and nothing in place of the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(mask), column, pa.scalar(None, column.type))
