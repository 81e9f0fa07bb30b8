"""The stage `ingest`: what the source gives becomes one file."""

from pathlib import Path

import pandas as pd
import pytest

from flight_delays import data, layout, source
from flight_delays.console import track
from flight_delays.errors import WorldError
from flight_delays.settings import Settings
from flight_delays.stage import Stage
from flight_delays.steps import ingest

import rows


def test_the_rows_of_the_source_become_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[object] = []

    def read(track: object) -> pd.DataFrame:
        given.append(track)
        return rows.flights()

    monkeypatch.setattr(source, "rows", read)
    ingest.ingest(Stage(Settings(tmp_path), rows.parameters()))
    assert given == [track]
    pd.testing.assert_frame_equal(data.read(tmp_path / layout.RAW), rows.flights())
    assert capsys.readouterr().out == "ingest: 3,000 rows in data/raw/rows.parquet\n"


def test_a_source_that_fails_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(track: object) -> None:
        raise WorldError("truncated")

    monkeypatch.setattr(source, "rows", broken)
    with pytest.raises(WorldError, match="truncated"):
        ingest.ingest(Stage(Settings(tmp_path), rows.parameters()))
    assert list(tmp_path.iterdir()) == []
