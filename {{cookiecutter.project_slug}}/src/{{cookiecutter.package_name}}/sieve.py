"""Many rows at once against what the model asks for: the good as columns, the bad with reasons."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import cells
from .fields import Field

if TYPE_CHECKING:
    import pyarrow as pa

Mask = npt.NDArray[np.bool_]
_MISSING = "a value is missing, and must not be"


class Sifted(NamedTuple):
    """The columns of the good rows, which rows these are, and the bad with their first reason."""

    columns: dict[str, np.ndarray]
    good: Mask
    faults: list[tuple[int, str, str]]
    """(row in the piece, column, reason), in order of the rows."""


def sift(rows: "pa.RecordBatch", inputs: Sequence[Field]) -> Sifted:
    """Hold rows against the rules; a value is never cast to what it does not say."""
    columns: dict[str, np.ndarray] = {}
    reasons: dict[int, tuple[str, str]] = {}
    for it in inputs:
        values, faults = _READERS.get(it.type, _number)(rows.column(it.name), it)
        columns[it.name] = values
        for wrong, reason in faults:
            for row in np.flatnonzero(wrong).tolist():
                reasons.setdefault(row, (it.name, reason))
    good = np.ones(rows.num_rows, dtype=bool)
    good[list(reasons)] = False
    if not good.all():
        columns = {name: values[good] for name, values in columns.items()}
    return Sifted(columns, good, [(row, *reasons[row]) for row in sorted(reasons)])


def _number(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
    faults = []
    if _is_text(column):
        import pyarrow as pa
        import pyarrow.compute as pc

        cut = pc.utf8_trim(column, characters=cells.BLANKS)
        right = _says(cut, cells.NUMBER)
        wrong = ~(right | _is_missing(column))
        if wrong.any():
            faults.append((wrong & ~_says(cut, cells.MISSING), "must be a valid number"))
        column = _where(right, cut).cast(pa.float64())
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    return values, [*faults, *_limits(values, np.isnan(values), field)]


def _whole(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
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
    return values, [*_limits(values, empty, field), (wrong, "must be a valid integer")]


def _limits(values: np.ndarray, empty: Mask, field: Field) -> Iterator[tuple[Mask, str]]:
    if not field.nullable:
        yield empty, _MISSING
    yield np.isinf(values), "must be a finite number"
    if field.minimum is not None:
        yield values < field.minimum, f"must be greater than or equal to {field.minimum:g}"
    if field.maximum is not None:
        yield values > field.maximum, f"must be less than or equal to {field.maximum:g}"


def _text(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    missing = _is_missing(column)
    return values, [] if field.nullable else [(missing, _MISSING)]


def _time(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
    missing = _is_missing(column)
    faults = [] if field.nullable else [(missing, _MISSING)]
    if _is_text(column):
        import pyarrow as pa
        import pyarrow.compute as pc

        right = _says(column, cells.TIME)
        faults.append((~right & ~missing, cells.NO_TIME))
        cut = pc.utf8_slice_codeunits(column, 0, cells.MICROSECONDS)
        column = _where(right, cut).cast(pa.timestamp("us"))
    return np.asarray(column.to_numpy(zero_copy_only=False), "datetime64[us]"), faults


def _boolean(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
    said: list[Any] = column.to_pylist()
    if _is_text(column):
        said = [it if it is None else cells.boolean(it) for it in said]
    wrong = np.array([it is not None and not isinstance(it, bool) for it in said], dtype=bool)
    faults = [(wrong, "must be a valid boolean")]
    if not field.nullable:
        faults.append((_is_missing(column), _MISSING))
    return np.array([it is True for it in said], dtype=bool), faults


_WHOLE = {"long": _whole, "integer": _whole}
_READERS = {"string": _text, "datetime": _time, "boolean": _boolean, **_WHOLE}


def _is_text(column: "pa.Array") -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(column.type) or kinds.is_large_string(column.type))


def _is_missing(column: "pa.Array") -> Mask:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def _says(column: "pa.Array", pattern: str) -> Mask:
    """Tell which cells of text are a pattern, whole."""
    import pyarrow.compute as pc

    found = pc.match_substring_regex(column, f"^({pattern})$").fill_null(False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _where(mask: Mask, column: "pa.Array") -> "pa.Array":
    """Return the cells of a mask, and nothing in place of the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(mask), column, pa.scalar(None, column.type))
