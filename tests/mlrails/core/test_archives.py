"""Archives that are the same for the same files."""

import io
import zipfile

from mlrails.core import files as core_files


def test_the_order_and_the_time_of_day_leave_no_mark() -> None:
    files = {"b/x.json": b"{}", "a.npy": b"\x00" * 100}
    archive = core_files.canonical_zip(files)
    assert archive == core_files.canonical_zip(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == files
        assert {member.date_time[0] for member in opened.infolist()} == {1980}


def test_another_byte_is_another_archive() -> None:
    assert core_files.canonical_zip({"a": b"1"}) != core_files.canonical_zip({"a": b"2"})
