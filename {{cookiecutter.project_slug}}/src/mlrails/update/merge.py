"""The merge itself: prepared without touching the tree, done by git, and undone after a kill.

To change this: everything before `_apply` writes objects and refs below `refs/mlrails/` alone. From
there on a journal in .git says what was begun, so that the next call can put the tree back. When
the journal is gone, what is left is an ordinary merge of git's.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from ..core.console import say
from ..core.errors import UsageError, WorldError
from ..core.files import write_text
from .repository import Repository, output, own_index, run

_BUSY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
_GRAFTS, _KILLED = "refs/mlrails/replace/", "refs/mlrails/killed"
_JOURNAL, _LOCK = "update.json", "index.lock"
_SETTINGS = {
    "core.useReplaceRefs": "true",
    "merge.renames": "true",
    "merge.directoryRenames": "false",  # A file of the user's stays where they have put it.
    "merge.renameLimit": "20000",
}
_WORDS = ("merge", "--no-ff", "--no-commit", "--no-verify-signatures", "--no-autostash")
_PATIENCE = 5.0
"""Seconds in which a git that outlives its caller has come to its end."""


@dataclass(frozen=True)
class Sides:
    """What is merged: commits of the old and the new bare bake, and the user's, each migrated."""

    head: str
    base: str
    theirs: str
    ours: str
    """The tree of `head`, after the migrations."""
    title: str


@dataclass(frozen=True)
class Merged:
    """What git has made of it; names of files from the repository's top on."""

    conflicts: Sequence[str]
    deleted: Sequence[str]
    """What the user has deleted and the template has changed: it stays deleted."""
    locks: Sequence[str]
    """Locks that both sides have changed: they hold the template's, and are to be made anew."""


@dataclass(frozen=True)
class _Journal:
    head: str
    theirs: str
    made: Sequence[str] = field(default_factory=list)
    """Files that were not there before, committed or not."""


def recover(repository: Repository) -> None:
    """Put the tree back where an update was killed halfway; keep what stood there as a commit."""
    path = repository.own / _JOURNAL
    if not path.is_file():
        return
    journal = _read(path)
    if journal and _in_progress(repository, journal):
        _settle(repository)
    elif journal and repository.head == journal.head:
        is_kept = _write_down(repository, journal.made)
        _put_back(repository, journal)
        say("the last update was killed halfway; the project is as it was before it")
        if is_kept:
            say(
                f"what stood here is kept as {_KILLED}; had you worked on after the kill, then "
                f"`git checkout {_KILLED} -- .` brings that back"
            )
    _forget(repository)


def _read(path: Path) -> _Journal | None:
    """Read the journal; None where it is none, as then nothing was begun."""
    try:
        journal = _Journal(**json.loads(path.read_text("utf-8")))
        named = (journal.head, journal.theirs, *journal.made)
    except (TypeError, ValueError):
        return None
    return journal if all(isinstance(it, str) for it in named) else None


def must_be_free(repository: Repository) -> None:
    """Raise UsageError where a change is not committed, or git has something else to finish."""
    for name in _BUSY:
        if repository.private(name).exists():
            what = name.removesuffix("_HEAD").replace("_", "-").lower()
            raise UsageError(
                f"a {what} is in progress here; finish it, or take it back (`git merge --abort` "
                "and its like), then update"
            )
    if names := repository.uncommitted():
        raise UsageError(
            f"{_shown(names)}: not committed; commit or stash, then update: nothing has been "
            "changed"
        )


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def merge(repository: Repository, sides: Sides) -> Merged:
    """Merge in the user's tree, and leave the merge to be committed or aborted.

    Raises WorldError where git refuses; the tree is then as it was.
    """
    top, ours = repository.top, _tree(repository, sides.head)
    changed = {*repository.differing(sides.base, sides.theirs)}
    changed |= {*repository.differing(ours, sides.ours)}
    _must_be_known(repository, sides, changed)
    made = sorted(name for name in changed if not os.path.lexists(top / name))
    journal = _Journal(sides.head, sides.theirs, made)
    write_text(json.dumps(asdict(journal)), repository.own / _JOURNAL)
    try:
        _apply(repository, sides)
    except WorldError:
        _put_back(repository, journal)
        _forget(repository)
        raise
    merged = _settle(repository)
    _forget(repository)
    return merged


def _must_be_known(repository: Repository, sides: Sides, changed: set[str]) -> None:
    """Raise WorldError where a file that HEAD has not stands where the merge writes one.

    git itself writes over it without a word where it is ignored.
    """
    known, top = repository.everything(sides.head), repository.top
    written = changed & (repository.everything(sides.theirs) | repository.everything(sides.ours))
    places = {str(it) for name in written for it in (name, *PurePosixPath(name).parents)}
    found = sorted(it for it in places - known if _stands(top / it, it in written))
    if found:
        raise WorldError(
            f"{_shown(found)}: not committed, and the update would write over it; move it away or "
            "commit it, then update: nothing has been changed"
        )


def _stands(path: Path, is_written: bool) -> bool:
    """Tell whether something would have to go: a folder may stay where another is to be."""
    if path.is_dir() and not path.is_symlink():
        return is_written and any(not it.is_dir() for it in path.rglob("*"))
    return os.path.lexists(path)


def _tree(repository: Repository, commit: str) -> str:
    return output(repository.root, "rev-parse", commit + "^{tree}")


def _apply(repository: Repository, sides: Sides) -> None:
    """Let git merge, with the base as an ancestor of HEAD, and HEAD's files migrated.

    Both are said by a replacement of HEAD that this one command sees; no history is written anew.
    """
    top = repository.top
    parents = output(top, "rev-parse", f"{sides.head}^@").split()
    graft = repository.commit(sides.ours, sides.title, *parents, sides.base)
    output(top, "update-ref", f"{_GRAFTS}{sides.head}", graft)
    if sides.ours != _tree(repository, sides.head):
        output(top, "read-tree", "-m", "-u", sides.head, sides.ours)
    settings = [word for pair in _SETTINGS.items() for word in ("-c", "=".join(pair))]
    words = (*_WORDS, "-m", sides.title, sides.theirs)
    done = run(top, *settings, *words, GIT_REPLACE_REF_BASE=_GRAFTS)
    if not repository.private("MERGE_HEAD").exists():
        said = " ".join((done.stderr or done.stdout).split())
        raise WorldError(f"git does not merge: {said[:600]}; nothing has been changed")


def _settle(repository: Repository) -> Merged:
    """Decide what needs no person: what the user has deleted stays so, a lock is made anew."""
    top = repository.top
    unmerged = _unmerged(repository)
    deleted = [name for name, state in unmerged.items() if state == "DU"]
    locks = [name for name, state in unmerged.items() if name.endswith(".lock") and state == "UU"]
    if deleted:
        output(top, "rm", "--quiet", "--", *deleted)
    if locks:  # With marks in it a lock is of no use to who makes it anew.
        output(top, "checkout", "--theirs", "--", *locks)
    left = [name for name in unmerged if name not in {*deleted, *locks}]
    return Merged(left, deleted, locks)


def _unmerged(repository: Repository) -> dict[str, str]:
    words = ("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames")
    found = output(repository.top, *words).split("\0")
    states = {line[3:]: line[:2] for line in found if line}
    return {name: it for name, it in states.items() if "U" in it or it in {"AA", "DD"}}


def _in_progress(repository: Repository, journal: _Journal) -> bool:
    """Tell whether git had come to its end: what was killed was its caller alone."""
    path = repository.private("MERGE_HEAD")
    lock = repository.private(_LOCK)
    deadline = time.monotonic() + _PATIENCE
    while lock.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return path.is_file() and path.read_text("utf-8").strip() == journal.theirs


def _put_back(repository: Repository, journal: _Journal) -> None:
    """Make the tree HEAD's again."""
    top = repository.top
    repository.private(_LOCK).unlink(missing_ok=True)
    output(top, "reset", "--quiet", "--hard", journal.head)
    for name in journal.made:
        (top / name).unlink(missing_ok=True)
        for folder in (top / name).parents:
            if folder == top:
                break
            with suppress(OSError):  # Something else is in it.
                folder.rmdir()


def _write_down(repository: Repository, made: Sequence[str]) -> bool:
    """Keep what stands in the tree as a commit, in case the user has worked on after the kill.

    Tells whether anything stands there that HEAD has not.
    """
    top, head = repository.top, repository.head
    there = [name for name in made if (top / name).is_file()]
    with own_index() as index:
        output(top, "read-tree", head, **index)
        output(top, "add", "--update", **index)
        if there:
            output(top, "add", "--force", "--", *there, **index)
        tree = output(top, "write-tree", **index)
    if tree == _tree(repository, head):
        return False
    kept = repository.commit(tree, "What stood here when an update had been killed", head)
    output(top, "update-ref", _KILLED, kept)
    return True


def _forget(repository: Repository) -> None:
    """Remove what only a merge under way needs; the journal last."""
    for ref in output(repository.root, "for-each-ref", "--format=%(refname)", _GRAFTS).split():
        output(repository.root, "update-ref", "-d", ref)
    (repository.own / _JOURNAL).unlink(missing_ok=True)
