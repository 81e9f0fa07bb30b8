"""The bytes of a version: checked against its digest before anybody loads them, and removed."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
import rows

from mlrails.core import hashing
from mlrails.core.errors import WorldError
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.modeling.isolation import load
from mlrails.registry import download, signing
from mlrails.registry.versions import Registry, Version, connect
from mlrails.tracking.runs import Run

CODE = Path("code", rows.PACKAGE, "model.py")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Settings:
    """Return the settings of a folder whose store all tests of this file share."""
    root = tmp_path_factory.mktemp("fetched")
    shutil.copy(empty_store / "mlflow.db", root / "mlflow.db")
    return Settings(root)


@pytest.fixture(scope="module")
def there(settings: Settings) -> Registry:
    return connect(settings)


@pytest.fixture(scope="module")
def version(there: Registry, model_of: Callable[[Task], Path]) -> Version:
    """Return a version of a real model that a run has logged."""
    folder = model_of(Task.CLASSIFICATION)
    digest = hashing.of_folder(folder)
    run = Run(there.client, there.client.create_run("0").info.run_id, there.uri)
    run.log_model(folder, digest)
    condition = f"source_run_id = '{run.id}' AND tags.digest = '{digest}'"
    (logged,) = there.client.search_logged_models(["0"], condition)
    return there.register(f"models:/{logged.model_id}", run.id, {"digest": digest}, "")


@pytest.fixture
def stored(there: Registry, version: Version, model_of: Callable[[Task], Path]) -> Iterator[Path]:
    """Return the folder in which the store keeps those bytes; what is done to it is undone."""
    source = there.client.get_model_version_download_uri(rows.NAME, str(version.number))
    folder = Path(url2pathname(urlsplit(source).path))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model_of(Task.CLASSIFICATION), folder)


def refused(there: Registry, version: Version) -> str:
    """Return the sentence with which the bytes of a version are refused."""
    with pytest.raises(WorldError) as told, download.model(there, version):
        pytest.fail("nobody may see these bytes")
    return str(told.value)


def test_the_bytes_that_were_registered_are_fetched_and_removed_after(
    there: Registry, version: Version, stored: Path
) -> None:
    with download.model(there, version) as folder:
        assert hashing.of_folder(folder) == version.digest
        assert stored not in {folder, *folder.parents}
        assert load(folder, version.digest).encoder.columns
    assert not folder.exists()
    assert hashing.of_folder(stored) == version.digest


def test_the_folder_is_removed_when_its_user_fails(there: Registry, version: Version) -> None:
    with pytest.raises(ZeroDivisionError), download.model(there, version) as folder:
        _ = 1 / 0
    assert not folder.exists()


def alter(folder: Path) -> None:
    with (folder / CODE).open("a") as file:
        file.write("# one byte more\n")


def lose(folder: Path) -> None:
    (folder / CODE).unlink()


def add(folder: Path) -> None:
    (folder / "code" / "more.py").write_text("")


@pytest.mark.parametrize("harm", [alter, lose, add])
def test_bytes_that_are_not_those_registered_are_refused(
    there: Registry,
    version: Version,
    stored: Path,
    harm: Callable[[Path], None],
) -> None:
    harm(stored)
    said = refused(there, version)
    assert "the bytes of version 1 are not those that were registered" in said
    assert version.digest[:12] in said
    assert "`nox -s rollback -- VERSION`" in said


def test_without_a_look_at_the_digest_altered_bytes_would_be_handed_out(
    there: Registry,
    version: Version,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alter(stored)
    monkeypatch.setattr(hashing, "of_folder", lambda *_: version.digest)
    with download.model(there, version) as folder:
        assert (folder / CODE).read_text().endswith("# one byte more\n")


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize("harm", [shutil.rmtree, empty])
def test_bytes_that_are_gone_are_told_in_one_sentence(
    there: Registry,
    version: Version,
    stored: Path,
    harm: Callable[[Path], None],
) -> None:
    harm(stored)
    said = refused(there, version)
    assert "the bytes of version 1 are gone" in said
    assert "restore them from a backup" in said


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full; free"), (errno.EROFS, "the file system is read-only")],
)
def test_a_disk_that_takes_nothing_is_not_taken_for_bytes_that_are_gone(
    there: Registry, version: Version, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refused_by_the_disk(source: str, target: str, **_: Any) -> None:
        raise OSError(number, os.strerror(number), source, None, target)

    monkeypatch.setattr(shutil, "copy2", refused_by_the_disk)
    assert said in refused(there, version)


def test_a_version_that_is_gone_is_told_in_one_sentence(there: Registry, version: Version) -> None:
    gone = replace(version, number=7)
    assert "version=7) not found" in refused(there, gone)


def test_bytes_that_nobody_signed_are_refused_where_a_signature_is_asked_for(
    there: Registry, version: Version, tmp_path: Path
) -> None:
    (tmp_path / "signing.pub").write_text("a key")
    asking = Registry(there.client, there.uri, there.model, root=tmp_path)
    assert "version 1 is not signed" in refused(asking, version)
    with download.by_digest(asking, version) as folder:
        assert hashing.of_folder(folder) == version.digest


def test_code_that_nobody_vouches_for_is_not_handed_out(
    there: Registry, version: Version, stored: Path
) -> None:
    name = hashing.BYTE_CODE
    planted = [
        stored / "code" / name / "__init__.py",
        stored / CODE.parent / name / "model.pyc",
    ]
    for path in planted:
        path.parent.mkdir()
        path.write_bytes(b"evil")
    with download.model(there, version) as folder:
        assert not list(folder.rglob(name))
        assert list(folder.rglob("model.py"))
    assert all(path.is_file() for path in planted)


def test_a_file_of_a_run_is_copied_and_one_that_is_not_there_is_none(
    there: Registry, version: Version, tmp_path: Path
) -> None:
    there.client.log_text(version.run_id, "fine", "inputs/note.txt")
    assert signing.has_artifact(there, version.run_id, "inputs/note.txt")
    copy = signing.fetch_artifact(there, version.run_id, "inputs/note.txt", tmp_path)
    assert copy
    assert copy.read_text() == "fine"
    assert tmp_path in copy.parents
    assert signing.fetch_artifact(there, version.run_id, "inputs/other.txt", tmp_path) is None
    assert signing.fetch_artifact(there, version.run_id, "nowhere/note.txt", tmp_path) is None


def test_a_copy_lies_where_nobody_else_can_put_another(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_text("a")
    digest = hashing.of_folder(tmp_path / "model")
    with download.copied(tmp_path / "model", digest, Settings(tmp_path).scratch) as copy:
        above = copy.parent, copy.parent.parent
        assert [stat.S_IMODE(path.stat().st_mode) for path in above] == [0o700, 0o700]
