"""Many rows at once against what the model asks for: the good as columns, the bad with reasons."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .fields import Field

if TYPE_CHECKING:
    import pyarrow as pa

Mask = npt.NDArray[np.bool_]
_MISSING = "a value is missing, and must not be"
_BOOLEANS = {"true": True, "false": False}


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
    text = _is_text(column)
    if text:
        import pandas as pd

        # Read by pandas alone: Arrow stops at the first cell that is no number.
        found = pd.to_numeric(column.to_pandas(), errors="coerce")
        values = np.asarray(found, dtype=np.float64)
    else:
        values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    empty = np.isnan(values)
    faults = []
    if text:
        # NaN is how data frames write a missing number.
        said = empty & ~_is_missing(column) & ~_says_nan(column, empty)
        faults.append((said, "must be a valid number"))
        empty &= ~said
    faults += _limits(values, empty, field)
    return values, faults


def _limits(values: np.ndarray, empty: Mask, field: Field) -> Iterator[tuple[Mask, str]]:
    if not field.nullable:
        yield empty, _MISSING
    yield np.isinf(values), "must be a finite number"
    if field.minimum is not None:
        yield values < field.minimum, f"must be greater than or equal to {field.minimum:g}"
    if field.maximum is not None:
        yield values > field.maximum, f"must be less than or equal to {field.maximum:g}"
    if field.type in {"long", "integer"}:
        yield values != np.floor(values), "must be a valid integer"


def _text(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    missing = _is_missing(column)
    return values, [] if field.nullable else [(missing, _MISSING)]


def _time(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
    missing = _is_missing(column)
    faults = [] if field.nullable else [(missing, _MISSING)]
    if not _is_text(column):
        return np.asarray(column.to_numpy(zero_copy_only=False), "datetime64[us]"), faults
    import pandas as pd

    cells = column.to_pandas()
    # With a zone or without a time of day it would be read as something else than was meant.
    plain = cells.str.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?").fillna(False)
    found = pd.to_datetime(cells.where(plain), format="ISO8601", errors="coerce")
    values = np.asarray(found, "datetime64[us]")
    said = np.isnat(values) & ~missing
    return values, [*faults, (said, "is no date and time, as 2030-01-07T08:00:00")]


def _boolean(column: "pa.Array", field: Field) -> tuple[np.ndarray, list[tuple[Mask, str]]]:
    cells: list[Any] = column.to_pylist()
    if _is_text(column):
        cells = [it if it is None else _BOOLEANS.get(it.lower(), it) for it in cells]
    said = np.array([it is not None and not isinstance(it, bool) for it in cells], dtype=bool)
    faults = [(said, "must be a valid boolean")]
    if not field.nullable:
        faults.append((_is_missing(column), _MISSING))
    return np.array([it is True for it in cells], dtype=bool), faults


_READERS = {"string": _text, "datetime": _time, "boolean": _boolean}


def _is_text(column: "pa.Array") -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(column.type) or kinds.is_large_string(column.type))


def _is_missing(column: "pa.Array") -> Mask:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def _says_nan(column: "pa.Array", where: Mask) -> Mask:
    """Tell which of the cells that are no number say so themselves."""
    said = np.zeros(len(column), dtype=bool)
    for row in np.flatnonzero(where).tolist():
        said[row] = str(column[row].as_py()).lower() in {"nan", "-nan"}
    return said
