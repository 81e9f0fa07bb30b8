"""Bakes that many tests look at, and the words to run things in them."""

import itertools
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from warm import Warm

Once = Callable[[str, Callable[[Path], object]], Path]
"""What makes a folder under a name, once for all workers."""

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "{{cookiecutter.project_slug}}"
PROOF = bool(os.environ.get("PROOF"))
"""Whether the long tests are to be long (`nox -s proof`)."""
QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
CHOICES = {
    name: choices
    for name, choices in QUESTIONS.items()
    if isinstance(choices, list) and not name.startswith("_")
}

# What the engine's tests let in is what programs need; less what a build machine sets and a user's
# does not, as tests of determinism must not depend on it.
_is_needed = runpy.run_path(str(ROOT / "tests" / "mlrails" / "surroundings.py"))["is_needed"]
_UNUSUAL = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPATH", "OPENBLAS_CORETYPE"}

PYTHONS = {"scikit-learn": "3.13", "pytorch": "3.11", "tensorflow": "3.12"}
"""With which Python a framework is tried beside the default project, so that each is tried once.

PyTorch's build for the CPU is at hand for 3.11 alone.
"""


def combinations(*names: str) -> Iterator[dict[str, str]]:
    """Yield every combination of the choices of some questions."""
    for values in itertools.product(*(CHOICES[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def build_of_torch() -> dict[str, str]:
    """Tell uv of PyTorch's build for the CPU: it lies where pip looks, or where PyTorch has it."""
    words = ["pip", "config", "get", "global.find-links"]
    found = subprocess.run(words, capture_output=True, text=True) if shutil.which("pip") else None
    if found and (folder := found.stdout.strip()):
        return {"UV_FIND_LINKS": os.environ.get("UV_FIND_LINKS", folder)}
    return {"UV_TORCH_BACKEND": os.environ.get("UV_TORCH_BACKEND", "cpu")}


@contextmanager
def wheels_of_torch(folder: Path) -> Iterator[str]:
    """Yield the address of an index of PyTorch's builds for the CPU, on loopback.

    TORCH_INDEX names another one, for a machine that has none of them in a folder.
    """
    if index := os.environ.get("TORCH_INDEX"):
        yield index
        return
    (folder / "torch").mkdir(parents=True)
    wheels = Path(build_of_torch().get("UV_FIND_LINKS", "nowhere"))
    for wheel in wheels.glob("torch-*"):
        (folder / "torch" / wheel.name).symlink_to(wheel)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return a user's environment: a home of its own, and a name for git's commits."""
    usual = {name: it for name, it in os.environ.items() if _is_needed(name)}
    usual = {name: it for name, it in usual.items() if name not in _UNUSUAL}
    person = {"NAME": "A user", "EMAIL": "user@example.org"}
    git = {
        f"GIT_{role}_{part}": person[part] for role in ("AUTHOR", "COMMITTER") for part in person
    }
    # The cache of packages is shared, so that no test downloads what another has.
    cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
    own = {"HOME": str(home), "UV_CACHE_DIR": cache}
    return {**usual, **git, **build_of_torch(), **every_python(), **own, **more}


def every_python() -> dict[str, str]:
    """Let uv find each Python that pyenv keeps, the chosen one first; alone it finds only that."""
    if shutil.which("pyenv") is None:
        return {}
    words = [["pyenv", "version-name"], ["pyenv", "versions", "--bare"]]
    told = [subprocess.run(it, capture_output=True, text=True).stdout.split() for it in words]
    versions = [it for it in dict.fromkeys([*told[0], *told[1]]) if re.fullmatch(r"[\d.]+", it)]
    return {"PYENV_VERSION": ":".join(versions)}


WARM: dict[str, Warm] = {}
"""By its Python, the process of an environment that verbs are forks of; conftest.py has it."""
_COLD = re.compile("(PYTHON|OMP|OPENBLAS|LD)_?[A-Z]")
"""Variables that Python or libraries read as they begin."""


@dataclass(frozen=True)
class Project:
    """A baked project, the environment variables of its user, and where its tools are kept."""

    root: Path
    env: Mapping[str, str]
    tools: Path

    @property
    def python(self) -> str:
        """The Python of the project's environment."""
        return str(self.tools / "project" / "bin" / "python")

    @property
    def variables(self) -> dict[str, str]:
        """What its programs find: the project's come first on the path."""
        path = os.pathsep.join([str(Path(self.python).parent), self.env["PATH"]])
        return {**self.env, "PATH": path, "PYTHONPATH": str(self.root / "src")}

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder with the project's programs on the path."""
        env = {**self.variables, **more}
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True)

    def nox(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run nox in the project's folder."""
        nox = [sys.executable, "-m", "nox", "--envdir", str(self.tools), "-s", *words]
        return self.run(*nox, **more)

    def verb(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the project's command line, by a fork where one process has made the imports."""
        if (warm := WARM.get(self.python)) and not any(map(_COLD.match, more)):
            return warm.run(self.package, words, self.root, {**self.variables, **more})
        return self.run(self.python, "-m", self.package, *words, **more)

    def code(self, code: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run lines of Python in the project's environment, by a fork as well where that can be."""
        if warm := WARM.get(self.python):
            return warm.run("-c", [code, *words], self.root, self.variables)
        return self.run(self.python, "-c", code, *words)

    @property
    def package(self) -> str:
        """The name of the project's package."""
        told = tomllib.loads((self.root / "pyproject.toml").read_text("utf-8"))
        return str(told["tool"]["mlrails"]["package"])

    def commit(self) -> None:
        """Commit everything as it stands."""
        assert self.run("git", "add", "--all").returncode == 0
        self.run("git", "commit", "--quiet", "--message", "As it stands")

    def copy(self, to: Path) -> "Project":
        """Return a copy in another folder."""
        shutil.copytree(self.root, to, symlinks=True)
        return Project(to, self.env, self.tools)


def bake(into: Path, env: Mapping[str, str], **answers: str) -> Path:
    """Bake without asking; return the project's folder."""
    into.mkdir(parents=True, exist_ok=True)
    words = [f"{name}={answer}" for name, answer in answers.items()]
    command = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input", "--output-dir"]
    done = subprocess.run(
        [*command, str(into), *words], env=dict(env), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(path for path in into.iterdir() if path.is_dir())


def share_byte_code(tools: Path, of: Path) -> None:
    """Link an environment's byte code into another one, which would compile the same again.

    Python takes it where a source has the time and size that it was compiled of: where uv has
    linked the same file of its cache into both.
    """
    for folder in of.glob("project/lib/*/site-packages/**/__pycache__"):
        here = tools / folder.relative_to(of)
        if here.parent.is_dir():
            here.mkdir(exist_ok=True)
            for file in {it.name for it in folder.iterdir()} - {it.name for it in here.iterdir()}:
                os.link(folder / file, here / file)


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """Return a text with some of it changed; what is changed must be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text
