"""A small template with versions, a project made of it, and the words to update it.

The engine in it is the real one, and so are the checks of answers; the rest is a handful of files.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from baking import QUESTIONS, ROOT, SOURCE

ASKED = ("project_name", "project_slug", "package_name", "task")
ENGINE = "src/mlrails"
PACKAGE = "src/{{cookiecutter.package_name}}"
FILES = {
    ".template.json": "{{ cookiecutter | origin }}\n",
    ".gitignore": "__pycache__\n",
    "README.md": "# {{ cookiecutter.project_name }}\n\nFirst.\n\nSecond.\n\nThird.\n",
    "noxfile.py": 'PACKAGE = "{{ cookiecutter.package_name }}"\n\nONE = 1\n\nTWO = 2\n',
    "params.yaml": "task: {{ cookiecutter.task }}\n\nrate: 0.1\n\nrounds: 300\n",
    "docs/guide.md": "A guide.\n",
    "docs/more.md": "More.\n",
    f"{PACKAGE}/__main__.py": '"""Start."""\n',
    f"{PACKAGE}/source.py": '"""Rows."""\n\n\ndef rows():\n    return [1]\n\n\nLAST = 9\n',
    f"{ENGINE}/words.py": 'WORDS = "{{ as they are }}"\n',
    f"{ENGINE}/old.py": "OLD = 1\n",
}
MIGRATION = '''"""Call the rate what it is."""

from pathlib import Path


def migrate(root: Path, package: str) -> None:
    """Rename `rate`."""
    path = root / "params.yaml"
    if path.is_file():
        path.write_text(path.read_text("utf-8").replace("rate:", "learning_rate:"), "utf-8")
'''
NEWER = {
    "README.md": FILES["README.md"].replace("Third", "The third"),
    "noxfile.py": FILES["noxfile.py"].replace("TWO = 2", "TWO = 2\n\nTHREE = 3"),
    "params.yaml": FILES["params.yaml"].replace("rate:", "learning_rate:") + "\nseed: 1\n",
    "docs/more.md": "Much more.\n",
    "docs/new.md": "New.\n",
    f"{ENGINE}/words.py": 'WORDS = "{{ newer }}"\n',
    f"{ENGINE}/update/migrations/m9001_learning_rate.py": MIGRATION,
}
CHANGELOG = """# Changes

## 1.0.1 (2026-02-01)

### What to do when you update

Call it `learning_rate` in your own scripts.

### Changed

The rate has a longer name.

## 1.0.0 (2026-01-01)

### What to do when you update

Nothing, as nothing was before.
"""


_UPDATE = ("-m", "mlrails.update")


@dataclass(frozen=True)
class Template:
    """A template in a git repository."""

    root: Path
    env: Mapping[str, str]

    def git(self, *words: str) -> str:
        """Run git there; return what it says."""
        return git(self.root, self.env, *words)

    def release(self, version: str, files: Mapping[str, str], *removed: str) -> str:
        """Change files of the project, and tag that as a version; return its commit."""
        project = self.root / "{{cookiecutter.project_slug}}"
        write(project, files)
        for name in removed:
            (project / name).unlink()
        write(self.root, {"VERSION": f"{version}\n"})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Release {version}")
        self.git("tag", f"v{version}")
        return self.git("rev-parse", "HEAD")

    def bake(self, into: Path, address: str = "", **answers: str) -> "Project":
        """Bake a project of the newest version, committed."""
        words = [f"{name}={answer}" for name, answer in answers.items()]
        command = [sys.executable, "-m", "cookiecutter", address or str(self.root), "--no-input"]
        command += ["--output-dir", str(into), *words]
        env = {**self.env, "PYTHONDONTWRITEBYTECODE": "1"}
        # Elsewhere than in this repository, whose extensions would be found first.
        into.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(command, cwd=into, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        project = Project(next(path for path in into.iterdir() if path.is_dir()), self.env)
        words = ["git", "rev-parse"]
        if subprocess.run(words, cwd=project.root, env=env, capture_output=True).returncode:
            project.git("init", "--quiet", "--initial-branch", "main")
        project.commit("As it came")
        return project


@dataclass(frozen=True)
class Project:
    """A project in a git repository."""

    root: Path
    env: Mapping[str, str]

    def git(self, *words: str) -> str:
        """Run git there; return what it says."""
        return git(self.root, self.env, *words)

    def commit(self, message: str = "My work") -> None:
        """Commit everything as it stands."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files."""
        write(self.root, files)

    def text(self, name: str) -> str:
        """Read a file."""
        return (self.root / name).read_text("utf-8")

    def update(self, *words: str, code: int = 0, **more: str) -> str:
        """Update from the newest engine; return what it said, never a traceback."""
        done = self.started(*_UPDATE, *words, **more)
        said = done.stdout + done.stderr
        assert done.returncode == code and "Traceback" not in said, said
        return said

    def python(self, code: str) -> str:
        """Run code that imports the engine; return what it prints."""
        done = self.started("-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def started(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the engine on its path."""
        own = {"PYTHONPATH": str(SOURCE / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env={**self.env, **own, **more},
            capture_output=True,
            text=True,
        )

    def state(self) -> tuple[str, str, dict[str, bytes]]:
        """Return the commit, git's status and every file, to compare by."""
        paths = [path for path in self.root.rglob("*") if path.is_file()]
        inside = {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}
        files = {name: it for name, it in inside.items() if not name.startswith(".git/")}
        return self.git("rev-parse", "HEAD"), self.git("status", "--porcelain"), files


def git(folder: Path, env: Mapping[str, str], *words: str) -> str:
    """Run git in a folder; return what it says."""
    words = ("git", "-C", str(folder), *words)
    done = subprocess.run(words, env=dict(env), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.rstrip("\n")


def ran(words: Sequence[str], folder: Path, env: Mapping[str, str]) -> str:
    """Run a program that has to succeed; return all that it says."""
    done = subprocess.run(words, cwd=folder, env=dict(env), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files, by their paths below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def template(root: Path, env: Mapping[str, str]) -> Template:
    """Make a small template of the real questions, checks and engine, with its first release."""
    left_out = shutil.ignore_patterns("__pycache__")
    project = root / "{{cookiecutter.project_slug}}"
    shutil.copytree(SOURCE / "src" / "mlrails", project / ENGINE, ignore=left_out)
    shutil.copy(ROOT / "local_extensions.py", root)
    own = {name: it for name, it in QUESTIONS.items() if name in ASKED or name.startswith("_")}
    own["__prompts__"] = {name: own["__prompts__"][name] for name in ASKED}
    write(root, {"cookiecutter.json": json.dumps(own), "CHANGELOG.md": CHANGELOG})
    made = Template(root, env)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.release("1.0.0", FILES)
    return made
