"""The bare remote: branches, the three ways of merging, and git over HTTP.

HTTP is git's own `http-backend`; who may read and push is asked of the job's token.
"""

import os
import subprocess
import tempfile
from email.message import Message
from pathlib import Path

from ..core.errors import WorldError
from ..core.git import run as run_git
from .files import Files
from .rights import Rights

_FORGE = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in {"NAME": "GitHub", "EMAIL": "noreply@github.com"}.items()
}
ZERO = "0" * 40
"""GitHub's name for the commit before the first."""


def git(folder: Path, *arguments: str) -> str:
    """Run git; return what it says, and raise WorldError where it fails."""
    done = run_git(folder, *arguments, **_FORGE)
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
    done = run_git(remote, "rev-parse", "--verify", "--quiet", ref + "^{commit}")
    return done.stdout.strip() or ZERO


def show(remote: Path, revision: str, path: str) -> str | None:
    """Return a file as a commit has it, or None."""
    done = run_git(remote, "show", f"{revision}:{path}")
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
    done = run_git(remote, "merge-tree", "--write-tree", ours, theirs)
    if done.returncode:
        raise WorldError(f"{theirs[:9]} conflicts with {ours[:9]}: {done.stdout.strip()}")
    return done.stdout.split()[0]


def _commit(remote: Path, tree: str, title: str, *parents: str) -> str:
    words = [word for parent in parents for word in ("-p", parent)]
    return git(remote, "commit-tree", tree, *words, "-m", title)


Reply = tuple[int, bytes, dict[str, str]]


def answer_http(
    files: Files,
    rights: Rights,
    method: str,
    service: str,
    query: str,
    headers: Message,
    body: bytes,
) -> Reply:
    """Answer a clone's fetch or push with a status, a body and headers."""
    level = "write" if "receive-pack" in service + query else "read"
    if status := rights.refused(headers.get("Authorization"), "contents", level):
        ask = {"WWW-Authenticate": 'Basic realm="GitHub"'} if status == 401 else {}
        return status, b"the token may not do this", ask
    variables = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "GIT_PROJECT_ROOT": str(files.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH_INFO": f"/{files.remote.name}{service}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "REMOTE_USER": "token",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=variables, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    told = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    return int(told.pop("Status", "200").split()[0]), content, told
