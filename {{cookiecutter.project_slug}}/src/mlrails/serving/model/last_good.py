"""The last model that was served and good, kept for a restart while its registry is away.

It lies in the project's scratch folder, where only its user may look, one for each registry and for
what was wanted of it. Its bytes are checked by their digest, and by the signature where the project
asks for one, before anybody is given them: what lies there is trusted no more than a download.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ...core import files, hashing
from ...core.errors import WorldError
from ...core.settings import Settings
from ...modeling import checked_copy
from ...modeling.loading import ModelOrigin
from ...registry import download, git_branch, signing
from ...tracking import store

_ABOUT, _MODEL, _SIGNATURE = "served.json", "model", "signature.json"


def keep(
    settings: Settings, wanted: str, model: Path, origin: ModelOrigin, signature: Path | None
) -> None:
    """Keep a model that has answered its example, in the place of the one before."""
    place = _place(settings, wanted)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=_home(settings)) as scratch:
        made = Path(scratch) / "made"
        checked_copy.lay(model, made / _MODEL, origin.digest)
        if signature:
            shutil.copyfile(signature, made / _SIGNATURE)
        (made / _ABOUT).write_text(json.dumps(asdict(origin)), "utf-8")
        files.replace_folder(made, place)


def has(settings: Settings, wanted: str, digest: str) -> bool:
    """Tell whether a model is kept already, by its digest."""
    found = _origin(settings, wanted)
    return found is not None and found.digest == digest


@contextmanager
def found(
    settings: Settings, wanted: str
) -> Iterator[tuple[checked_copy.Copy, ModelOrigin] | None]:
    """Yield a checked copy of the model and where it comes from, None where none is kept.

    Raises WorldError where its bytes are others, or lack the signature that is asked for.
    """
    origin = _origin(settings, wanted)
    if origin is None:
        yield None
        return
    place = _place(settings, wanted)
    with download.copied(place / _MODEL, origin.digest, settings.scratch) as model:
        if key := signing.public_key(settings.root):
            name = f"the last good model, version {origin.version},"
            if not (place / _SIGNATURE).is_file():
                raise WorldError(f"{name} is not signed, and {signing.PUBLIC_KEY} asks for it")
            signing.verify(key, model, place / _SIGNATURE, name)
        yield model, origin


def _origin(settings: Settings, wanted: str) -> ModelOrigin | None:
    try:
        told = json.loads((_place(settings, wanted) / _ABOUT).read_text("utf-8"))
        return ModelOrigin(**told)
    except (OSError, ValueError, TypeError):
        return None


def _place(settings: Settings, wanted: str) -> Path:
    """Return the folder of what is wanted of a registry."""
    where = git_branch.BRANCH if settings.on_branch else store.without_user(store.address(settings))
    return _home(settings) / hashing.of_values([where, wanted])[:32]


def _home(settings: Settings) -> Path:
    home = settings.scratch / "last-good"
    home.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and home.stat().st_uid != os.getuid():
        raise WorldError(f"{home}: belongs to another user; remove it")
    return home
