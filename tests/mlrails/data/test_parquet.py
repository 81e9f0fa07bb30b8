"""Files: whole or not there, and what is wrong with one is said with its name."""

import errno
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rows

from mlrails.core import layout
from mlrails.core.errors import UsageError, WorldError
from mlrails.data import parquet


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rows.parquet"
    parquet.write(rows.flights(), path)
    pd.testing.assert_frame_equal(parquet.read(path), rows.flights())
    assert [it.name for it in path.parent.iterdir()] == ["rows.parquet"]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    parquet.write(rows.flights(), tmp_path / "a")
    parquet.write(rows.flights().iloc[::-1].iloc[::-1], tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_index_is_no_data(tmp_path: Path) -> None:
    parquet.write(rows.flights().tail(3), tmp_path / "a")
    assert parquet.read(tmp_path / "a").index.tolist() == [0, 1, 2]


def test_a_missing_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with pytest.raises(WorldError, match=f"{path}: the file is missing; run `nox -s train`"):
        parquet.read(path)


@pytest.mark.parametrize("damage", ["empty", "cut", "foreign", "flipped"])
def test_a_broken_file_is_named_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write(rows.flights(), path)
    whole = path.read_bytes()
    broken = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "foreign": b"a,b\n1,2\n",
        "flipped": whole[:-400] + bytes(byte ^ 255 for byte in whole[-400:-8]) + whole[-8:],
    }
    path.write_bytes(broken[damage])
    with pytest.raises(
        WorldError, match=f"{path}: not a whole Parquet file .*; delete it"
    ) as caught:
        parquet.read(path)
    assert "\n" not in str(caught.value)


def test_what_the_system_refuses_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(pd, "read_parquet", refuse)
    with pytest.raises(PermissionError):
        parquet.read(tmp_path / "rows.parquet")


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_old_rows_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write(rows.flights(), path)

    def half(frame: pd.DataFrame, target: Path, index: bool) -> None:
        target.write_bytes(b"PAR1 half")
        full_disk()

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half)
    with pytest.raises(OSError, match="No space left"):
        parquet.write(rows.flights().head(), path)
    assert len(parquet.read(path)) == len(rows.flights())
    assert [it.name for it in tmp_path.iterdir()] == ["rows.parquet"]


def test_all_parts_are_read(tmp_path: Path) -> None:
    for part, frame in rows.parts().items():
        parquet.write(frame, tmp_path / layout.prepared(part))
    found = parquet.read_parts(tmp_path)
    assert {part: len(frame) for part, frame in found.items()} == {
        part: len(frame) for part, frame in rows.parts().items()
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": 7}', '{"digest": "abc'])
def test_a_report_that_is_not_whole_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / layout.METRICS
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match="there is no report yet"):
        layout.figures(tmp_path)
    path.write_text('{"digest": "abc"}', "utf-8")
    assert layout.figures(tmp_path) == {"digest": "abc"}
