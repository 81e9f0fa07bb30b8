"""The project's own store: `mlflow.db` and `mlartifacts/`, always by absolute address.

It is made whole or not at all, since a kill in the middle of MLflow's first migration leaves a
database that nothing opens again; and it follows the project's folder when that is moved.
"""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..core.console import warn
from ..core.errors import UsageError, WorldError
from ..core.settings import Settings
from .client import in_words

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
_LONGEST_NAME = 256
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Where MLflow's tables hold absolute addresses."""


def address(root: Path) -> str:
    """Return the tracking address of a project's own store.

    Raises UsageError for a path with characters that mean something in an address.
    """
    if set("?%") & set(str(root)):
        raise UsageError(f"{root}: a path with ? or % cannot hold the runs; move the project")
    return f"sqlite:///{(root / DATABASE).as_posix()}"


def artifacts(root: Path) -> str:
    """Return the address of its artifacts."""
    return (root / ARTIFACTS).as_uri()


def prepare(settings: Settings) -> None:
    """Make the embedded store where it is missing, and let it follow a moved folder."""
    from filelock import FileLock

    folder = settings.store_folder
    database = folder / DATABASE
    with FileLock(settings.scratch / "store.lock"):
        if database.exists() and database.stat().st_size:
            _check(database)
            follow(database, folder)
        else:
            scratch = settings.scratch / f"{DATABASE}.partial"
            _make(database, artifacts(folder), scratch)


def file_of(uri: str) -> Path | None:
    """Return the file of a database in one, None for other addresses."""
    scheme, _, path = uri.partition(":///")
    plain = path.partition("?")[0]
    return Path(plain) if scheme.partition("+")[0] == "sqlite" and plain else None


def prepare_shared(uri: str) -> None:
    """Make a database in a file that several projects share, where it is missing: once, and whole.

    MLflow's first migration is not for several processes at once, and leaves half a database.
    """
    from filelock import FileLock

    database = file_of(uri)
    if database is None or "?" in uri or (database.exists() and database.stat().st_size):
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{database}.making"):
        if not database.exists() or not database.stat().st_size:
            warn(f"{database}: there is no database; a new one is made, without a run or a model")
            scratch = database.with_name(f"{database.name}.partial")
            _make(database, database.with_name(ARTIFACTS).as_uri(), scratch)


def _make(database: Path, where: str, scratch: Path) -> None:
    """Make a database whose artifacts go to an address, by way of a folder on the same disk."""
    # In a folder of its own, so that a journal that a kill has left is not taken for the new one's.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    with in_words(DATABASE):
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        uri = f"sqlite:///{(scratch / DATABASE).as_posix()}"
        SqlAlchemyStore(uri, where).engine.dispose()
    (scratch / DATABASE).replace(database)
    scratch.rmdir()


def _check(database: Path) -> None:
    with database.open("rb") as file:
        if not file.read(16).startswith(b"SQLite format 3"):
            raise WorldError(f"{database}: not a database; move it away, and a new one is made")


def follow(database: Path, folder: Path) -> None:
    """Rewrite the absolute addresses of a store that was moved to a folder."""
    here = artifacts(folder)
    with in_words(DATABASE), closing(sqlite3.connect(database, timeout=30)) as connection:
        # The default experiment is made with the store, and stands right in its artifacts.
        query = "SELECT artifact_location FROM experiments WHERE experiment_id = 0"
        for (location,) in connection.execute(query).fetchall():
            before = location.removesuffix("/0")
            if before != here and before.endswith(f"/{ARTIFACTS}"):
                try:
                    _rewrite(connection, before, here)
                except sqlite3.OperationalError as error:
                    if "readonly" not in str(error):
                        raise
                    warn(f"{DATABASE} is read-only and looks for its files in {before}")


def _rewrite(connection: sqlite3.Connection, before: str, here: str) -> None:
    with connection:
        for table, column in _ADDRESSES:
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 - constants
                f"WHERE substr({column}, 1, ?) = ?",
                (here, len(before) + 1, len(before) + 1, f"{before}/"),
            )


def note_author(root: Path, name: str, number: int, who: str) -> None:
    """Write down who has made a version, unless it is known: MLflow's client has no word for it."""
    query = "UPDATE model_versions SET user_id = ? WHERE name = ? AND version = ?"
    query += " AND user_id IS NULL"
    with in_words(DATABASE), closing(sqlite3.connect(root / DATABASE, timeout=30)) as connection:
        connection.execute(query, (who[:_LONGEST_NAME], name, number))
        connection.commit()


def artifact(database: Path, run_id: str, name: str) -> Path | None:
    """Return where an artifact of a run lies, or None where it is not on this machine's disk."""
    where = _first(database, "SELECT artifact_uri FROM runs WHERE run_uuid = ?", run_id)
    parts = urlsplit(str(where))
    path = Path(url2pathname(parts.path), name)
    return path if parts.scheme == "file" and path.is_file() else None


def has_run(root: Path, run_id: str) -> bool:
    """Tell whether the store still holds a run that has ended well, without importing MLflow."""
    query = "SELECT 1 FROM runs WHERE run_uuid = ? AND lifecycle_stage = 'active'"
    return _first(root / DATABASE, f"{query} AND status = 'FINISHED'", run_id) is not None


def experiment(root: Path, name: str) -> str | None:
    """Return the id of an experiment that the store holds, without importing MLflow."""
    query = "SELECT experiment_id FROM experiments WHERE name = ? AND lifecycle_stage = 'active'"
    found = _first(root / DATABASE, query, name)
    return None if found is None else str(found)


def has_model(root: Path, name: str) -> bool:
    """Tell whether the store holds a registered model, without importing MLflow."""
    return (
        _first(root / DATABASE, "SELECT 1 FROM registered_models WHERE name = ?", name) is not None
    )


class Stored(NamedTuple):
    """A version of a registered model as the store holds it."""

    number: int
    is_dirty: bool
    """Whether it is of files that were not committed."""
    folder: Path | None
    """Its bytes, where they lie in the store's own folder."""


def versions_of(root: Path, model: str, digest: str) -> Sequence[Stored]:
    """Return the versions of a digest that the store holds, without importing MLflow."""
    query = """
        SELECT version, storage_location, EXISTS (
            SELECT 1 FROM model_version_tags AS dirty WHERE dirty.name = versions.name
            AND dirty.version = versions.version AND key = 'git_dirty' AND value <> 'false'
        )
        FROM model_versions AS versions JOIN model_version_tags AS tags USING (name, version)
        WHERE name = ? AND key = 'digest' AND value = ? AND current_stage <> 'Deleted_Internal'
    """
    home, found = artifacts(root), _all(root / DATABASE, query, model, digest)
    return [
        Stored(int(number), bool(dirty), _path(where) if where.startswith(f"{home}/") else None)
        for number, where, dirty in ((it[0], str(it[1]), it[2]) for it in found)
    ]


def aliased(root: Path, model: str, alias: str) -> int | None:
    """Return the version that an alias of the store points to, without importing MLflow."""
    query = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
    found = _all(root / DATABASE, query, model, alias)
    return int(found[0][0]) if found else None


def is_running(root: Path, name: str) -> bool:
    """Tell whether a run of an experiment has begun and not ended, or whether nobody can say."""
    query = """
        SELECT count(*) FROM runs JOIN experiments USING (experiment_id)
        WHERE experiments.name = ? AND status = 'RUNNING' AND runs.lifecycle_stage = 'active'
    """
    return _first(root / DATABASE, query, name) != 0


def _path(address: str) -> Path:
    return Path(url2pathname(urlsplit(address).path))


def _first(database: Path, query: str, value: str) -> object:
    """Return the first cell of what a query finds, or None, also where there is no store."""
    found = _all(database, query, value)
    return found[0][0] if found else None


def _all(database: Path, query: str, *values: str) -> Sequence[tuple[Any, ...]]:
    """Return the rows that a query finds: none where there is no store, or another MLflow's."""
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.Error:
        return []
