"""A model that is the champion already: said without MLflow, and only where nothing is in doubt."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from mlrails.core import layout
from mlrails.core.errors import Exit, WorldError
from mlrails.core.hashing import of_folder
from mlrails.core.settings import Settings
from mlrails.gate.report import EVIDENCE
from mlrails.lifecycle import promote
from mlrails.registry import stored, versions
from mlrails.registry.ledger import Ledger
from mlrails.tracking import embedded, store


@pytest.fixture
def settled(promoted: None, here: Settings) -> None:
    """Let the model be the champion of a store that knows its own folder, as MLflow was asked."""
    promote.promote(here)


def is_known(settings: Settings) -> bool:
    return stored.is_champion(settings, of_folder(settings.root / layout.MODEL))


def evidence(settings: Settings) -> list[bytes]:
    return [(settings.root / path).read_bytes() for path in EVIDENCE]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("act", [promote.gate, promote.promote])
def test_an_unchanged_model_is_told_without_mlflow_as_with_it(
    here: Settings, act: Callable[[Settings], Exit], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(stored, "is_champion", lambda *_: False)
        assert act(here) is Exit.DONE
    told = evidence(here)
    for path in EVIDENCE:
        (here.root / path).unlink()
    monkeypatch.setattr(store, "connect", refuse)
    assert act(here) is Exit.DONE
    assert evidence(here) == told and b'"unchanged"' in told[0]


def refuse(settings: Settings) -> None:
    raise AssertionError("MLflow was asked")


def held(settings: Settings) -> Path:
    (version,) = embedded.versions_of(
        settings.root, settings.name, of_folder(settings.root / layout.MODEL)
    )
    assert version.folder is not None
    return version.folder


@pytest.mark.usefixtures("settled")
def test_bytes_of_the_registry_that_are_others_are_told(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (held(here) / "MLmodel").write_text("of somebody else", "utf-8")
    assert not is_known(here)
    with pytest.raises(WorldError, match="bytes of version 1 are not those"):
        promote.promote(here)
    monkeypatch.setattr(stored, "_holds", lambda *_: True)  # What would be said without a look.
    assert promote.promote(here) is Exit.DONE


@pytest.mark.usefixtures("settled")
def test_a_move_that_was_cut_short_is_completed_first(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Ledger(versions.connect(here).client, here)
    told = {"action": "promotion", "version": "1"}
    book.begin(told)
    with monkeypatch.context() as patched:
        patched.setattr(embedded, "is_running", lambda *_: False)  # Nobody would complete it.
        assert promote.promote(here) is Exit.DONE
    assert len(book.open_entries()) == 1
    assert not is_known(here)
    assert promote.promote(here) is Exit.DONE
    assert "cut short is completed" in capsys.readouterr().out
    assert book.open_entries() == [] and is_known(here)


@pytest.mark.usefixtures("settled")
def test_who_promotes_at_this_moment_is_waited_for(here: Settings) -> None:
    with FileLock(here.root / "mlflow.db.turn"), pytest.raises(WorldError, match="run the same"):
        promote.promote(here)


STATEMENTS = {
    "another champion": "UPDATE registered_model_aliases SET version = 2",
    "no champion": "DELETE FROM registered_model_aliases",
    "files that were not committed": (
        "UPDATE model_version_tags SET value = 'true' WHERE key = 'git_dirty'"
    ),
    "a version that was deleted": "UPDATE model_versions SET current_stage = 'Deleted_Internal'",
    "a folder that was moved": (
        "UPDATE model_versions SET storage_location = 'file:///elsewhere/mlartifacts/0/models/m'"
    ),
    "another MLflow's tables": "ALTER TABLE model_versions RENAME COLUMN storage_location TO kept",
    "a ledger that nobody can read": "ALTER TABLE runs RENAME COLUMN status TO state",
}


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_whatever_is_otherwise_is_for_mlflow(here: Settings, statement: str) -> None:
    assert is_known(here)
    with closing(sqlite3.connect(here.root / embedded.DATABASE)) as database, database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(statement)
    assert not is_known(here)


@pytest.mark.usefixtures("settled")
def test_two_versions_of_a_digest_are_for_mlflow(here: Settings) -> None:
    there, digest = versions.connect(here), of_folder(here.root / layout.MODEL)
    there.client.create_model_version(here.name, "s3://models/m", tags={"digest": digest})
    assert not is_known(here)


@pytest.mark.usefixtures("settled")
def test_servers_branches_and_signed_models_are_for_mlflow(here: Settings) -> None:
    assert is_known(here)
    assert not is_known(replace(here, tracking_uri="http://127.0.0.1:9"))
    assert not is_known(replace(here, on_branch=True))
    assert not is_known(replace(here, signing_key="a key"))
    (here.root / "signing.pub").write_text("a key", "utf-8")
    assert not is_known(here)
