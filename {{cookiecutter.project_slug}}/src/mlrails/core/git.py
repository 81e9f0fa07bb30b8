"""Git, started in one way; who acts, as it knows them, and the state of the code that they act on.

Code and inputs are compared with the commit on an index of their own, and git's is left alone.
"""

import base64
import getpass
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError, WorldError
from .layout import CODE
from .settings import Settings

_OF_ANOTHER_FOLDER = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
}
"""Git sets them for its hooks; a command for another folder would work on the hook's."""

_OURS = ("-c", f"core.hooksPath={os.devnull}", "-c", "commit.gpgsign=false")
"""What the engine does runs no hook of a person's, and asks for no signature of theirs.

Whoever has them for all their repositories, or in git's template of new ones, has them in its
copies too. In a person's own repository it commits nothing: that is theirs, and so are their hooks.
"""
_TRUSTED = "safe.directory"
"""The setting that git names, in every language, where a repository is another user's."""
_ADVICE = ("hint:", "warning:")
_LARGEST_DIFF = 1_000_000
_PLAIN = (
    *("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
"""A diff that can be applied, whatever the user likes to look at."""


@dataclass(frozen=True)
class Revision:
    """The commit, and what differs from it of all that a model is made of.

    Only that is dirt: a log file that lies about, or a changed page, makes no other model.
    """

    commit: str | None
    dirty: bool
    diff: str


def environment() -> dict[str, str]:
    """Return the environment without what would point git to another folder."""
    return {name: it for name, it in os.environ.items() if name not in _OF_ANOTHER_FOLDER}


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder.

    Raises WorldError where there is no git, or where it leaves the folder alone because that
    belongs to another user.
    """
    done = _run(folder, arguments, variables)
    # Not as text: a line that ends in two characters has to keep both.
    out, err = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def check(folder: Path, *arguments: str, remedy: str = "", **variables: str) -> str:
    """Run git in a folder and return what it prints.

    Raises WorldError with the reason that git gives, and with a remedy where one is known.
    """
    done = run(folder, *arguments, **variables)
    if done.returncode:
        raise WorldError(_failure(folder, arguments, done.stderr) + (remedy and f"; {remedy}"))
    return done.stdout


def reason(said: str) -> str:
    """Return the first line that is no advice: it has the cause, and the last one repeats it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    causes = [line for line in lines if not line.lower().startswith(_ADVICE)]
    return (causes or lines or ["it does not say why"])[0]


def _failure(folder: Path, arguments: Sequence[str], said: str) -> str:
    verb = next(it for it in arguments if not it.startswith("-") and "=" not in it)
    return f"git {verb} failed in {folder}: {reason(said):.200}"


def with_token(token: str) -> dict[str, str]:
    """Return git's variables for a token of a job; never an argument, which others could read."""
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {secret}",
    }


def paths(folder: Path, *arguments: str) -> list[str]:
    """Return the names of files that a git command lists with -z, whatever their encoding.

    Raises WorldError where git fails.
    """
    done = _run(folder, arguments, {})
    if done.returncode:
        raise WorldError(_failure(folder, arguments, done.stderr.decode("utf-8", "replace")))
    # As the system names files: what is not UTF-8, or not here, would be another name.
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def files(folder: Path) -> list[str]:
    """Return the names of the files below a folder that git knows or would add."""
    return paths(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")


def _run(
    folder: Path, arguments: Sequence[str], variables: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "--no-optional-locks", *_OURS, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, env={**environment(), **variables}
        )
    except FileNotFoundError:
        raise WorldError("git is not installed; install it (https://git-scm.com)") from None
    if done.returncode and _TRUSTED in (said := done.stderr.decode("utf-8", "replace")):
        raise WorldError(_of_another_user(said))
    return done


def _of_another_user(said: str) -> str:
    """Return git's reason and its remedy, of which it says nothing more where it is used."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reason = lines[0].partition(": ")[2] or lines[0]
    remedy = next(line for line in lines if _TRUSTED in line)
    return (
        f"git: {reason}, which belongs to another user; if you trust what is in it, run "
        f"`{remedy}`, then the same command again"
    )


def top(root: Path) -> Path:
    """Return the top of the repository; raises WorldError or UsageError where there is none."""
    found = run(root, "rev-parse", "--show-toplevel")
    if found.returncode:
        raise UsageError(f"{root}: not a git repository; run `git init` in it, then try again")
    return Path(found.stdout.strip())


def head(root: Path) -> str | None:
    """Return the commit that is checked out; None before the first one."""
    return run(root, "rev-parse", "--verify", "--quiet", "HEAD").stdout.strip() or None


def branch(root: Path) -> str:
    """Return the branch that is checked out, empty on none."""
    return run(root, "symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip()


def actor(settings: Settings) -> str:
    """Return who acts: as the forge says, else as git knows them, else as they logged in."""
    known = (
        settings.actor or run(settings.root, "var", "GIT_AUTHOR_IDENT").stdout.partition(" <")[0]
    )
    try:
        return known or getpass.getuser()
    except (OSError, KeyError):  # A user without a name, as in some containers.
        return "unknown"


def shared_clone(folder: Path, target: Path) -> Path:
    """Clone the repository around a folder, and share its objects; no file is checked out.

    Returns where the folder would lie in the clone.
    """
    there = check(folder, "rev-parse", "--show-prefix").strip()
    whole = str(top(folder))
    check(folder, "clone", "--quiet", "--shared", "--no-checkout", whole, str(target.absolute()))
    return target / there


def is_dirty(root: Path, inputs: Iterable[str]) -> bool:
    """Tell whether the code or an input of the stages differs from the commit."""
    compared = _Comparison(root, inputs)
    return compared.may_differ() and compared.differs()


def revision(root: Path, inputs: Iterable[str]) -> Revision:
    """Return the commit that the folder stands on, and how the code and the inputs differ.

    `inputs` are the files beside the code that a model is made of, relative to the folder. Raises
    UsageError where there is no repository.
    """
    compared = _Comparison(root, inputs)
    diff = compared.diff() if compared.may_differ() else ""
    return Revision(compared.commit, bool(diff), diff)


class _Comparison:
    """The commit against the files that lie here, without touching git's index."""

    def __init__(self, root: Path, inputs: Iterable[str]) -> None:
        self._root, here, around = root, root.resolve(), top(root)
        # Of what lies outside of the repository, git cannot tell.
        known = sorted(
            it for it in inputs if Path(os.path.normpath(here / it)).is_relative_to(around)
        )
        literally = [f":(literal){name}" for name in known]
        self._known, self._new = [*literally, CODE], [*literally, f":(glob){CODE}/**/*.py"]
        self.commit = head(root)

    def may_differ(self) -> bool:
        """Tell whether git's own index, which is quick, sees a difference."""
        status = ("status", "--porcelain", "--untracked-files=normal", "--", *self._known)
        return bool(run(self._root, *status).stdout)

    def differs(self) -> bool:
        """Tell whether there is a difference; git stops at the first one."""
        with self._index() as (before, index):
            quiet = ("diff", "--quiet", "--no-ext-diff", before, "--", *self._known)
            return run(self._root, *quiet, **index).returncode != 0

    def diff(self) -> str:
        """Return the difference as a patch; a very large one is cut."""
        with self._index() as (before, index):
            diff = run(self._root, "diff", *_PLAIN, before, "--", *self._known, **index).stdout
        if len(diff) > _LARGEST_DIFF:
            cut = f"[cut after {_LARGEST_DIFF:,} of {len(diff):,} characters]"
            return f"{diff[:_LARGEST_DIFF]}\n{cut}\n"
        return diff

    @contextmanager
    def _index(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield what is compared with, and an index of it that knows of the new files too."""
        root = self._root
        with tempfile.TemporaryDirectory() as folder:
            index, listed = {"GIT_INDEX_FILE": str(Path(folder, "index"))}, Path(folder, "new")
            nothing = ("hash-object", "-t", "tree", os.devnull)
            before = self.commit or run(root, *nothing).stdout.strip()
            run(root, "read-tree", self.commit or "--empty", **index)
            others = ("ls-files", "-z", "--others", "--exclude-standard", "--", *self._new)
            listed.write_text(run(root, *others, **index).stdout, "utf-8")
            named = ("--pathspec-file-nul", f"--pathspec-from-file={listed}")
            run(root, "--literal-pathspecs", "add", "--intent-to-add", *named, **index)
            yield before, index
