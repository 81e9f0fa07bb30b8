"""Every command of the template: `nox -l` lists them, `nox` alone runs the tests.

The template's own tools live in `.nox/template`, made of requirements-dev.lock: with uv where it is
installed, else with virtualenv. What a baked project needs, it installs itself.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import nox

HERE = Path(__file__).parent
PROJECT = "{{cookiecutter.project_slug}}"
LOCK = "requirements-dev.lock"
ENGINE = f"{PROJECT}/src/mlrails"
ENGINE_LOCK = f"{PROJECT}/overlays/framework/scikit-learn/{LOCK}"
# Beside the environments, as cookiecutter would take what lies in the project for files of it; also
# in a shell that wants none beside its sources.
BYTE_CODE = {
    "PYTHONPYCACHEPREFIX": str(HERE / ".nox" / "byte-code"),
    "PYTHONDONTWRITEBYTECODE": "",
}
TABLES = Path("tests", "tables")
TABLES_LOCK = "requirements.lock"
# Each worker takes whichever file of tests is next, as its tests share what they have baked and
# trained (tests/conftest.py says which do not). There is one more than cores, as jobs wait for git,
# archives and servers.
SIDE_BY_SIDE = ("--dist", "loadgroup", "--numprocesses")
IN_ORDER = "--no-loadscope-reorder"
OF_THE_ENGINE = ("--dist", "loadfile", "--numprocesses", "2")
# Between them they run every test once but the proof's, which is for before a release.
TESTS, STORIES = "not slow or covering", "slow and not covering and not proof"
TYPED = ("--strict", "--ignore-missing-imports", "local_extensions.py", "noxfile.py", "release.py")
WORKFLOWS = (".github", f"{PROJECT}/overlays/forge/github/.github")

nox.options.sessions = ["tests"]
# The environments are made below, whatever NOX_DEFAULT_VENV_BACKEND takes for all of a shell's own.
offered = partial(nox.session, venv_backend="none")


def program(session: nox.Session, *command: str, env: dict[str, str] | None = None) -> None:
    """Run a program of the template's environment, made or brought up to date first."""
    run(session, install(session, "template", LOCK), *command, env=env)


def beside_engine(session: nox.Session, *command: str, folder: Path = HERE, **more: str) -> None:
    """Run a program where the engine can be imported, with all that a project installs for it."""
    source = str(HERE / PROJECT / "src")
    programs = install(session, "engine", ENGINE_LOCK)
    with session.chdir(folder):
        run(session, programs, *command, env={"PYTHONPATH": source, "MYPYPATH": source, **more})


def test(session: nox.Session, *words: str, env: dict[str, str] | None = None) -> None:
    """Run tests of the template, or of what the session is told after them."""
    program(session, "python", "-m", "pytest", *words, *session.posargs, env=env)


def test_engine(session: nox.Session, *words: str, **more: str) -> None:
    """Run tests of the engine, which have a folder of their own."""
    beside_engine(session, "python", "-m", "pytest", *words, folder=HERE / "tests/mlrails", **more)


def run(
    session: nox.Session, programs: Path, *command: str, env: dict[str, str] | None = None
) -> None:
    """Run a program of an environment whose programs lie in a folder."""
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    variables = {"PATH": path, **BYTE_CODE, **(env or {})}
    session.run(str(programs / command[0]), *command[1:], env=variables, external=True)


def install(session: nox.Session, name: str, lock: str) -> Path:
    """Make the environment of a lock, unless it is there; return the folder of its programs."""
    environment = session.cache_dir.absolute().with_name(name)
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    made_of = environment / "made-of"
    wanted = hashlib.sha256(str(environment).encode() + (HERE / lock).read_bytes()).hexdigest()
    if not made_of.is_file() or made_of.read_text("utf-8") != wanted:
        make, add = tools(programs / "python")
        session.run_install(*make, str(environment), external=True)
        session.run_install(*add, "--require-hashes", "-r", str(HERE / lock), external=True)
        made_of.write_text(wanted, "utf-8")
    return programs


def tools(python: Path) -> tuple[list[str], list[str]]:
    """Return the commands that make an environment and that install into it."""
    if uv := shutil.which("uv"):
        make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable]
        return make, [uv, "pip", "install", "--quiet", "--python", str(python)]
    make = [sys.executable, "-m", "virtualenv", "--quiet", "--clear"]
    return make, [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def bake_into(session: nox.Session, folder: Path, *answers: str) -> Path:
    """Bake a project into a folder without asking; return the project's folder."""
    program(session, "cookiecutter", str(HERE), "--no-input", "--output-dir", str(folder), *answers)
    baked = [path for path in folder.iterdir() if (path / "params.yaml").is_file()]
    if not baked:  # nox --install-only leaves out what sessions do with the environment
        session.skip("the environment is there, and nothing was baked")
    return baked[0]


@offered
def train(session: nox.Session) -> None:
    """Bake the default answers (or -- NAME=ANSWER ...) and train there."""
    project = bake_into(session, Path(tempfile.mkdtemp(prefix="train-")), *session.posargs)
    session.chdir(project)
    session.run(sys.executable, "-m", "nox", "-s", "train", external=True)
    session.log(f"the report is {project / 'reports' / 'report.html'}")


@offered
def bake(session: nox.Session) -> None:
    """Bake one combination for a look (-- FOLDER NAME=ANSWER ...)."""
    if not session.posargs:
        session.error("say where to: nox -s bake -- FOLDER task=regression")
    folder, *answers = session.posargs
    Path(folder).mkdir(parents=True, exist_ok=True)
    session.log(f"the project is in {bake_into(session, Path(folder), *answers)}")


@offered
def tests(session: nox.Session) -> None:
    """Run the engine's tests and the template's (-- -m "not slow": the template's quick ones)."""
    if not session.posargs:
        test_engine(session, *OF_THE_ENGINE)
    # In the order of their names: of these, files with few tests are slow.
    chosen = () if session.posargs else ("-m", TESTS)
    test(session, *SIDE_BY_SIDE, "3", IN_ORDER, *chosen)


@offered
def engine(session: nox.Session) -> None:
    """Run the engine's tests alone (-- gate/test_checks.py)."""
    test_engine(session, *(session.posargs or OF_THE_ENGINE))


@offered
def stories(session: nox.Session) -> None:
    """Run what takes longer: workflows and attacks on a forge here, frameworks, containers."""
    # The files with most tests come first, and what goes alone fills the rest.
    test(session, *SIDE_BY_SIDE, "3", "-m", STORIES)


@offered
def proof(session: nox.Session) -> None:
    """Run the long tests alone, each as often as it takes to believe it."""
    if not session.posargs:  # How often gate and monitor are wrong, known to a percent.
        rates = ("gate/test_rates.py", "gate/test_rates_of_metrics.py")
        test_engine(session, *rates, GATE_SIMULATIONS="1000")
        test_engine(session, "monitoring/test_drift_rates.py", MONITOR_SIMULATIONS="300")
        test_engine(session, "adopt/test_hostile.py", HOSTILE_TABLES="500")
    test(session, *SIDE_BY_SIDE, "2", IN_ORDER, "-m", "slow", env={"PROOF": "true"})


@offered
def tables(session: nox.Session) -> None:
    """Adopt other people's tables (-- --step N --seconds N), and write docs/own-data.md of them.

    Some of them go all the way to a model in use. It goes on where it was broken off: what has
    been tried of this template lies in .nox/tried.
    """
    here = session.cache_dir.absolute().with_name("tried")
    here.mkdir(parents=True, exist_ok=True)
    if not (here / "tables.jsonl").is_file():
        programs = install(session, "tables", str(TABLES / TABLES_LOCK))
        run(session, programs, "python", str(TABLES / "export.py"), str(here))
    if not (project := here / "bake" / "flight-delays").is_dir():
        bake_into(session, here / "bake")
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Bake"], ["tag", "baked"]):
            session.run("git", "-C", str(project), *words, external=True)
    programs = install(session, "engine", ENGINE_LOCK)
    source = os.pathsep.join([str(project / "src"), str(HERE)])
    tried, in_use = (str(here / name) for name in ("outcomes.jsonl", "in_use.jsonl"))
    for name, *words in (("outcomes.py", tried, *session.posargs), ("in_use.py", in_use)):
        command = (str(TABLES / name), str(here), str(project), *words)
        run(session, programs, "python", *command, env={"PYTHONPATH": source})
    program(session, "python", "-m", "tests.tables.page", tried, in_use)


@offered
def lint(session: nox.Session) -> None:
    """Check style, types and workflows of the template, and of the project's source in place."""
    # No cache in the template's folder: cookiecutter would take it for a file of the project.
    # Before a bake the folder is no name of a package, its pyproject.toml has no version, and the
    # package that the tests import is not there.
    ours = "lint.isort.known-first-party=['flight_delays']"
    rules = ("--no-cache", "--extend-ignore", "N999,RUF200", "--config", ours)
    # A project leaves the engine out, so it is named here.
    for folder in (".", ENGINE):
        program(session, "ruff", "check", *rules, folder)
        program(session, "ruff", "format", "--no-cache", "--check", folder)
    program(session, "mypy", "--cache-dir", os.devnull, *TYPED)
    settings = ("--config-file", f"{PROJECT}/pyproject.toml", "--cache-dir", os.devnull)
    beside_engine(session, "mypy", *settings, ENGINE)
    with tempfile.TemporaryDirectory() as name:  # The user's files are a package once baked.
        project = bake_into(session, Path(name))
        beside_engine(session, "mypy", "--cache-dir", os.devnull, folder=project)
    schema = ("--builtin-schema", "vendor.github-workflows")
    for folder in WORKFLOWS:
        workflows = [str(path) for path in sorted(Path(folder, "workflows").glob("*.yaml"))]
        program(session, "zizmor", "--offline", "--pedantic", "--quiet", folder)
        program(session, "actionlint", *workflows)
        program(session, "check-jsonschema", *schema, *workflows)


@offered
def bench(session: nox.Session) -> None:
    """Measure speed and size of a baked project on this machine, and print the table."""
    program(session, "python", "-m", "tests.bench", *session.posargs)


@offered
def update(session: nox.Session) -> None:
    """Bring a project up to this template (-- PROJECT), also one that has no `update` itself."""
    if not session.posargs:
        session.error("say which project: nox -s update -- ../my-project")
    project, *words = session.posargs
    where = ("--project", str(Path(project).absolute()))
    to = () if "--to" in words else ("--to", str(HERE))
    source = {"PYTHONPATH": str(HERE / PROJECT / "src")}
    program(session, "python", "-m", "mlrails.update", *where, *to, *words, env=source)


@offered
def docs(session: nox.Session) -> None:
    """Draw the project's pages anew that are made of the engine: its imports, and its metrics."""
    program(session, "python", "tests/mlrails/house.py")
    beside_engine(session, "python", "tests/mlrails/metric_page.py")


@offered
def release(session: nox.Session) -> None:
    """Make a version (-- 1.2.3) of what `changes/` tells; it is yours to commit and to tag."""
    program(session, "python", "release.py", *session.posargs)


@offered
def lock(session: nox.Session) -> None:
    """Write the template's lock and the locks of every framework anew (-- --upgrade)."""
    uv = shutil.which("uv")
    if uv is None:
        session.error("lock needs uv: install it with `pip install uv`")
    compile_ = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    compile_ += ["--no-header", "--no-annotate", "--python-version", "3.11"]
    session.run(
        *compile_, "requirements-dev.in", "-o", LOCK, *session.posargs, silent=True, external=True
    )
    kept = str(TABLES / TABLES_LOCK)
    asked = (str(TABLES / "requirements.in"), "-o", kept, *session.posargs)
    session.run(*compile_, *asked, silent=True, external=True)
    for overlay in sorted(Path(PROJECT, "overlays", "framework").iterdir()):
        with tempfile.TemporaryDirectory() as folder:
            project = bake_into(session, Path(folder), f"framework={overlay.name}")
            with session.chdir(project):
                # A build that lies on this machine would be pinned beside the release of the index.
                session.run(
                    *(sys.executable, "-m", "nox", "-s", "lock", "--", *session.posargs),
                    env={"UV_FIND_LINKS": None, "UV_TORCH_BACKEND": None},
                    external=True,
                )
            for name in ("requirements.lock", "requirements-dev.lock"):
                shutil.copy(project / name, overlay / name)
