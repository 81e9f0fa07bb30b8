"""The registry on a branch of the project's own remote: whoever pushes first counts.

The branch holds what an embedded store holds. An act works on a copy of it and pushes that; git
refuses what does not follow the last push, which is all the locking that there is. Where somebody
was faster, the act is done again on what is there now: nothing is half-written, and an act that was
killed has never been.

How to change this: whatever an act changes must lie in `_HELD`, or it is not pushed.
"""

import re
import sqlite3
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..core import git, hashing
from ..core.console import say, warn
from ..core.errors import OutageError, UsageError, WorldError
from ..core.files import scratch_folder
from ..core.settings import Settings
from ..tracking import embedded
from ..tracking.client import masked

REMOTE = "origin"
_FASTER = re.compile(r"^!.*(\[rejected\]|cannot lock ref|failed to update ref)", re.MULTILINE)
"""What git says of a push that does not follow the last one, or that meets another just then."""
_MISSING = 2
"""What `git ls-remote --exit-code` ends with where the remote answers and has no such branch."""

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

Answer = TypeVar("Answer")


def act_on(settings: Settings, act: Callable[[Settings], Answer], writes: bool = True) -> Answer:
    """Run an act on the registry of the settings; one on the branch is fetched first, and pushed.

    Raises WorldError where the remote cannot be reached, or others are faster each time.
    """
    if not settings.on_branch:
        return act(settings)
    for _ in range(_TRIES):
        commit = fetch(settings, BRANCH, writes)
        with scratch_folder(settings.scratch) as folder:
            copy(settings, BRANCH, commit, folder)
            before = _content(folder)
            answer = act(replace(settings, store=folder))
            if not writes or _content(folder) == before or _push(settings, folder):
                return answer
        say(f"{registry_name(settings)}: somebody was faster; doing it again on what is there now")
    raise WorldError(
        f"{registry_name(settings)}: somebody was faster {_TRIES} times; try again later"
    )


def registry_name(settings: Settings) -> str:
    """Return what outputs call the registry's branch."""
    return remote_name(settings, BRANCH)


def _content(folder: Path) -> str:
    """Return the digest of what the store holds, wherever it lies."""
    database, artifacts = folder / embedded.DATABASE, folder / embedded.ARTIFACTS
    if not database.exists():
        return ""
    embedded.follow(database, _NOWHERE)
    with closing(sqlite3.connect(database)) as connection:
        rows = list(connection.iterdump())
    files = hashing.of_folder(artifacts, links=True) if artifacts.is_dir() else ""
    return hashing.of_values([rows, files])


def _push(settings: Settings, folder: Path) -> bool:
    (folder / "README.md").write_text(_README.format(name=settings.name), "utf-8")
    (folder / ".gitattributes").write_text("* -text\n", "utf-8")  # bytes stay what they are
    held = [it for it in _HELD if (folder / it).exists()]
    _check_size([path for it in held for path in (folder / it, *(folder / it).rglob("*"))])
    return push(settings, BRANCH, folder, held, f"Move the registry of {settings.name}")


def _check_size(paths: list[Path]) -> None:
    size = sum(path.stat().st_size for path in paths if path.is_file())
    if size > _MOST:
        raise WorldError(
            f"the branch {BRANCH} would hold {size / 1e6:,.0f} MB, where {_MOST / 1e6:,.0f} MB are "
            "what a repository bears; keep the registry on a server: set MLFLOW_TRACKING_URI"
        )


def address(settings: Settings) -> str:
    """Return where the remote is; raises UsageError where there is none."""
    found = git.run(settings.root, "remote", "get-url", REMOTE).stdout.strip()
    if not found:
        raise UsageError(
            f"the repository has no remote {REMOTE!r}; add it with `git remote add {REMOTE} "
            "ADDRESS`, or use --registry local and no --tip"
        )
    return found


def remote_name(settings: Settings, branch: str) -> str:
    """Return what outputs call the branch."""
    return f"branch {branch} of {masked(address(settings))}"


def tip(settings: Settings, branch: str) -> str | None:
    """Return the commit of a branch as the remote has it now, or None where it has none.

    Raises OutageError where the remote does not answer.
    """
    asked = _ask(settings, branch)
    if asked.returncode not in {0, _MISSING}:
        raise OutageError(
            f"{remote_name(settings, branch)}: git cannot read it: {_words(asked.stderr)}"
        )
    return asked.stdout.partition("\t")[0] or None


def fetch(settings: Settings, branch: str, writes: bool) -> str | None:
    """Return the branch's commit, fetched, or None where there is none.

    Who only reads is given what was fetched last where the remote does not answer; a job without
    rights has just been given that with its checkout, so what is not there is nowhere: a first push
    has no registry. Raises OutageError for who writes, and elsewhere for what was never fetched.
    """
    tracked, theirs = f"refs/remotes/{REMOTE}/{branch}", f"refs/heads/{branch}"
    asked = _ask(settings, branch)
    if asked.returncode == 0:
        words = ("fetch", "--quiet", "--no-tags", REMOTE, f"+{theirs}:{tracked}")
        done = _with_rights(settings, settings.root, *words)
        if done.returncode:
            raise WorldError(f"git fetch failed: {_words(done.stderr)}")
    elif asked.returncode == _MISSING:
        return None
    found = known(settings, branch)
    if asked.returncode == 0:
        return found
    if writes or (found is None and not settings.in_ci):
        raise OutageError(
            f"{remote_name(settings, branch)}: git cannot read it: {_words(asked.stderr)}"
        )
    warn(
        f"{remote_name(settings, branch)}: git cannot read it; this is how it was when last fetched"
    )
    return found


def known(settings: Settings, branch: str) -> str | None:
    """Return the branch's commit as it was when last fetched; nobody is asked."""
    tracked = f"refs/remotes/{REMOTE}/{branch}"
    found = git.run(settings.root, "rev-parse", "--verify", "--quiet", tracked)
    return found.stdout.strip() or None


def copy(settings: Settings, branch: str, commit: str | None, folder: Path) -> None:
    """Check a commit of the branch out into an empty folder; without one it begins there."""
    git.shared_clone(settings.root, folder)
    if commit:
        as_it_is = ("-c", "core.autocrlf=false")
        git.check(folder, *as_it_is, "checkout", "--quiet", "-B", branch, commit)
    else:
        git.check(folder, "checkout", "--quiet", "--orphan", branch)
        git.check(folder, "read-tree", "--empty")


def push(settings: Settings, branch: str, folder: Path, paths: Sequence[str], message: str) -> bool:
    """Commit some paths of a copy and push them; returns False where somebody was faster.

    Raises WorldError where the remote does not take it for another reason.
    """
    git.check(folder, "add", "--force", "--", *paths)
    who = ["-c", f"user.name={git.actor(settings)}", "-c", "user.email=registry@localhost"]
    commit = ["commit", "--quiet", "--message", message]
    git.check(folder, *who, *commit)
    where = [address(settings), f"HEAD:refs/heads/{branch}"]
    done = _with_rights(settings, folder, "push", "--porcelain", *where)
    if done.returncode and not _FASTER.search(done.stdout):
        raise WorldError(
            f"{remote_name(settings, branch)}: git cannot write it: {_words(done.stderr)}"
        )
    return done.returncode == 0


def _ask(settings: Settings, branch: str) -> subprocess.CompletedProcess[str]:
    address(settings)
    theirs = f"refs/heads/{branch}"
    return _with_rights(settings, settings.root, "ls-remote", "--exit-code", REMOTE, theirs)


def _with_rights(
    settings: Settings, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return git.run(folder, *arguments, **_rights(settings))


def _rights(settings: Settings) -> Mapping[str, str]:
    """Return git's variables for the token of a job, which only the forge is sent."""
    if not settings.token or not address(settings).startswith(f"{settings.server}/"):
        return {"GIT_TERMINAL_PROMPT": "0"}
    return git.with_token(settings.token)


def _words(said: str) -> str:
    """Return git's reason without the passwords of the addresses in it."""
    return masked(git.reason(said))[:200]
