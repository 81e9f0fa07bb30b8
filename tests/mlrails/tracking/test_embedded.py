"""The project's own store: whole or not there, and found again where the folder has moved."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.store.tracking import sqlalchemy_store

from mlrails.core.errors import WorldError
from mlrails.core.settings import Settings
from mlrails.tracking import embedded, store
from mlrails.tracking.runs import Run


def test_a_store_is_made_with_absolute_addresses(empty_store: Path) -> None:
    assert embedded.address(empty_store) == f"sqlite:///{empty_store}/mlflow.db"
    with closing(sqlite3.connect(empty_store / "mlflow.db")) as connection:
        query = "SELECT artifact_location FROM experiments"
        assert connection.execute(query).fetchall() == [(f"file://{empty_store}/mlartifacts/0",)]


def test_a_store_that_is_there_is_left_as_it_is(settings: Settings) -> None:
    database = settings.root / "mlflow.db"
    before = database.read_bytes()
    embedded.prepare(settings)
    embedded.prepare(settings)
    followed = database.read_bytes()
    assert followed != before
    embedded.prepare(settings)
    assert database.read_bytes() == followed


def test_a_kill_while_it_is_made_leaves_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(uri: str, artifacts: str) -> None:
        Path(uri.removeprefix("sqlite:///")).write_bytes(b"half a database")
        raise KeyboardInterrupt

    monkeypatch.setattr(sqlalchemy_store, "SqlAlchemyStore", killed)
    with pytest.raises(KeyboardInterrupt):
        embedded.prepare(Settings(tmp_path))
    assert not (tmp_path / "mlflow.db").exists()


def test_a_foreign_file_in_its_place_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, but something long enough to be read")
    with pytest.raises(WorldError, match=r"mlflow.db: not a database; move it away"):
        embedded.prepare(Settings(tmp_path))


def with_a_file(settings: Settings) -> str:
    """Log a file and a model; return the run."""
    client = store.connect(settings)
    run = Run(client, client.create_run(store.experiment(client, settings)).info.run_id, "")
    (settings.root / "model").mkdir()
    (settings.root / "model" / "MLmodel").write_text("flavors: {}\n")
    run.log_text("hello", "inputs/a.txt")
    run.log_model(settings.root / "model", "abc")
    return run.id


def read_back(settings: Settings, run_id: str) -> list[str]:
    client = store.connect(settings)
    run = client.get_run(run_id)
    (model,) = run.outputs.model_outputs
    text = client.download_artifacts(run_id, "inputs/a.txt")
    location = client.get_logged_model(model.model_id).artifact_location
    return [Path(text).read_text(), run.info.artifact_uri, location]


def test_a_store_whose_folder_was_moved_finds_its_files(settings: Settings) -> None:
    run_id = with_a_file(settings)
    moved = settings.root.rename(settings.root.with_name(f"{settings.root.name} moved"))
    text, *addresses = read_back(Settings(moved), run_id)
    assert text == "hello"
    assert all(address.startswith(embedded.artifacts(moved)) for address in addresses)


def test_without_following_a_moved_store_would_lose_its_files(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = with_a_file(settings)
    moved = settings.root.rename(settings.root.with_name(f"{settings.root.name} moved"))
    monkeypatch.setattr(embedded, "follow", lambda database, folder: None)
    with pytest.raises(Exception, match="Failed to download artifacts"):
        read_back(Settings(moved), run_id)


def test_artifacts_that_were_kept_elsewhere_on_purpose_are_not_touched(settings: Settings) -> None:
    client = store.connect(settings)
    experiment = client.create_experiment("theirs", "s3://bucket/mlartifacts/theirs")
    moved = settings.root.rename(settings.root.with_name(f"{settings.root.name} moved"))
    there = store.connect(Settings(moved)).get_experiment(experiment)
    assert there.artifact_location == "s3://bucket/mlartifacts/theirs"


def test_a_run_is_known_without_mlflow_from_its_end_until_it_is_deleted(
    settings: Settings,
) -> None:
    client = store.connect(settings)
    run_id = client.create_run("0").info.run_id
    assert not embedded.has_run(settings.root, run_id)
    client.set_terminated(run_id, "FINISHED")
    assert embedded.has_run(settings.root, run_id)
    assert not embedded.has_run(settings.root, "0" * 32)
    client.delete_run(run_id)
    assert not embedded.has_run(settings.root, run_id)


def test_without_a_store_no_run_is_known(tmp_path: Path) -> None:
    assert not embedded.has_run(tmp_path, "0" * 32)
    assert not (tmp_path / "mlflow.db").exists()
    (tmp_path / "mlflow.db").write_text("x" * 200)
    assert not embedded.has_run(tmp_path, "0" * 32)


def test_who_has_made_a_version_is_written_down_once(settings: Settings) -> None:
    client = store.connect(settings)
    client.create_registered_model("m")
    client.create_model_version("m", "s3://models/m")
    for who in ("somebody", "another"):
        embedded.note_author(settings.root, "m", 1, who)
        assert client.get_model_version("m", "1").user_id == "somebody"


def test_a_moved_store_that_is_read_only_can_still_be_read(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = with_a_file(settings)
    moved = settings.root.rename(settings.root.with_name(f"{settings.root.name} moved"))

    def refuse(connection: sqlite3.Connection, before: str, here: str) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(embedded, "_rewrite", refuse)
    assert store.connect(Settings(moved)).get_run(run_id).info.run_id == run_id
    assert "mlflow.db is read-only and looks for its files in" in capsys.readouterr().err
