"""Rows as a caller sends them, held against what the model asks for; nothing is cast in silence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from .. import fields
from .refusals import Fault, bad_rows

Row = Mapping[str, Any]
_LONGEST_DATE = 10
_FAULTS_TOLD = 20
_TYPES: Mapping[str, Any] = {
    "double": float,
    "float": float,
    "long": int,
    "integer": int,
    "boolean": bool,
    "string": str,
}


class Rows:
    """The type of the rows that one model takes."""

    def __init__(self, interface: fields.Interface) -> None:
        self.names = tuple(it.name for it in interface.inputs)
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

    def check(self, rows: Sequence[Any]) -> list[Row]:
        """Return the rows with times as such; raises RefusedError that names rows and columns."""
        try:
            found: list[Row] = self._adapter.validate_python(rows)
            return found
        except ValidationError as error:
            raise bad_rows(_faults(error)) from None

    def missing_for_nan(self, rows: Sequence[Any]) -> list[Any]:
        """Return rows whose NaNs are missing values, which is how clients of MLflow write them."""
        return [
            {**row, **{name: None for name in self._numeric if _is_nan(row.get(name))}}
            if isinstance(row, dict)
            else row
            for row in rows
        ]

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a list of rows."""
        return self._adapter.json_schema(ref_template="#/components/schemas/{model}")


def _annotated(field: fields.Field, example: Sequence[Row]) -> Any:
    told: dict[str, Any] = {"examples": [row[field.name] for row in example]}
    if field.known:
        told["description"] = "Known: " + ", ".join(field.known) + "; others count as unknown."
    if field.type == "datetime":
        told["description"] = "Date and time as ISO 8601, without a zone: 2030-01-07T08:00:00."
        kind: Any = Annotated[datetime, BeforeValidator(_time)]
    else:
        kind = _TYPES[field.type]
        ranged = {"ge": field.minimum, "le": field.maximum}
        told |= {name: bound for name, bound in ranged.items() if bound is not None}
        if kind is float:
            told["allow_inf_nan"] = False
    if field.nullable:
        limits = {name: told.pop(name) for name in ("ge", "le", "allow_inf_nan") if name in told}
        return Annotated[Annotated[kind, Field(**limits)] | None, Field(**told)]
    return Annotated[kind, Field(**told)]


def _time(value: object) -> datetime:
    if not isinstance(value, str) or len(value) <= _LONGEST_DATE:
        raise ValueError("must be text with date and time, as 2030-01-07T08:00:00")
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("is no date and time of ISO 8601, as 2030-01-07T08:00:00") from None
    if found.tzinfo is not None:
        raise ValueError("must be without a time zone, as the training rows are")
    return found


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value  # noqa: PLR0124


def _faults(error: ValidationError) -> list[Fault]:
    """Return the first faults in words that do not quote a value."""
    told = error.errors(include_url=False, include_input=True, include_context=True)
    return [_fault(it) for it in told[:_FAULTS_TOLD]]


def _fault(told: Any) -> Fault:
    row, column = (*told["loc"], None, None)[:2]
    words = {
        "missing": "the column is missing",
        "extra_forbidden": "the model knows no such column",
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
    return Fault(row, column, reason)
