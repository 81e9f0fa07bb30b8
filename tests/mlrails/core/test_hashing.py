"""Content addresses: the same content gives the same digest, and nothing else does."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlrails.core import hashing
from mlrails.core.errors import WorldError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_bytes(b"one")
    (tmp_path / "sub" / "b.txt").write_bytes(b"two")
    return tmp_path


def test_a_file_is_known_by_its_sha256(folder: Path) -> None:
    assert hashing.of_file(folder / "a.txt") == hashlib.sha256(b"one").hexdigest()


def test_a_folder_is_known_by_the_names_and_bytes_of_its_files(folder: Path) -> None:
    pairs = [["a.txt", hashing.of_file(folder / "a.txt")]]
    pairs += [["sub/b.txt", hashing.of_file(folder / "sub" / "b.txt")]]
    assert hashing.of_folder(folder) == hashing.of_values(pairs)


def test_a_byte_a_name_or_a_file_more_changes_the_digest(folder: Path) -> None:
    seen = [hashing.of_folder(folder)]
    (folder / "a.txt").write_bytes(b"One")
    seen.append(hashing.of_folder(folder))
    (folder / "a.txt").rename(folder / "A.txt")
    seen.append(hashing.of_folder(folder))
    (folder / "sub" / "empty").touch()
    seen.append(hashing.of_folder(folder))
    assert len(set(seen)) == 4


@pytest.mark.parametrize("name", ["__pycache__/a.pyc", "sub/__pycache__/a.pyc"])
def test_byte_code_is_no_content(folder: Path, name: str) -> None:
    before = hashing.of_folder(folder)
    (folder / name).parent.mkdir()
    (folder / name).write_bytes(b"code")
    (folder / "registered_model_meta").write_text("version: 3")
    assert hashing.of_folder(folder) == before


@pytest.mark.parametrize(
    "name",
    ["registered_model_meta/a.py", "sub/registered_model_meta", "sub/a.pyc", "sub/a.so", "b.pth"],
)
def test_everything_else_is_content(folder: Path, name: str) -> None:
    before = hashing.of_folder(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"code")
    assert hashing.of_folder(folder) != before


def linked_folder(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "sub")


def linked_file(folder: Path) -> None:
    (folder / "sub" / "link").symlink_to(folder / "a.txt")


def linked_cache(folder: Path) -> None:
    (folder / "sub" / hashing.BYTE_CODE).symlink_to(folder)


def broken_link(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize("put", [linked_folder, linked_file, linked_cache, broken_link, pipe])
def test_a_link_or_no_plain_file_has_no_digest(folder: Path, put: Callable[[Path], None]) -> None:
    put(folder)
    with pytest.raises(WorldError, match="a link, or no plain file or folder"):
        hashing.of_folder(folder)
    with pytest.raises(WorldError, match="a link, or no plain file or folder"):
        hashing.verify(folder, "abc")


def test_a_folder_that_is_a_link_or_a_file_has_none_neither(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder / "sub")
    for path in (tmp_path / "link", folder / "a.txt"):
        with pytest.raises(WorldError, match="a link, or no plain file or folder"):
            hashing.of_folder(path)


def test_of_data_a_link_is_what_it_leads_to(folder: Path, tmp_path_factory: Any) -> None:
    linked = tmp_path_factory.mktemp("linked")
    (linked / "a.txt").symlink_to(folder / "a.txt")
    (linked / "sub").symlink_to(folder / "sub")
    assert hashing.of_folder(linked, links=True) == hashing.of_folder(folder)


def test_values_are_known_whatever_the_order_of_their_keys() -> None:
    assert hashing.of_values({"a": 1, "b": [2.5]}) == hashing.of_values({"b": [2.5], "a": 1})
    assert hashing.of_values({"a": 1}) != hashing.of_values({"a": "1"})
