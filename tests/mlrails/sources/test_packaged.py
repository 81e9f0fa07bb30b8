"""Data files that a package brings along: found without its code, and no other file is taken."""

import sys
from pathlib import Path

import pytest

from mlrails.core import hashing
from mlrails.core.errors import UsageError, WorldError
from mlrails.sources import packaged

NAME = "rows_of_somebody"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package that cannot be imported, with one data file."""
    folder = tmp_path / NAME / "data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('wants what is not there')\n")
    (folder / "rows.csv").write_text("a\n1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def known(data: Path) -> dict[str, str]:
    return {"rows.csv": hashing.of_file(data / "rows.csv")}


def test_the_files_are_found_without_the_code_of_the_package(data: Path) -> None:
    assert packaged.folder(NAME, "1.0", known(data)) == data
    assert NAME not in sys.modules


def test_a_missing_and_an_altered_file_are_refused_by_name(data: Path) -> None:
    path, before = data / "rows.csv", known(data)
    path.write_text("a\n2\n")
    said = rf"{path}: not the file of {NAME} 1\.0 .* remove the folder \.nox"
    with pytest.raises(WorldError, match=said):
        packaged.folder(NAME, "1.0", before)
    path.unlink()
    with pytest.raises(WorldError, match=f"{path}: the file is missing"):
        packaged.folder(NAME, "1.0", before)


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(UsageError, match=f"{NAME} is not installed; run `nox -s train`"):
        packaged.folder(NAME, "1.0", {})
