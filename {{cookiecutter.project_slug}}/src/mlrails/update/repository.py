"""The project's git repository, as far as an update has to do with it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..core import git
from ..core.errors import UsageError

_AS_IT_IS = ("-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "-c", "core.excludesFile=")
"""A bake is taken as it lies there, whatever the user's own settings say."""
_LITERALLY = "--literal-pathspecs"
"""A name with `*` in it is one file's."""


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run git; raises WorldError where there is none."""
    return git.run(folder, _LITERALLY, *words, **variables)


def output(folder: Path, *words: str, **variables: str) -> str:
    """Return what git says, without the last line's end; raises WorldError where it fails."""
    return git.check(folder, _LITERALLY, *words, **variables).removesuffix("\n")


@contextmanager
def own_index() -> Iterator[dict[str, str]]:
    """Yield the variable that gives git an index of its own; the user's stays as it is."""
    with tempfile.TemporaryDirectory() as scratch:
        yield {"GIT_INDEX_FILE": str(Path(scratch, "index"))}


def _listed(folder: Path, **where: str) -> tuple[str, str]:
    """List the files of a bake beside git's index; return the words by which git takes the list.

    What the user leaves out for themselves, in .git/info/exclude, is part of a bake all the same.
    """
    words = ("ls-files", "--others", "--exclude-per-directory=.gitignore", "-z")
    listed = Path(where["GIT_INDEX_FILE"] + "-listed")
    listed.write_text(output(folder, *words, **where), "utf-8", newline="")
    return f"--pathspec-from-file={listed}", "--pathspec-file-nul"


@dataclass(frozen=True)
class Repository:
    """A project's folder, and where it lies in its repository."""

    root: Path
    prefix: str
    """The project's folder below the repository's top, empty or with a slash at its end."""

    @classmethod
    def of(cls, root: Path) -> "Repository":
        """Return the repository of a project; raises UsageError where there is none to merge in."""
        found = run(root, "rev-parse", "--show-prefix")
        if found.returncode:
            raise UsageError(f"{root}: not a git repository; run `git init` in it, and commit")
        if run(root, "rev-parse", "--quiet", "--verify", "HEAD").returncode:
            raise UsageError(f"{root}: nothing is committed yet; commit the project, then update")
        return cls(root, found.stdout.strip())

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return output(self.root, "rev-parse", "HEAD")

    @property
    def top(self) -> Path:
        """The top folder of the working tree, which git's names of files begin at."""
        return Path(output(self.root, "rev-parse", "--show-toplevel"))

    @property
    def own(self) -> Path:
        """A folder of the updates' inside .git, which is never committed; made on first use."""
        folder = self.private("mlrails")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def private(self, name: str) -> Path:
        """Return where git keeps a file of this working tree."""
        return self.root / output(self.root, "rev-parse", "--git-path", name)

    def tree(self, folder: Path, of: str | None = None) -> str:
        """Write a folder's files as a tree, where the project lies in it; return the tree's name.

        Of an exported commit all files are taken, else those that the folder's own `.gitignore`
        does not leave out.
        """
        with own_index() as where:
            where["GIT_DIR"] = output(self.root, "rev-parse", "--absolute-git-dir")
            where["GIT_WORK_TREE"] = str(folder)
            if of:
                output(folder, "read-tree", f"{of}:{self.prefix}", **where)
            taken = ("--all", ".") if of else _listed(folder, **where)
            output(folder, *_AS_IT_IS, "add", "--force", *taken, **where)
            tree = output(folder, "write-tree", **where)
            if not self.prefix:
                return tree
            where["GIT_INDEX_FILE"] += "-below"
            output(folder, "read-tree", f"--prefix={self.prefix}", tree, **where)
            return output(folder, "write-tree", **where)

    def with_file(self, commit: str, other: str, name: str) -> str:
        """Return a commit's tree, in which one file of the project is as another commit has it."""
        path = f"{self.prefix}{name}"
        with own_index() as index:
            output(self.top, "read-tree", commit, **index)
            entry = f"100644,{self.name_of(f'{other}:{path}')},{path}"
            output(self.top, "update-index", "--add", "--cacheinfo", entry, **index)
            return output(self.top, "write-tree", **index)

    def with_project(self, commit: str, folder: Path) -> str:
        """Return a commit's tree, in which the project's files are those of a folder."""
        tree = self.tree(folder, commit)
        if not self.prefix:
            return tree
        with own_index() as index:
            output(self.top, "read-tree", commit, **index)
            output(self.top, "rm", "-r", "--quiet", "--cached", "--", self.prefix, **index)
            inner = output(self.top, "rev-parse", f"{tree}:{self.prefix.rstrip('/')}")
            output(self.top, "read-tree", f"--prefix={self.prefix}", inner, **index)
            return output(self.top, "write-tree", **index)

    def export(self, commit: str, into: Path) -> Path:
        """Lay a commit's files of the project out in a folder."""
        into.mkdir()
        with own_index() as index:
            output(self.top, "read-tree", f"{commit}:{self.prefix}", **index)
            where = f"--prefix={into}{os.sep}"
            output(self.top, *_AS_IT_IS, "checkout-index", "--all", where, **index)
        return into

    def commit(self, tree: str, message: str, *parents: str) -> str:
        """Write a commit that no branch holds; return its name."""
        words = [word for parent in parents for word in ("-p", parent)]
        return output(self.root, "commit-tree", tree, *words, "-m", message)

    def text(self, commit: str, name: str) -> str | None:
        """Return a file of the project as a commit has it; None where it has none."""
        found = run(self.root, "show", f"{commit}:{self.prefix}{name}")
        return None if found.returncode else found.stdout

    def names(self, commit: str, below: str) -> list[str]:
        """Return the project's files below a folder, as a commit has them."""
        there = f"{self.prefix}{below}"
        words = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", there)
        found = output(self.root, *words)
        return [name.removeprefix(self.prefix) for name in found.split("\0") if name]

    def everything(self, commit: str) -> set[str]:
        """Return all files and folders of a commit or tree, from the top on."""
        words = ("ls-tree", "-r", "-t", "-z", "--name-only", "--full-tree", commit)
        return {name for name in output(self.root, *words).split("\0") if name}

    def differing(self, one: str, other: str, below: str = "") -> list[str]:
        """Return the files that two commits or trees have not in common, from the top on."""
        words = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", one, other]
        found = output(self.top, *words, "--", *([f"{self.prefix}{below}"] if below else []))
        return [name for name in found.split("\0") if name]

    def differing_from_index(self, below: str) -> list[str]:
        """Return what the merge in progress has below a folder that the merged side has not."""
        words = ("diff-index", "--cached", "-z", "--name-only", "--no-renames", "MERGE_HEAD", "--")
        found = output(self.top, *words, f"{self.prefix}{below}")
        return [name for name in found.split("\0") if name]

    def name_of(self, revision: str) -> str:
        """Return the name of the object that a revision is."""
        return output(self.root, "rev-parse", revision)

    def uncommitted(self) -> list[str]:
        """Return the tracked files with changes that are not committed, from the top on."""
        words = ("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames")
        found = output(self.top, *words)
        return [line[3:] for line in found.split("\0") if line]
