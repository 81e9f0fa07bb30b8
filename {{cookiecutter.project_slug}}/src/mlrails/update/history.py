"""The bare bakes of the past: each update's merge commit has one as its second parent."""

from ..core.errors import UsageError
from .origin import FILE, Origin, parse
from .repository import Repository, output

TITLE = "Bare bake of the template"


def title(origin: Origin) -> str:
    """Return the message of a bare bake's commit."""
    return f"{TITLE}: version {origin.version}"


def bare_bake(repository: Repository, origin: Origin) -> str | None:
    """Return the bare bake that the project's last update has merged; None where none is there.

    After a squash, or answers changed by hand, none fits, and the old version is baked anew.
    """
    words = ("log", "--format=%H", f"--grep=^{TITLE}", repository.head)
    for commit in output(repository.root, *words).split():
        text = repository.text(commit, FILE)
        try:
            if text is not None and parse(text).is_same(origin):
                return commit
        except UsageError:  # Somebody else's commit with such a title.
            continue
    return None
