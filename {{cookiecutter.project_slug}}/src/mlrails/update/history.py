"""The bare bakes of the past: each update's merge commit has one as its second parent."""

from ..core.errors import UsageError
from .origin import FILE, Origin, parse
from .repository import Repository, output

TITLE, MIGRATED = "Bare bake of the template", "The base, migrated"


def title(origin: Origin) -> str:
    """Return the message of a bare bake's commit."""
    return f"{TITLE}: version {origin.version}"


def bare_bake(repository: Repository, origin: Origin) -> str | None:
    """Return the bare bake that the project's last update has merged; None where none is there.

    After a squash, or answers changed by hand, none fits, and the old version is baked anew.
    """
    for commit in _bare_bakes(repository):
        text = repository.text(commit, FILE)
        try:
            if text is not None and parse(text).is_same(origin):
                return commit
        except UsageError:  # Somebody else's commit with such a title.
            continue
    return None


def _bare_bakes(repository: Repository) -> list[str]:
    """Return the commits of bare bakes, the latest first.

    A rebase over an update's merge puts commits of that title onto the user's own: those hold the
    user's files too, and an update from them would take the user's edits back.
    """
    head = repository.head
    own = set(output(repository.root, "rev-list", "--first-parent", head).split())
    titled = (f"--grep=^{title}" for title in (TITLE, MIGRATED))
    words = ("log", "--no-show-signature", "--basic-regexp", "--topo-order", "--reverse", *titled)
    bare: dict[str, str] = {}
    for line in output(repository.root, *words, "--format=%H:%P:%s", head).splitlines():
        commit, parents, subject = line.split(":", 2)
        if commit not in own and bare.keys() >= set(parents.split()):
            bare[commit] = subject
    return [commit for commit, subject in bare.items() if subject.startswith(TITLE)][::-1]
