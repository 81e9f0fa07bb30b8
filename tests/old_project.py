"""A project of before the split into two packages, with its registry: what updates must not break.

`fixtures/registry-0.tar.xz` was made by the template of before the split, with the default answers:
train, promote, change a parameter, train, promote, roll back to the first version, and on to the
second again. In it are

- `history`: the project's commits, as `git fast-export` writes them;
- `mlflow.sql` and `mlartifacts/`: its registry, without pictures and pages;
- `expected/`: rows, and what both versions said to them on that day.

To keep it small its trees are few, its commits hold only what the stages read, and its lock of the
development tools the hashes of CPython 3.11's builds for Linux and macOS. The data are not in it:
`ingest` makes them again.
"""

import shutil
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path

FIXTURE = Path(__file__).parent / "fixtures" / "registry-0.tar.xz"
MACHINE = "linux-x86_64-avx512_spr-skylakex"
"""The class of the machine that it was made on."""


def unpack(folder: Path) -> Path:
    """Lay the project and what it had said into a new folder; return the project's.

    It is as its user has left it: at the last commit, clean, with two versions, the second of which
    is champion.
    """
    project = folder / "flight-delays"
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(project, filter="data")
    (project / "expected").rename(folder / "expected")
    history, database = project / "history", project / "mlflow.sql"
    _git(project, "init", "--quiet", "--initial-branch", "main")
    _git(project, "fast-import", "--quiet", given=history.read_bytes())
    with closing(sqlite3.connect(project / "mlflow.db")) as connection:
        connection.executescript(database.read_text("utf-8"))
    history.unlink()
    database.unlink()
    _git(project, "reset", "--quiet", "--hard", "main")
    assert not _git(project, "status", "--porcelain")
    return project


def renew(project: Path, bake: Path) -> None:
    """Put a bake's files in the place of all that is committed, as an update by hand would."""
    for name in filter(None, _git(project, "ls-files", "-z").split("\0")):
        (project / name).unlink()
    shutil.copytree(bake, project, dirs_exist_ok=True)


def _git(project: Path, *words: str, given: bytes = b"") -> str:
    done = subprocess.run(["git", *words], cwd=project, input=given, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


NETWORKS = FIXTURE.with_name("networks-0.tar.xz")
"""A model directory of each framework with a network, and what it said to the same rows."""


def unpack_network(framework: str, folder: Path) -> tuple[Path, Path, Path]:
    """Return a model directory of old, rows, and what it said to them."""
    with tarfile.open(NETWORKS) as archive:
        archive.extractall(folder, filter="data")
    return folder / framework / "model", folder / "rows.csv", folder / framework / "expected.csv"
