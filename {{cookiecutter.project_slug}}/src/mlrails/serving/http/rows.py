"""Rows as a caller sends them, held against what the model asks for; nothing is cast in silence."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ...data import cells, values
from ...modeling import signature
from .messages import LONGEST_NAME, Fault, bad_rows

Row = Mapping[str, Any]
_FAULTS_TOLD = 20
_VALUES_AT_ONCE = 2048
"""Looked at before the first fault ends it: each faulty one of them costs a kilobyte."""
_UNKNOWN = "the model knows no such column"
_TYPES: Mapping[str, Any] = {
    "double": float,
    "float": float,
    "long": int,
    "integer": int,
    "boolean": bool,
    "string": str,
}


class RowSchema:
    """The type of the rows that one model takes."""

    def __init__(self, interface: signature.Interface) -> None:
        self.names = tuple(it.name for it in interface.inputs)
        self._rows_at_once = max(1, _VALUES_AT_ONCE // max(1, len(self.names)))
        self._numeric = [it.name for it in interface.inputs if it.type in {"double", "float"}]
        # Made at run time, of a model's signature, so the checker of types cannot know it.
        make: Any = TypedDict
        row: Any = make(
            "Row", {it.name: _annotated(it, interface.example) for it in interface.inputs}
        )
        row.__pydantic_config__ = ConfigDict(strict=True, extra="forbid")
        row.__doc__ = "One row, as the model asks for it."
        rows: Any = list
        self._adapter: TypeAdapter[Any] = TypeAdapter(rows[row])

    def check(self, rows: Iterable[Any]) -> list[Row]:
        """Return the rows with times as such; raises RefusedError that names rows and columns.

        What comes after the first piece with a fault is not looked at.
        """
        found: list[Row] = []
        waiting = iter(rows)
        while piece := list(islice(waiting, self._rows_at_once)):
            for place, row in enumerate(piece, len(found)):
                if isinstance(row, dict) and len(row) > len(self.names):
                    self.refuse_more(row, place)
            try:
                found += self._adapter.validate_python(piece)
            except ValidationError as error:
                raise bad_rows(_faults(error, len(found))) from None
        return found

    def refuse_more(self, names: Collection[str], row: int = 0) -> None:
        """Raise RefusedError for more names than the model has, before each of them costs."""
        if len(names) > len(self.names):
            unknown = islice((name for name in names if name not in self.names), _FAULTS_TOLD)
            raise bad_rows([Fault(row, it[:LONGEST_NAME], _UNKNOWN) for it in unknown])

    def missing_for_nan(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield rows whose NaNs are missing values, which is how clients of MLflow write them."""
        for row in rows:
            if isinstance(row, dict):
                nan = [name for name in self._numeric if _is_nan(row.get(name))]
                yield {**row, **dict.fromkeys(nan)} if nan else row
            else:
                yield row

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a list of rows."""
        return self._adapter.json_schema(ref_template="#/components/schemas/{model}")


def _annotated(field: signature.Field, example: Sequence[Row]) -> Any:
    told: dict[str, Any] = {"examples": [row[field.name] for row in example]}
    limits: dict[str, Any] = {}
    if field.known:
        told["description"] = "Known: " + ", ".join(field.known) + "; others count as unknown."
    if field.unit:
        told["description"] = f"In {field.unit}."
    if field.type == "datetime":
        told["description"] = "Date and time as ISO 8601, without a zone: 2030-01-07T08:00:00."
        kind: Any = Annotated[datetime, BeforeValidator(_time)]
    else:
        kind = _TYPES[field.type]
        limits = {it.name: it.bound for it in values.limits(field)}
        if kind is not float:
            del limits[values.FINITE]  # Which is said of no other kind.
    if field.nullable:
        return Annotated[Annotated[kind, Field(**limits)] | None, Field(**told)]
    return Annotated[kind, Field(**told, **limits)]


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be text with date and time, as 2030-01-07T08:00:00")
    if not cells.is_time(value):
        raise ValueError(cells.NO_TIME)
    return datetime.fromisoformat(value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value  # noqa: PLR0124


def _faults(error: ValidationError, first: int) -> list[Fault]:
    """Return the first faults in words that do not quote a value; `first` is the piece's row."""
    told = error.errors(include_url=False, include_input=True, include_context=True)
    return [_fault(it, first) for it in told[:_FAULTS_TOLD]]


def _fault(told: Any, first: int) -> Fault:
    row, column = (*told["loc"], None)[:2]
    words = {
        "missing": "the column is missing",
        "extra_forbidden": _UNKNOWN,
        "dict_type": "a row must be an object of columns and values",
    }
    if told["type"] in words:
        reason = words[told["type"]]
    elif told["input"] is None:
        reason = "a value is missing, and must not be"
    elif told["type"] == "value_error":
        reason = str(told["ctx"]["error"])
    else:
        reason = str(told["msg"]).replace("Input should be", "must be")
    return Fault(first + row, column and str(column)[:LONGEST_NAME], reason)
