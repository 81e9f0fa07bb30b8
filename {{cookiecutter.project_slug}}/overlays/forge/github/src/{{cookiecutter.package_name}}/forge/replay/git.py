"""The bare remote: branches, pull requests' refs, and the three ways of merging."""

import tempfile
from pathlib import Path

from ... import git_cli
from ...errors import WorldError

_FORGE = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in {"NAME": "GitHub", "EMAIL": "noreply@github.com"}.items()
}
ZERO = "0" * 40
"""GitHub's name for the commit before the first."""


def git(folder: Path, *arguments: str) -> str:
    """Run git; return what it says, and raise WorldError where it fails."""
    done = git_cli.run(folder, *arguments, **_FORGE)
    if done.returncode:
        raise WorldError(f"git {arguments[0]} in {folder}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def create(remote: Path) -> None:
    """Make an empty remote that serves its clones over HTTP."""
    remote.mkdir(parents=True)
    git(remote, "init", "--quiet", "--bare", "--initial-branch", "main")
    git(remote, "config", "http.receivepack", "true")


def commit(remote: Path, ref: str) -> str:
    """Return the commit that a ref names, or the zeros where it names none."""
    done = git_cli.run(remote, "rev-parse", "--verify", "--quiet", ref + "^{commit}")
    return done.stdout.strip() or ZERO


def show(remote: Path, revision: str, path: str) -> str | None:
    """Return a file as a commit has it, or None."""
    done = git_cli.run(remote, "show", f"{revision}:{path}")
    return None if done.returncode else done.stdout


def listed(remote: Path, revision: str, folder: str) -> list[str]:
    """Return the paths of a folder as a commit has them."""
    names = git(remote, "ls-tree", "--name-only", revision, f"{folder}/")
    return names.splitlines()


def between(remote: Path, old: str, new: str) -> list[str]:
    """Return the commits of `new` that `old` has not, the oldest first."""
    return git(remote, "rev-list", "--reverse", f"{old}..{new}").split()


def merged(remote: Path, base: str, head: str, title: str) -> str:
    """Return a new commit that merges head into base: its first parent is the base."""
    return _commit(remote, _tree(remote, base, head), title, base, head)


def squashed(remote: Path, base: str, head: str, title: str) -> str:
    """Return one new commit on the base with all that head changes."""
    return _commit(remote, _tree(remote, base, head), title, base)


def rebased(remote: Path, base: str, head: str) -> list[str]:
    """Return new commits on the base, one for each of head's."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        git(remote, "worktree", "add", "--quiet", "--detach", str(tree), base)
        try:
            for each in between(remote, base, head):
                git(tree, "cherry-pick", "--allow-empty", each)
            return between(remote, base, git(tree, "rev-parse", "HEAD"))
        finally:
            git(remote, "worktree", "remove", "--force", str(tree))


def _tree(remote: Path, ours: str, theirs: str) -> str:
    done = git_cli.run(remote, "merge-tree", "--write-tree", ours, theirs)
    if done.returncode:
        raise WorldError(f"{theirs[:9]} conflicts with {ours[:9]}: {done.stdout.strip()}")
    return done.stdout.split()[0]


def _commit(remote: Path, tree: str, title: str, *parents: str) -> str:
    words = [word for parent in parents for word in ("-p", parent)]
    return git(remote, "commit-tree", tree, *words, "-m", title)
