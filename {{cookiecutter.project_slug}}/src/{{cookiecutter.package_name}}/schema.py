"""What each column of the data is: its kind, its range, and whether it is known in time.

This is the file to change, beside `source.py`, when the data becomes your own.
"""

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


_AFTER = "it is known only after the flight has left"
_ANSWER = "it is the answer itself"
_SWAPPED = "the aircraft is swapped late, so it is not known for certain when the flight is planned"

COLUMNS = (
    Column("scheduled_departure", "time"),
    Column("carrier", "category"),
    Column("origin", "category"),
    Column("dest", "category"),
    Column("flight", "number", minimum=1),
    Column("distance", "number", minimum=1),
    Column("temp", "number", nullable=True, minimum=-60, maximum=140),
    Column("dewp", "number", nullable=True, minimum=-60, maximum=140),
    Column("humid", "number", nullable=True, minimum=0, maximum=100),
    Column("wind_dir", "number", nullable=True, minimum=0, maximum=360),
    Column("wind_speed", "number", nullable=True, minimum=0, maximum=200),
    Column("wind_gust", "number", nullable=True, minimum=0, maximum=250),
    Column("precip", "number", nullable=True, minimum=0, maximum=20),
    Column("pressure", "number", nullable=True, minimum=850, maximum=1100),
    Column("visib", "number", nullable=True, minimum=0, maximum=10),
    Column("dest_latitude", "number", nullable=True, minimum=-90, maximum=90),
    Column("dest_longitude", "number", nullable=True, minimum=-180, maximum=180),
    Column("tailnum", "category", nullable=True, leaks=_SWAPPED),
    Column("plane_year", "number", nullable=True, minimum=1900, maximum=2100, leaks=_SWAPPED),
    Column("plane_seats", "number", nullable=True, minimum=1, leaks=_SWAPPED),
    Column("dep_time", "number", nullable=True, minimum=1, maximum=2400, leaks=_AFTER),
    Column("dep_delay", "number", nullable=True, leaks=_AFTER),
    Column("arr_time", "number", nullable=True, minimum=1, maximum=2400, leaks=_AFTER),
    Column("air_time", "number", nullable=True, minimum=0, leaks=_AFTER),
    Column("arr_delay", "number", leaks=_ANSWER),
    Column("late", "boolean", leaks=_ANSWER),
)

BY_NAME = {column.name: column for column in COLUMNS}
