"""What each column of the data is: its kind, its range, and whether it is known in time.

This is the file to change, beside `source.py`, when the data becomes your own.
"""

from mlrails.data.schema import Column

_AFTER = "it is known only after the flight has left"
_ANSWER = "it is the answer itself"
_SWAPPED = "the aircraft is swapped late, so it is not known for certain when the flight is planned"

COLUMNS = (
    Column("scheduled_departure", "time"),
    Column("carrier", "category"),
    Column("origin", "category"),
    Column("dest", "category"),
    Column("flight", "number", minimum=1),
    Column("distance", "number", minimum=1, unit="mi"),
    Column("temp", "number", nullable=True, minimum=-60, maximum=140, unit="°F"),
    Column("dewp", "number", nullable=True, minimum=-60, maximum=140, unit="°F"),
    Column("humid", "number", nullable=True, minimum=0, maximum=100, unit="%"),
    Column("wind_dir", "number", nullable=True, minimum=0, maximum=360, unit="°"),
    Column("wind_speed", "number", nullable=True, minimum=0, maximum=200, unit="mph"),
    Column("wind_gust", "number", nullable=True, minimum=0, maximum=250, unit="mph"),
    Column("precip", "number", nullable=True, minimum=0, maximum=20, unit="in"),
    Column("pressure", "number", nullable=True, minimum=850, maximum=1100, unit="mbar"),
    Column("visib", "number", nullable=True, minimum=0, maximum=10, unit="mi"),
    Column("dest_latitude", "number", nullable=True, minimum=-90, maximum=90, unit="°"),
    Column("dest_longitude", "number", nullable=True, minimum=-180, maximum=180, unit="°"),
    Column("tailnum", "category", nullable=True, leaks=_SWAPPED),
    Column("plane_year", "number", nullable=True, minimum=1900, maximum=2100, leaks=_SWAPPED),
    Column("plane_seats", "number", nullable=True, minimum=1, leaks=_SWAPPED),
    Column("dep_time", "number", nullable=True, minimum=1, maximum=2400, leaks=_AFTER),
    Column("dep_delay", "number", nullable=True, leaks=_AFTER, unit="min"),
    Column("arr_time", "number", nullable=True, minimum=1, maximum=2400, leaks=_AFTER),
    Column("air_time", "number", nullable=True, minimum=0, leaks=_AFTER, unit="min"),
    Column("arr_delay", "number", leaks=_ANSWER, unit="min"),
    Column("late", "boolean", leaks=_ANSWER),
)
