"""The model that is asked for: a version, what an alias points to, or the one of this folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from . import data, fetched, registry, signing
from .errors import UsageError
from .foreign import in_words
from .registry import Registry
from .served import Origin
from .settings import NAME, Settings
from .versions import CHAMPION

LOCAL = "local"
"""What the model of this folder is called, where a version has its number."""


class Sought:
    """What is wanted of a registry, looked up as often as one likes."""

    def __init__(self, settings: Settings, wanted: str = CHAMPION) -> None:
        self._settings, self._wanted = settings, wanted
        self._connected: Registry | None = None

    def pointed(self) -> tuple[str, str]:
        """Return the version and the digest of what is wanted now.

        Where nothing was ever promoted, the champion is the model of this folder.
        """
        if self._wanted.isdecimal():
            found = self._registry.get(int(self._wanted))
            return str(found.number), found.digest
        aliased = self._registry.aliased(self._wanted)
        if aliased is not None:
            return str(aliased.number), aliased.digest
        if self._wanted != CHAMPION:
            raise UsageError(f"{self._registry.name}: no version has the alias {self._wanted!r}")
        return LOCAL, _digest_here(self._settings.root)

    @contextmanager
    def bytes(self, version: str, digest: str) -> Iterator[tuple[Path, Origin]]:
        """Yield verified bytes, whose code may be run, and where they come from."""
        if version == LOCAL:
            model = self._settings.root / data.MODEL
            with fetched.copied(model, digest, self._settings) as folder:
                made = (model / "MLmodel").stat().st_mtime
                yield folder, Origin(digest, version, NAME, _as_time(made))
            return
        there = self._registry
        found = there.get(int(version))
        with in_words(there.uri):
            began = there.client.get_run(found.run_id).info.start_time / 1000
        with fetched.model(there, found, self._settings) as folder:
            yield folder, Origin(digest, version, NAME, _as_time(began))

    def signature(self, version: str, scratch: Path) -> Path | None:
        """Return a copy of a version's signature below `scratch`, or None where it has none."""
        if version == LOCAL:
            return None
        return signing.fetch(self._registry, self._registry.get(int(version)), scratch)

    @property
    def _registry(self) -> Registry:
        if self._connected is None:
            self._connected = registry.connect(self._settings)
        return self._connected


def _digest_here(root: Path) -> str:
    try:
        return str(json.loads((root / data.METRICS).read_text("utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            "there is no model yet: run `nox -s train`, and `nox -s promote` for a champion"
        ) from None


def _as_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
