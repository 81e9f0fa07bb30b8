"""A forge for the stories: a trained project's repository, on a forge in a folder.

The forge is the one that projects carry for `nox -s forge`: it is imported from the bake. Stories
go on from the first promotion; what they change later was trained before, and lies in its cache.
Where training is not what a story is about, the session `train` leaves what it left the last time.
"""

import importlib
import json
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import warm
from baking import WARM, Once, Project, bake, replaced
from test_lifecycle import change

PARAMS = "params.yaml"
MONITOR, PROMOTE, ROLLBACK, TRAIN = (
    f".github/workflows/{name}.yaml" for name in ("monitor", "promote", "rollback", "train")
)
ROWS = 'flights[flights["arr_delay"].notna()]'
THIRD_OF_ROWS = (ROWS, f"{ROWS}.iloc[::3]")
QUICK = (
    ("max_iter: 300", "max_iter: 40"),
    ("resamples: 1000", "resamples: 200"),
    # A third of the rows says too little of what is decided.
    ("decisions: 0.02", "decisions: 0.1"),
)
OTHER = ("max_leaf_nodes: 31", "max_leaf_nodes: 25")
WORSE = ("max_iter: 40\n  max_leaf_nodes: 25", "max_iter: 1\n  max_leaf_nodes: 2")
"""One question to a row: so much worse than what comes after `OTHER` that 61 days show it."""
THIRD = ("l2_regularization: 1.0", "l2_regularization: 3.0")
FOURTH = ("learning_rate: 0.1", "learning_rate: 0.09")
PASSED = {"train": "success", "comment": "success"}
PROMOTED = {"build": "success", "promote": "success"}
HELD = {"build": "success", "promote": "skipped"}
STOPPED = {"build": "failure", "promote": "skipped"}
NOX = """
nox() {
  case $2 in
    review | prove | promote | rollback) verb=$2 ;;
    *) COLD "$@"; return ;;
  esac
  shift 2
  [ $# = 0 ] || shift
  PATH=PROGRAMS:$PATH PYTHONPATH=$PWD/src WARM "$verb" "$@"
}
"""
"""Nox as it is, but for verbs of which each is seen to begin from nothing in other stories."""
TRAINING = 'shift\nnox "$@"\n'
REMEMBERING = """
set -e
shift
left=STORE/$(sha256sum < params.yaml | cut -d ' ' -f 1).tar
if [ "$2" = train ] && [ -e "$left" ]; then exec tar -xf "$left"; fi
nox "$@"
if [ "$2" = train ]; then
  tar -cf "$left.$$" data models reports dvc.lock mlflow.db mlartifacts .dvc/tmp
  mv "$left.$$" "$left"
fi
"""
"""Stands in for `uvx`: trains the same params once. No story changes code that trains."""


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

    def land(self, files: Mapping[str, str]) -> None:
        """Push a change of some files to main without a pull request, and let the forge know."""
        before = self.forge.tip()
        self.change("main", files)
        self.forge.pushed("main", before)

    def connect(self) -> None:
        """Let the clone's remote be the forge that is there now."""
        root = self.project.root
        subprocess.run(["git", "remote", "remove", "origin"], cwd=root, capture_output=True)
        self.git("remote", "add", "origin", str(self.forge.remote))

    def run(self) -> dict[str, dict[str, str]]:
        """Run all that waits; return each workflow's jobs and what they came to."""
        return {result.run["name"]: result.jobs for result in self.forge.run()}

    def edit(self, path: str, *changes: tuple[str, str]) -> dict[str, str]:
        """Return a file of main with some of its text changed, by its path."""
        self.git("fetch", "--quiet", "origin")
        text = self.git("show", f"origin/main:{path}") + "\n"
        return {path: replaced(text, *changes)}

    def pull(self, branch: str, files: Mapping[str, str], **more: bool) -> Any:
        """Push a branch that changes some files of main, and open a pull request of it."""
        self.change(branch, files)
        return self.forge.open_pull(branch, **more)

    def weaken(self, path: str, *changes: tuple[str, str]) -> None:
        """Take a guard out of a file of main, before the story begins."""
        self.change("main", self.edit(path, *changes))

    def source(self, path: str) -> str:
        """Return the path of a module of the engine."""
        return f"src/mlrails/{path}"

    def remember(self, project: Project) -> None:
        """Let the forge's cache hold what a project has trained, so that it is trained once."""
        record = {"key": "dvc-main", "ref": "refs/heads/main", "_path": ".dvc/cache"}
        made = self.forge.files.new("caches", record)
        with tarfile.open(self.forge.files.folder("caches") / f"{made['id']}.tar", "w") as tar:
            tar.add(project.root / ".dvc" / "cache", ".dvc/cache")

    def ledger(self) -> list[dict[str, str]]:
        """Return what has happened to the registry branch, oldest first."""
        done = self.project.verb("history", "--json", "--registry", "branch")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.startswith("[") else []

    def comments(self) -> list[str]:
        """Return the comments on all pull requests."""
        return [it["body"] for it in self.forge.files.every("comments")]


@pytest.fixture(scope="session")
def quick(user: Mapping[str, str], tools: Path, once: Once) -> Project:
    """A project whose model is quick to make and to judge; its checks, other tests run."""

    def make(folder: Path) -> None:
        bake(folder.with_name("quick-bake"), user).rename(folder)
        (folder / ".github/workflows/checks.yaml").unlink()
        project = Project(folder, user, tools)
        source = folder / "src" / project.package / "source.py"
        source.write_text(replaced(source.read_text("utf-8"), THIRD_OF_ROWS), "utf-8")
        change(project, *QUICK)

    return Project(once("quick", make), user, tools)


@pytest.fixture(scope="session")
def first(quick: Project, once: Once) -> Path:
    """The first pull request of a fresh repository, merged: version 1 is the champion.

    The forge's cache holds the models that stories make afterwards.
    """

    def make(folder: Path) -> None:
        later = quick.copy(folder.with_name("later"))
        # The other worker waits for this, too.
        with ThreadPoolExecutor(1) as beside, on_a_forge(quick, folder) as there:
            trained = beside.submit(_train_later, later)
            there.remember(quick)
            pull = there.pull("other", there.edit(PARAMS, OTHER))
            assert there.run() == {"Train": PASSED}
            there.forge.merge(pull, "squash")
            assert there.run() == {"Promote": PROMOTED}
            trained.result()
            there.remember(later)

    return once("first", make)


def _train_later(project: Project) -> None:
    text = (project.root / PARAMS).read_text("utf-8")
    for changes in [(WORSE,), (THIRD,), (THIRD, FOURTH)]:
        change(project, OTHER, *changes)
        (project.root / PARAMS).write_text(text, "utf-8")


@pytest.fixture
def trains(quick: Project, first: Path, tmp_path: Path) -> Iterator[Repository]:
    """Go on from the first promotion, and train whatever is asked for."""
    with gone_on(quick, first, tmp_path / "story", warm_nox(quick) + TRAINING) as repository:
        yield repository


@pytest.fixture
def remembering(quick: Project, once: Once) -> str:
    """Return what stands in for `uvx` where training is not what a story is about."""
    store = once("trained-before", Path.mkdir)
    return warm_nox(quick) + REMEMBERING.replace("STORE", str(store))


@pytest.fixture
def there(quick: Project, first: Path, tmp_path: Path, remembering: str) -> Iterator[Repository]:
    """Go on from the first promotion, with what training has left the last time."""
    with gone_on(quick, first, tmp_path / "story", remembering) as repository:
        yield repository


def nox(project: Project) -> str:
    """Return the command that runs the sessions of a job."""
    return shlex.join([sys.executable, "-m", "nox", "--envdir", str(project.tools)])


def warm_nox(project: Project) -> str:
    """Return a function of the shell that runs sessions, their verbs by forks where that can be."""
    if not (forks := WARM.get(project.python)):
        return f'nox() {{ {nox(project)} "$@"; }}\n'
    programs = shlex.quote(str(Path(project.python).parent))
    fork = shlex.join([sys.executable, "-I", warm.__file__, forks.socket, project.package])
    return replaced(NOX, ("PROGRAMS", programs), ("WARM", fork), ("COLD", nox(project)))


def own(project: Project, module: str) -> Any:
    """Import a module of a project's engine."""
    source = str(project.root / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    return importlib.import_module(f"mlrails.{module}")


@contextmanager
def on_a_forge(
    project: Project, folder: Path, uvx: str | None = None, **more: Any
) -> Iterator[Repository]:
    """Copy a project into a folder, and push it to a new forge beside it; no run has begun.

    Jobs run in the environment that the project's tools are kept in. `more` are fields of the
    forge's Configuration; `uvx` stands in for the sessions.
    """
    with _forge(project, folder, uvx, **more) as forge:
        repository = Repository(project.copy(folder / "clone"), forge)
        if not (repository.project.root / ".git").exists():
            repository.git("init", "--quiet", "-b", "main")
        repository.connect()
        repository.project.commit()
        repository.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        yield repository


@contextmanager
def gone_on(
    project: Project, before: Path, folder: Path, uvx: str | None = None, **more: Any
) -> Iterator[Repository]:
    """Go on from a copy of the folder of an earlier story."""
    shutil.copytree(before, folder, symlinks=True)
    with _forge(project, folder, uvx, **more) as forge:
        clone = Project(folder / "clone", project.env, project.tools)
        repository = Repository(clone, forge)
        repository.connect()
        yield repository


def _forge(project: Project, folder: Path, uvx: str | None, **more: Any) -> Any:
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    act = Path(project.python).with_name("act")
    machine = own(project, "replay.machine").Machine(project.tools, quiet, uvx, act)
    configuration = own(project, "replay.rights").Configuration(**more)
    return own(project, "replay.forge").forge(folder / "forge", machine, configuration)
