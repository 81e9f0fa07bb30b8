"""What can be said of a column of the raw table; `schema.py` says it of each."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "category", "time", "boolean"]
DTYPES: dict[Kind, Any] = {
    "number": "float64",
    "category": "str",
    "time": "datetime64[us]",
    "boolean": "bool",
}
"""The type of a column of each kind in a data frame."""


@dataclass(frozen=True)
class Column:
    """One column of the raw table."""

    name: str
    kind: Kind
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    leaks: str | None = None
    """Why the column must not reach the model; None when it is known at prediction time."""
    unit: str | None = None
    """What a number counts, as people are told it: °F, mph, m²."""
    known: str | None = None
    """Why a column that looks like an outcome is known when one predicts: the answer, kept."""
    logged: bool = True
    """Whether a server that keeps its requests may keep this column of them."""
