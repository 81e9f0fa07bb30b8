"""The stage `ingest`: what the source gives becomes one file."""

from pathlib import Path

import pandas as pd
import pytest
import rows

from flight_delays import source
from flight_delays.steps import ingest
from mlrails.core import layout
from mlrails.core.console import track
from mlrails.core.errors import WorldError
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.stages.stage import Stage


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
    known = rows.flights().drop(columns="punctuality")  # The schema has no such column.
    pd.testing.assert_frame_equal(parquet.read(tmp_path / layout.RAW), known)
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
