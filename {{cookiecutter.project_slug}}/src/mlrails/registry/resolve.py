"""The model that is asked for: a version, what an alias points to, or the one of this folder."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core import dvc_lock, layout
from ..core.errors import UsageError, WorldError
from ..core.settings import Settings
from ..modeling.checked_copy import Copy
from ..modeling.loading import ModelOrigin
from ..tracking import store
from ..tracking.client import READ, in_words, needed
from . import download, git_branch, lock, signing, versions
from .ledger import Ledger
from .versions import CHAMPION, FOLDER, LOCAL, Registry


class Resolver:
    """What is wanted of a registry, looked up as often as one likes."""

    def __init__(self, settings: Settings, wanted: str = CHAMPION) -> None:
        self._settings, self._wanted = settings, wanted
        self._connected: Registry | None = None

    def pointed(self) -> tuple[str, str]:
        """Return the version and the digest of what is wanted now.

        Where the project's own registry was never used, the champion is the model of this folder;
        raises WorldError where there is none and it was, or another registry is asked.
        """
        if self._wanted == FOLDER:
            return LOCAL, _digest_here(self._settings.root)
        if self._wanted.isdecimal():
            found = self._registry.get(int(self._wanted))
            return str(found.number), found.digest
        aliased = self._registry.aliased(self._wanted)
        if aliased is not None:
            return str(aliased.number), aliased.digest
        there = self._registry
        if self._wanted != CHAMPION:
            known = ", ".join(sorted(there.aliases())) or "none yet"
            raise UsageError(
                f"{there.name}: no version has the alias {self._wanted!r}; there are: {known}"
            )
        if why := next(_used(there, self._settings), None):
            raise WorldError(
                f"{there.name}: there is no champion ({why}); `nox -s promote` makes one, "
                "`nox -s rollback -- VERSION` brings one back, and --local takes the model of this "
                "folder, which no gate has let pass"
            )
        return LOCAL, _digest_here(self._settings.root)

    def named(self, version: str, digest: str) -> str:
        """Return what outputs call a model: which one, and from where."""
        if version != LOCAL:
            return f"version {version} ({digest[:12]}) of {self._registry.name}"
        why = "as --local says"
        if self._wanted != FOLDER:
            why = f"nothing was ever promoted in {self._registry.name}"
        return f"version {LOCAL} ({digest[:12]}) of this folder, which no gate has let pass ({why})"

    @contextmanager
    def bytes(self, version: str, digest: str) -> Iterator[tuple[Copy, ModelOrigin]]:
        """Yield verified bytes, whose code may be run, and where they come from."""
        if version == LOCAL:
            model = self._settings.root / layout.MODEL
            with download.copied(model, digest, self._settings.scratch) as folder:
                made = (model / "MLmodel").stat().st_mtime
                yield folder, ModelOrigin(digest, version, self._settings.name, _as_time(made))
            return
        there = self._registry
        found = there.get(int(version))
        with in_words(there.uri, needed(READ, "experiment", there.model)):
            began = there.client.get_run(found.run_id).info.start_time / 1000
        with download.model(there, found) as folder:
            yield folder, ModelOrigin(digest, version, self._settings.name, _as_time(began))

    def signature(self, version: str, scratch: Path) -> Path | None:
        """Return a copy of a version's signature below `scratch`, or None where it has none."""
        if version == LOCAL:
            return None
        return signing.fetch(self._registry, self._registry.get(int(version)), scratch)

    def figures(self, version: str, scratch: Path) -> Mapping[str, Any] | None:
        """Return what was found when a version was evaluated; None where nobody has kept it."""
        if version == LOCAL:
            return layout.figures(self._settings.root)
        run_id = self._registry.get(int(version)).run_id
        kept = signing.fetch_artifact(self._registry, run_id, layout.METRICS.as_posix(), scratch)
        return json.loads(kept.read_text("utf-8")) if kept else None

    @property
    def _registry(self) -> Registry:
        if self._connected is None:
            self._connected = versions.connect_to_read(self._settings)
        return self._connected


def _used(there: Registry, settings: Settings) -> Iterator[str]:
    """Yield why a registry without a champion may not give way to the folder's own model.

    A lost alias, an empty registry and a mistyped address look alike: only a project that has never
    had a registry has none to lose.
    """
    if numbers := [str(version.number) for version in there.versions()]:
        yield f"no version has the alias {CHAMPION!r}; there are: {', '.join(numbers)}"
    if there.exists():
        yield f"its model {there.model!r} has no version"
    if Ledger(there.client, settings).entries():
        yield "its ledger tells of champions, whose versions are gone"
    elif used := lock.taken_before(there):
        yield f"it is new, and {used.name} tells of another one in its place"
    if settings.on_branch or not store.is_embedded(settings):
        yield f"it holds no model {there.model!r}"
    if settings.server_named and settings.tracking_uri is None:
        yield "MLFLOW_TRACKING_URI names another registry, which was not asked"
    if signing.public_key(settings.root):
        yield f"{signing.PUBLIC_KEY} asks for signatures, which only versions have"
    if git_branch.known(settings, git_branch.BRANCH):
        yield f"this project's registry is the branch {git_branch.BRANCH}: say --registry branch"


def _digest_here(root: Path) -> str:
    try:
        digest: str = layout.figures(root)["digest"]
    except UsageError:
        raise UsageError(
            "there is no model yet: run `nox -s train`, and `nox -s promote` for a champion"
        ) from None
    dvc_lock.verify_model(root, digest)
    return digest


def _as_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
