"""Content addresses: the same content gives the same digest, and nothing else does."""

import hashlib
from pathlib import Path

import pytest

from flight_delays import digests


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_bytes(b"one")
    (tmp_path / "sub" / "b.txt").write_bytes(b"two")
    return tmp_path


def test_a_file_is_known_by_its_sha256(folder: Path) -> None:
    assert digests.of_file(folder / "a.txt") == hashlib.sha256(b"one").hexdigest()


def test_a_folder_is_known_by_the_names_and_bytes_of_its_files(folder: Path) -> None:
    pairs = [["a.txt", digests.of_file(folder / "a.txt")]]
    pairs += [["sub/b.txt", digests.of_file(folder / "sub" / "b.txt")]]
    assert digests.of_folder(folder) == digests.of_values(pairs)


def test_a_byte_a_name_or_a_file_more_changes_the_digest(folder: Path) -> None:
    seen = [digests.of_folder(folder)]
    (folder / "a.txt").write_bytes(b"One")
    seen.append(digests.of_folder(folder))
    (folder / "a.txt").rename(folder / "A.txt")
    seen.append(digests.of_folder(folder))
    (folder / "sub" / "empty").touch()
    seen.append(digests.of_folder(folder))
    assert len(set(seen)) == 4


@pytest.mark.parametrize("name", ["__pycache__/a.pyc", "sub/__pycache__/a.pyc"])
def test_byte_code_is_no_content(folder: Path, name: str) -> None:
    before = digests.of_folder(folder)
    (folder / name).parent.mkdir()
    (folder / name).write_bytes(b"code")
    (folder / "registered_model_meta").write_text("version: 3")
    assert digests.of_folder(folder) == before


def test_values_are_known_whatever_the_order_of_their_keys() -> None:
    assert digests.of_values({"a": 1, "b": [2.5]}) == digests.of_values({"b": [2.5], "a": 1})
    assert digests.of_values({"a": 1}) != digests.of_values({"a": "1"})
