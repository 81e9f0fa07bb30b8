"""The registry on the branch `registry` of the project's own repository, where there is no server.

The branch holds what an embedded store holds. An act works on a copy of it, and git decides whose
act counts: where somebody was faster, the act is done again on what is there now. So nothing is
half-written, and an act that was killed has never been.

How to change this: whatever an act changes must lie in `_HELD`, or it is not pushed.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from . import digests, embedded, files, remote
from .console import say
from .errors import WorldError
from .settings import Settings

Answer = TypeVar("Answer")

BRANCH = "registry"
_HELD = (embedded.DATABASE, embedded.ARTIFACTS, "README.md", ".gitattributes")
_NOWHERE = Path("/registry").absolute()
"""Where the pushed database says that its artifacts lie: no machine's own path."""
_TRIES = 5
_MOST = 300_000_000
"""Bytes; every reader fetches them, and a forge complains of repositories that are much larger."""
_README = """The registry of {name}: MLflow's database, and the models that it names.

Read it with `nox -s history -- --registry branch` or `nox -s ui -- --registry branch`. Promotions
and rollbacks write it; what is changed here by hand, nobody has checked.
"""


def at(settings: Settings, act: Callable[[Settings], Answer], writes: bool = True) -> Answer:
    """Run an act on the registry of the settings; one on the branch is fetched first, and pushed.

    Raises WorldError where the remote cannot be reached, or others are faster each time.
    """
    if not settings.on_branch:
        return act(settings)
    for _ in range(_TRIES):
        commit = remote.fetch(settings, BRANCH, writes)
        with files.scratch_folder(settings.scratch) as folder:
            remote.copy(settings, BRANCH, commit, folder)
            before = _content(folder)
            answer = act(replace(settings, store=folder))
            if not writes or _content(folder) == before or _push(settings, folder):
                return answer
        say(f"{name(settings)}: somebody was faster; doing it again on what is there now")
    raise WorldError(f"{name(settings)}: somebody was faster {_TRIES} times; try again later")


def name(settings: Settings) -> str:
    """Return what outputs call it."""
    return remote.name(settings, BRANCH)


def _content(folder: Path) -> str:
    """Return the digest of what the store holds, wherever it lies."""
    database, artifacts = folder / embedded.DATABASE, folder / embedded.ARTIFACTS
    if not database.exists():
        return ""
    embedded.follow(database, _NOWHERE)
    with closing(sqlite3.connect(database)) as connection:
        rows = list(connection.iterdump())
    files = digests.of_folder(artifacts, links=True) if artifacts.is_dir() else ""
    return digests.of_values([rows, files])


def _push(settings: Settings, folder: Path) -> bool:
    (folder / "README.md").write_text(_README.format(name=settings.name), "utf-8")
    (folder / ".gitattributes").write_text("* -text\n", "utf-8")  # bytes stay what they are
    held = [it for it in _HELD if (folder / it).exists()]
    _check_size([path for it in held for path in (folder / it, *(folder / it).rglob("*"))])
    return remote.push(settings, BRANCH, folder, held, f"Move the registry of {settings.name}")


def _check_size(paths: list[Path]) -> None:
    size = sum(path.stat().st_size for path in paths if path.is_file())
    if size > _MOST:
        raise WorldError(
            f"the branch {BRANCH} would hold {size / 1e6:,.0f} MB, where {_MOST / 1e6:,.0f} MB are "
            "what a repository bears; keep the registry on a server: set MLFLOW_TRACKING_URI"
        )
