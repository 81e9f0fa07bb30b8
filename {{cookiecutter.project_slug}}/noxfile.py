"""Every command of this project: `nox -l` lists them, `nox` alone trains.

All sessions share one environment, `.nox/project`, made of requirements-dev.lock: with uv where it
is installed, else with virtualenv. The project itself is not installed: `src` is on the path.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import nox

PACKAGE = "{{ cookiecutter.package_name }}"
PYTHON = Path("python_env.yaml").read_text("utf-8").partition('python: "')[2].partition('"')[0]
SERVING_LOCK, LOCK = "requirements.lock", "requirements-dev.lock"

nox.options.sessions = ["train"]
nox.options.default_venv_backend = "none"


def program(session: nox.Session, *command: str) -> None:
    """Run a program of the environment, which is made or brought up to date first."""
    programs = install(session)
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    env = {"PATH": path, "PYTHONPATH": str(Path("src").absolute()), "STARTED_BY": str(os.getpid())}
    session.run(
        str(programs / command[0]),
        *command[1:],
        env=env,
        external=True,
        # After a Ctrl-C a server answers what it has taken, and a run says that it has ended.
        interrupt_timeout=30,
        terminate_timeout=5,
    )


def verb(session: nox.Session) -> None:
    """Run the verb of the package's command line that has the session's name."""
    program(session, "python", "-m", PACKAGE, session.name, *session.posargs)


def install(session: nox.Session) -> Path:
    """Make the environment of the lock, unless it is there; return the folder of its programs."""
    environment = session.cache_dir.absolute().with_name("project")
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    made_of = environment / "made-of"
    # An environment names itself by absolute paths, so one that was moved is made anew.
    parts = [PYTHON, str(environment), Path(LOCK).read_text("utf-8")]
    wanted = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    if not made_of.is_file() or made_of.read_text("utf-8") != wanted:
        make, add = tools(programs / "python")
        session.run_install(*make, str(environment), external=True)
        # Both tools hold every release that the lock names against its hashes.
        session.run_install(*add, "-r", LOCK, external=True)
        made_of.write_text(wanted, "utf-8")
    return programs


def tools(python: Path) -> tuple[list[str], list[str]]:
    """Return the commands that make an environment and that install into it."""
    if uv := shutil.which("uv"):
        make = [uv, "venv", "--quiet", "--clear", "--python", PYTHON]
        return make, [uv, "pip", "install", "--quiet", "--python", str(python)]
    make = [sys.executable, "-m", "virtualenv", "--quiet", "--clear", "--python", PYTHON]
    return make, [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


@nox.session
def train(session: nox.Session) -> None:
    """Bring the pipeline up to date, track it, and print the figures."""
    verb(session)


@nox.session
def evaluate(session: nox.Session) -> None:
    """Make the report of the model that is there, without training."""
    verb(session)


@nox.session
def register(session: nox.Session) -> None:
    """Version the model by its digest."""
    verb(session)


@nox.session
def gate(session: nox.Session) -> None:
    """Compare the model with the champion, and write the verdict."""
    verb(session)


@nox.session
def promote(session: nox.Session) -> None:
    """Register, gate, and make the model champion when the verdict allows it."""
    verb(session)


@nox.session
def rollback(session: nox.Session) -> None:
    """Make the previous champion (-- VERSION --reason WHY) the champion again."""
    verb(session)


@nox.session
def reproduce(session: nox.Session) -> None:
    """Make a version (-- VERSION) again from its commit, data and lock, and compare."""
    verb(session)


@nox.session
def history(session: nox.Session) -> None:
    """Tell who was champion when, why, by which commit, by whom (-- --json)."""
    verb(session)


@nox.session
def serve(session: nox.Session) -> None:
    """Answer requests with the champion (-- --host --port --version --alias)."""
    verb(session)


@nox.session
def predict(session: nox.Session) -> None:
    """Score a file, a folder or a glob with the champion (-- INPUT OUTPUT)."""
    verb(session)


@nox.session
def fetch(session: nox.Session) -> None:
    """Lay the champion's checked bytes into a folder (-- FOLDER --version --alias)."""
    verb(session)


@nox.session
def image(session: nox.Session) -> None:
    """Lay out what docker makes an image of that serves the champion."""
    verb(session)


@nox.session
def sagemaker(session: nox.Session) -> None:
    """Serve the image on Amazon SageMaker (-- plan|deploy|delete --image --role)."""
    verb(session)


@nox.session
def ui(session: nox.Session) -> None:
    """Show the runs in MLflow's web pages (-- --host --port)."""
    verb(session)


@nox.session
def push(session: nox.Session) -> None:
    """Send data and models to the DVC remote."""
    verb(session)


@nox.session
def pull(session: nox.Session) -> None:
    """Fetch the data and models of this commit from the DVC remote."""
    verb(session)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the project's tests on all cores (arguments go to pytest)."""
    # A file to a worker, as its tests share what they have fitted; in the order of their names, as
    # the files with the fewest tests are not the quickest, and would be left for the end.
    cores = ("--numprocesses=auto", "--dist=loadfile", "--no-loadscope-reorder")
    program(session, "python", "-m", "pytest", *cores, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and workflows (-- --fix mends what can be mended)."""
    fix = "--fix" in session.posargs
    program(session, "ruff", "check", *(["--fix"] if fix else []))
    program(session, "ruff", "format", *([] if fix else ["--check"]))
    if workflows := [str(path) for path in sorted(Path(".github/workflows").glob("*.yaml"))]:
        program(session, "zizmor", "--offline", "--pedantic", "--quiet", ".github")
        program(session, "actionlint", *workflows)
        schema = ("--builtin-schema", "vendor.github-workflows")
        program(session, "check-jsonschema", *schema, *workflows)


@nox.session
def secrets(session: nox.Session) -> None:
    """Look for keys and passwords in the files of the repository (or in -- FILE ...)."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    told = session.posargs or str(session.run(*listed, silent=True, external=True)).splitlines()
    # A lock is full of hashes, which look like keys; so do digests, so plain hex says nothing here.
    files = [name for name in told if Path(name).is_file() and not name.endswith(".lock")]
    words = ("--no-verify", "--disable-plugin", "HexHighEntropyString")
    program(session, "detect-secrets-hook", *words, *files)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types."""
    program(session, "mypy", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write both locks anew from pyproject.toml (-- --upgrade takes the newest releases)."""
    uv = shutil.which("uv")
    if uv is None:
        session.error("lock needs uv: install it with `pip install uv`")
    # Without header and index: a lock names releases and hashes, never a machine or a host.
    compile_ = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    compile_ += ["--no-header", "--no-annotate", "--python-version", PYTHON, "pyproject.toml"]
    compile_ += ["--group", "framework"]
    groups = [word for group in ("train", "signing", "ship", "dev") for word in ("--group", group)]
    session.run(*compile_, *groups, "-o", LOCK, *session.posargs, silent=True, external=True)
    # Serving takes the releases that training had.
    session.run(*compile_, "-c", LOCK, "-o", SERVING_LOCK, silent=True, external=True)
