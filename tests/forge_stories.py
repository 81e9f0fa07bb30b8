"""A forge for the stories: a trained project's repository, on a forge in a folder.

The forge is the one that projects carry for `nox -s forge`: it is imported from the bake.
"""

import importlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baking import Project


@dataclass(frozen=True)
class Repository:
    """A clone of the forge's repository that a person works in, and the forge."""

    project: Project
    forge: Any

    def git(self, *words: str) -> str:
        """Run git in the clone; it must succeed."""
        done = self.project.run("git", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file of the clone."""
        place = self.project.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")

    def change(self, branch: str, files: Mapping[str, str], start: str = "origin/main") -> None:
        """Push a branch with one commit that changes some files."""
        self.git("fetch", "--quiet", "origin")
        self.git("checkout", "--quiet", "--force", "-B", branch, start)
        for path, text in files.items():
            self.write(path, text)
        self.commit(branch)

    def commit(self, branch: str) -> None:
        """Commit all that is there, and push it to a branch, over what that held."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"Change {branch}")
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")

    def push_main(self) -> None:
        """Push the clone's commit to main, and let the forge know."""
        before = self.forge.tip()
        self.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
        self.forge.pushed("main", before)

    def run(self) -> dict[str, dict[str, str]]:
        """Run all that waits; return each workflow's jobs and what they came to."""
        return {result.run["name"]: result.jobs for result in self.forge.run()}


def replay(project: Project, module: str) -> Any:
    """Import a module of the forge that a project carries."""
    source = str(project.root / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    return importlib.import_module(f"{project.package}.forge.replay.{module}")


@contextmanager
def on_a_forge(
    project: Project, folder: Path, uvx: str | None = None, **more: Any
) -> Iterator[Repository]:
    """Copy a project into a folder, and push it to a new forge beside it; no run has begun.

    Jobs run in the environment that the project's tools are kept in. `more` are the secrets, the
    variables and `private`, as the forge takes them; `uvx` stands in for the sessions.
    """
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    act = Path(project.python).with_name("act")
    machine = replay(project, "machine").Machine(project.tools, quiet, uvx, act)
    with replay(project, "forge").forge(folder / "forge", machine, **more) as forge:
        clone = project.copy(folder / "clone")
        repository = Repository(clone, forge)
        if not (clone.root / ".git").exists():
            repository.git("init", "--quiet", "-b", "main")
        subprocess.run(["git", "remote", "remove", "origin"], cwd=clone.root, capture_output=True)
        repository.git("remote", "add", "origin", str(forge.remote))
        clone.commit()
        repository.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        yield repository
