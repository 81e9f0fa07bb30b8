"""Many files of a project replaced as one: after a kill all of them are old, or all are new.

How to change this: everything is laid out in full below `.dvc/tmp/adopt` first. The journal that is
written then is the moment at which it counts; before it nothing has happened, and after it whoever
comes next (`finish`, at the start of every verb) carries on with it. Each step may be done twice.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...core import files, git, hashing
from ...core.errors import UsageError, WorldError
from ...core.settings import scratch_of
from . import JOURNAL

_LOCK = "adopt.lock"
_SHOWN = 5


@dataclass(frozen=True)
class Change:
    """What becomes of one file of the project: other bytes, or none."""

    name: str
    before: str | None
    """The sha256 of what stands there until then; None where nothing does."""
    after: str | None


@dataclass(frozen=True)
class _Journal:
    changes: Sequence[Change]
    tracked: Sequence[str] = field(default_factory=list)
    """Data that DVC is to keep."""


def must_be_clean(root: Path) -> None:
    """Raise UsageError where git could not take everything back."""
    if git.head(root) is None:
        raise UsageError(
            f"{root}: nothing is committed here, so git could not take an adoption back; commit "
            "the project first, or say --dirty"
        )
    words = ("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--", ".")
    if names := [line[3:] for line in git.paths(root, *words)]:
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        raise UsageError(
            f"{shown}: not committed; commit or stash, then adopt, or say --dirty to have both in "
            "one diff: nothing has been changed"
        )


def apply(
    root: Path,
    texts: Mapping[str, str | None],
    copies: Mapping[str, Path],
    tracked: Sequence[str],
) -> None:
    """Write texts (None takes a file away), copy files of data to their places, and track data.

    Raises WorldError where another adoption works here; before the first file is replaced, whatever
    fails has changed nothing.
    """
    with _alone(root):
        home = _home(root)
        try:
            for name, text in texts.items():
                if text is not None:
                    _stage(home, name).write_text(text, "utf-8", newline="\n")
            for name, path in copies.items():
                shutil.copyfile(path, _stage(home, name))
            changes = [_change(root, home, name) for name in (*copies, *texts)]
            journal = json.dumps(asdict(_Journal(changes, [*tracked])))
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        files.write_text(journal, root / JOURNAL)
        _carry_on(root)


def finish(root: Path) -> bool:
    """Carry on with an adoption that was killed halfway; tell whether there was one.

    Raises UsageError where a file of it was changed since, WorldError where it still goes on.
    """
    if not (root / JOURNAL).is_file():
        return False
    with _alone(root):
        if (root / JOURNAL).is_file():
            _carry_on(root)
    return True


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        with FileLock(scratch_of(root) / _LOCK, timeout=0):
            yield
    except Timeout:
        raise WorldError(
            f"{root}: an adoption works here; wait for its end, then run the same command again"
        ) from None


def _home(root: Path) -> Path:
    """Return an empty folder to lay everything out in; what a kill has left there goes."""
    home = (root / JOURNAL).parent
    if (root / JOURNAL).is_file():
        _carry_on(root)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    return home


def _stage(home: Path, name: str) -> Path:
    path = home / "files" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _change(root: Path, home: Path, name: str) -> Change:
    return Change(name, _digest(root / name), _digest(home / "files" / name))


def _digest(path: Path) -> str | None:
    return hashing.of_file(path) if path.is_file() else None


def _carry_on(root: Path) -> None:
    journal = root / JOURNAL
    told = json.loads(journal.read_text("utf-8"))
    changes = [Change(**it) for it in told["changes"]]
    _must_be_ours(root, changes)
    for it in changes:
        target, staged = root / it.name, journal.parent / "files" / it.name
        if it.after is None:
            target.unlink(missing_ok=True)
        elif staged.is_file():  # Else it is in its place already.
            target.parent.mkdir(parents=True, exist_ok=True)
            files.replace_file(staged, target)
    for name in told["tracked"]:
        _track(root, name)
    journal.unlink()
    shutil.rmtree(journal.parent, ignore_errors=True)


def _must_be_ours(root: Path, changes: Sequence[Change]) -> None:
    """Raise UsageError where a file is neither as it was nor as it is to be."""
    for it in changes:
        if _digest(root / it.name) not in {it.before, it.after}:
            raise UsageError(
                f"{it.name}: was changed after an adoption had been killed halfway, which is not "
                f"done with it; move your version away (`git stash push -- {it.name}` does), then "
                "run the same command again"
            )


def _track(root: Path, name: str) -> None:
    """Let DVC keep a file of data, which git then leaves out."""
    from ...pipeline import dvc

    if code := dvc.run(root, "add", "--quiet", name):
        raise WorldError(
            f"{name}: DVC does not take it (exit code {code}); see above, mend it, then run the "
            "same command again: everything else is written"
        )


def is_kept(root: Path, name: str) -> bool:
    """Tell whether git or DVC knows a file of data already."""
    if (root / f"{name}.dvc").is_file():
        return True
    with suppress(WorldError):
        return bool(git.paths(root, "ls-files", "-z", "--", f":(literal){name}"))
    return False
