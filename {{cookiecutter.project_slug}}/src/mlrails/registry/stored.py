"""What the project's own store says of its champion, read without MLflow.

To import that takes longer than all else that an unchanged model asks for. Only what leaves nothing
to do is told; whatever is otherwise is for who asks MLflow, and says it in words.
"""

from ..core import hashing
from ..core.errors import WorldError
from ..core.settings import Settings
from ..tracking import embedded, store
from . import signing
from .ledger import experiment_of
from .versions import CHAMPION, Registry


def registry(settings: Settings) -> Registry:
    """Return the project's own registry by its name alone: there is nobody to ask it of."""
    return Registry(None, store.address(settings), settings.name, root=settings.root)


def is_champion(settings: Settings, digest: str) -> bool:
    """Tell whether the project's own store holds a model as its champion, and all is said of it.

    Not where it is the branch's or a server's, where models are signed, where a move was cut short,
    where another version has the digest too or a commit may still be told of this one, and where
    the bytes that lie there are others.
    """
    if settings.on_branch or not store.is_embedded(settings):
        return False
    if settings.signing_key or signing.public_key(settings.root):
        return False
    folder, name = settings.store_folder, settings.name
    found = embedded.versions_of(folder, name, digest)
    if len(found) != 1 or embedded.is_running(folder, experiment_of(name)):
        return False
    (version,) = found
    return (
        embedded.aliased(folder, name, CHAMPION) == version.number
        and not version.is_dirty
        and _holds(version, digest)
    )


def _holds(version: embedded.Stored, digest: str) -> bool:
    try:
        return version.folder is not None and hashing.of_folder(version.folder) == digest
    except (WorldError, OSError):
        return False
