"""An update from its first question to the merge that it leaves."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.console import say, warn
from ..core.errors import UsageError, WorldError
from . import history, merge, migrate, origin, template
from .bake import bake, fitting, sign
from .changes import numbers, to_do
from .engine import ENGINE
from .guess import package_of
from .origin import FILE, Origin
from .repository import Repository
from .template import Checkout, Template


def eject(root: Path) -> None:
    """Make the engine the user's own: from now on updates merge it like any other file."""
    found = origin.read(root)
    (root / FILE).write_bytes(replace(found, engine="yours").text().encode("utf-8"))
    say(
        f"{ENGINE} is yours now: updates merge it line by line, and its conflicts are yours to "
        f"resolve. Commit {FILE} to keep it so."
    )


def update(root: Path, to: str | None, base: Path | None) -> None:
    """Merge a newer version of the template into the project, and leave the merge to be committed.

    Raises UsageError for what the user has to mend first, WorldError where a version cannot be had;
    in both cases nothing has been changed.
    """
    repository = Repository.of(root)
    with _alone(repository):
        _update(repository, to, base)


@contextmanager
def _alone(repository: Repository) -> Iterator[None]:
    """Let no other update work here meanwhile: it would put the tree back under this one."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(repository.own / "update.lock", timeout=0):
            yield
    except Timeout:
        raise WorldError(
            f"{repository.root}: another update works here; wait for its end, then look at what "
            "it has made: nothing has been changed"
        ) from None


def _update(repository: Repository, to: str | None, base: Path | None) -> None:
    merge.recover(repository)
    merge.must_be_free(repository)
    old = _origin(repository)
    with tempfile.TemporaryDirectory(prefix="update-") as scratch:
        job = _Job(repository, old, Path(scratch), base)
        found, new = job.wanted(to)
        if new is None:
            say(f"up to date: {old.name} is the newest")
            return
        if done := job.merge(found, new):
            _tell(repository, old, *done, new)
        else:
            say(f"up to date: version {new.version} bakes to what {old.name} did")


def _origin(repository: Repository) -> Origin:
    """Return where the project came from, under the package's name of today."""
    found = origin.read(repository.root)
    if repository.text("HEAD", FILE) is None:
        raise UsageError(f"{FILE}: not committed; `git add {FILE}`, commit it, then update")
    told = found.answers.get("package_name", "")
    now = package_of(repository.root)
    if told and now and now != told and not repository.names("HEAD", f"src/{told}/"):
        say(f"the package {told} is called {now} here, so the template's is called so too")
        return replace(found, answers={**found.answers, "package_name": now})
    return found


@dataclass(frozen=True)
class _Job:
    repository: Repository
    old: Origin
    scratch: Path
    base: Path | None

    def wanted(self, to: str | None) -> tuple[Template, Checkout | None]:
        """Return the template and the version to update to; none where there is nothing newer."""
        into = self.scratch / "new"
        if to and template.path_of(to).is_dir():
            found = template.of_folder(template.path_of(to).absolute())
            return found, found.as_it_stands(into)
        found = template.of_address(self.old.template, self.repository)
        if to:
            if (commit := found.commit(to)) is None:
                raise UsageError(
                    f"--to {to!r}: neither a folder here nor a revision of the template "
                    f"{found.address}; its newest release is {found.newest() or 'not there yet'}"
                )
            return found, found.checkout(commit, into)
        commit = found.commit(found.newest())
        new = found.checkout(commit, into) if commit else found.as_it_stands(into)
        return found, None if self._is_known(found, new) else new

    def _is_known(self, found: Template, new: Checkout) -> bool:
        """Tell whether the project came from that version or a later one."""
        if new.revision is None:
            return False
        ours = found.commit(self.old.revision)
        if ours:
            return found.is_ancestor(new.revision, ours)
        return numbers(new.version) <= numbers(self.old.version)

    def _must_not_be_older(self, found: Template, new: Checkout) -> None:
        """Raise UsageError for a version before the one that the project has."""
        ours = found.commit(self.old.revision)
        if ours and new.revision:
            is_older = ours != new.revision and found.is_ancestor(new.revision, ours)
        else:
            is_older = numbers(new.version) < numbers(self.old.version)
        if is_older:
            raise UsageError(f"version {new.version} is older than yours; {migrate.GOING_BACK}")

    def merge(self, found: Template, new: Checkout) -> tuple[merge.Merged, str] | None:
        """Bake both versions and merge them into the project; return that, and the new version.

        Where both bake to the same files there is nothing to merge.
        """
        repository, old, head = self.repository, self.old, self.repository.head
        answers = fitting(new, old)
        say(f"baking version {new.version} of the template {found.address}")
        base = self._last_bake(head) or self._old_bake(found)
        if not old.is_ejected and (edited := repository.differing(base, head, f"{ENGINE}/")):
            raise UsageError(_edited(edited))
        baked = bake(new, answers, self.scratch / "theirs")
        made = sign(baked, new, old, old.template or found.address)
        theirs = repository.tree(baked)
        if not repository.differing(base, theirs):
            return None
        pending = migrate.pending(repository, base, theirs)
        self._must_not_be_older(found, new)
        title = f"Update the template to version {made.version}"
        ours = head + "^{tree}"
        if pending:
            ours, base = self._migrated(pending, baked, head, base)
        commit = repository.commit(theirs, history.title(made), base)
        sides = merge.Sides(head, base, commit, repository.name_of(ours), title)
        return merge.merge(repository, sides), made.version

    def _last_bake(self, head: str) -> str | None:
        """Return the bare bake of the last update, with the project's own word of its origin.

        An address that was mended since is no change that the new version could conflict with.
        """
        if (found := history.bare_bake(self.repository, self.old)) is None:
            return None
        tree = self.repository.with_file(found, head, FILE)
        if not self.repository.differing(found, tree):
            return found
        return self.repository.commit(tree, history.title(self.old), found)

    def _old_bake(self, found: Template) -> str:
        """Bake the version that the project came from, as a commit."""
        old = self.old
        checkout = self._old_checkout(found)
        answers = {name: it for name, it in old.answers.items() if name in checkout.questions}
        baked = bake(checkout, answers, self.scratch / "base")
        # Whatever was written there by hand: the new version's word replaces it.
        text = self.repository.text("HEAD", FILE) or ""
        (baked / FILE).write_bytes(text.encode("utf-8"))
        return self.repository.commit(self.repository.tree(baked), history.title(old))

    def _old_checkout(self, found: Template) -> Checkout:
        into = self.scratch / "old"
        if self.base is not None:
            return template.of_folder(template.path_of(str(self.base)).absolute()).as_it_stands(
                into
            )
        for place in self._places(found):
            released = None if self.old.version == origin.BEFORE_VERSIONS else self.old.version
            for name in (self.old.revision, None if self.old.revision else released):
                if commit := place.commit(name):
                    return place.checkout(commit, into)
        raise WorldError(
            f"{self.old.name}, which this project came from, is not in {found.address}; give a "
            "clone of the template that has it (`--to PATH`), or the folder of that version "
            "(`--from PATH`)"
        )

    def _places(self, found: Template) -> Iterator[Template]:
        """Yield what was found; the recorded address is asked after that alone."""
        yield found
        with suppress(UsageError, WorldError):
            yield template.of_address(self.old.template, self.repository)

    def _migrated(self, pending: list[str], baked: Path, head: str, base: str) -> tuple[str, str]:
        """Run migrations on the user's files and on the old bake alike; return tree and commit.

        So what a migration does is no difference between the two, and never a conflict.
        """
        repository, package = self.repository, self.old.answers.get("package_name")
        if not package:
            raise UsageError(
                f"{FILE}: 'answers' has no package_name, the folder of your package below src, "
                "which this update needs; write it there, commit, and update again"
            )
        sides = {name: repository.export(name, self.scratch / name) for name in (head, base)}
        migrate.run(baked, pending, list(sides.values()), package)
        ours = repository.with_project(head, sides[head])
        moved = repository.commit(repository.tree(sides[base], base), history.MIGRATED, base)
        return ours, moved


def _edited(names: list[str]) -> str:
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return (
        f"{ENGINE} was edited: {shown}. An update replaces it as a whole: move the change to your "
        "own package, or make the engine your own for good with `nox -s update -- --eject`; "
        "nothing has been changed"
    )


def _tell(
    repository: Repository, old: Origin, merged: merge.Merged, version: str, new: Checkout
) -> None:
    """Say what has become of it, and what is next."""
    say(f"{old.name} → {version}, as a merge that is not committed yet")
    for name in merged.deleted:
        say(f"  stays deleted, as you have deleted it: {name}")
    for name in merged.locks:
        say(f"  run `nox -s lock`, then `git add {name}`: both sides have changed it")
    for name in merged.conflicts:
        say(f"  conflict: {name}")
    if carried := repository.differing_from_index(f"{ENGINE}/"):
        kept = f"your changes of the engine were kept: {', '.join(carried)}"
        (say if old.is_ejected else warn)(kept)
    if told := to_do(new.changelog, old.version, version):
        say(f"\nWhat to do:\n{told}\n")
    first = "resolve the conflicts, `git add` them, " if merged.conflicts or merged.locks else ""
    say(
        f"next: {first}run `nox -s tests`, and `git commit`. `git merge --abort` takes it all back."
    )
