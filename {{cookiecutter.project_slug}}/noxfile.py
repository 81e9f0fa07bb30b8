"""Every command of this project: `nox -l` lists them, `nox` alone trains.

All share `.nox/project`, made of requirements-dev.lock, which imports what is in `src` anywhere.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import nox

PACKAGE = "{{ cookiecutter.package_name }}"
PYTHON = Path("python_env.yaml").read_text("utf-8").partition('python: "')[2].partition('"')[0]
LOCK = "requirements-dev.lock"
SESSIONS = (
    ("adopt", "Make your own table the project's data (-- SOURCE --target COLUMN --yes)."),
    ("train", "Bring the pipeline up to date, track it, and print the figures."),
    ("evaluate", "Make the report of the model that is there, without training."),
    ("tune", "Search better hyperparameters on validation rows (-- --trials N --timeout S)."),
    ("register", "Version the model by its digest."),
    ("gate", "Compare the model with the champion, and write the verdict."),
    ("promote", "Register, gate, and make the model champion when the verdict allows it."),
    ("holdout", "Tell of the final rows that are kept (docs/tune.md), and open them (-- --open)."),
    ("rollback", "Make the previous champion (-- VERSION --reason WHY) the champion again."),
    ("reproduce", "Make a version (-- VERSION) again from its commit, data and lock, and compare."),
    ("history", "Tell who was champion when, why, by which commit, by whom (-- --json)."),
    ("serve", "Answer requests with the champion (-- --host --port --version --alias)."),
    ("predict", "Score a file, a folder or a glob with the champion (-- INPUT OUTPUT)."),
    ("monitor", "Say whether the champion's world has changed (-- DATA --from DAY --to DAY)."),
    ("retrain", "Let newer rows count, train, and hold the gate (-- --until DAY --recalibrate)."),
    ("explain", "Tell what moved a prediction (-- ROW: JSON, FILE:N or a test row's number)."),
    ("fetch", "Lay the champion's checked bytes into a folder (-- FOLDER --version --alias)."),
    ("image", "Lay out what docker makes an image of that serves the champion."),
    ("sagemaker", "Serve the image on Amazon SageMaker (-- plan|deploy|delete --image --role)."),
    ("ui", "Show the runs in MLflow's web pages (-- --host --port)."),
    ("push", "Send data and models to the DVC remote."),
    ("pull", "Fetch the data and models of this commit from the DVC remote."),
    ("tests", "Run the project's tests on all cores (arguments go to pytest)."),
    ("update", "Merge a newer template in (-- --to, --eject)."),
    ("types", "Check the types."),
    ("lint", "Check style, formatting and workflows (-- --fix mends what can be mended)."),
    ("secrets", "Look for keys and passwords in the files of the repository (or in -- FILE ...)."),
    ("lock", "Write both locks anew from pyproject.toml (-- --upgrade takes the newest releases)."),
)
# A file to a worker, as its tests share what they have fitted; the quickest are not the smallest.
PYTEST = ("python", "-m", "pytest", "-n", "auto", "--dist=loadfile", "--no-loadscope-reorder")
COMMANDS = {  # Of the sessions that are no verb; nox's own Python needs no environment.
    "tests": PYTEST,
    "update": ("python", "-m", "mlrails.update"),
    "types": ("mypy",),
    "lint": ("python", "-m", "mlrails.upkeep.lint"),
    "secrets": ("python", "-m", "mlrails.upkeep.secrets"),
    "lock": (sys.executable, "-m", "mlrails.upkeep.lock", PYTHON),
}
nox.options.sessions = ["train"]


def offer(name: str, sentence: str, *command: str) -> None:
    """Make a session that runs a program with the session's arguments, by default a verb."""

    def act(session: nox.Session) -> None:
        first, *words = command or ("python", "-m", PACKAGE, name)
        programs = Path(first).parent if Path(first).is_absolute() else install(session)
        path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
        # Where projects share an environment (--envdir), each imports its own code all the same.
        source, us = str(Path("src").absolute()), str(os.getpid())
        env = {"PATH": path, "PYTHONPATH": source, "STARTED_BY": us, **byte_code(programs.parent)}
        called = (str(programs / first), *words, *session.posargs)
        # After a Ctrl-C a server answers what it has taken, and a run says that it has ended.
        session.run(*called, env=env, external=True, interrupt_timeout=30, terminate_timeout=5)

    act.__doc__ = sentence
    nox.session(name=name, venv_backend="none")(act)  # Whatever a shell takes for all of its own.


def byte_code(environment: Path) -> dict[str, str]:
    """Keep byte code in the environment where none is to lie beside the sources."""
    # Without any, each command compiles its libraries anew, which takes as long as all its work.
    if not os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return {}
    folder = os.environ.get("PYTHONPYCACHEPREFIX") or str(environment / "byte-code")
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}


def install(session: nox.Session) -> Path:
    """Make the environment of the lock, unless it is there; return the folder of its programs."""
    environment = session.cache_dir.absolute().with_name("project")
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    made_of = environment / "made-of"
    # An environment names itself by absolute paths, so one that was moved is made anew.
    parts = [PYTHON, str(environment), Path(LOCK).read_text("utf-8")]
    wanted = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    if not made_of.is_file() or made_of.read_text("utf-8") != wanted:
        python, uv = str(programs / "python"), shutil.which("uv")
        make = (uv, "venv") if uv else (sys.executable, "-m", "virtualenv")
        add = (uv, "pip", "install", "--python", python) if uv else (python, "-m", "pip", "install")
        fresh = ("--quiet", "--clear", "--python", PYTHON, str(environment))
        session.env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        session.run_install(*make, *fresh, external=True)
        # Both tools hold every release that the lock names against its hashes.
        session.run_install(*add, "--quiet", "-r", LOCK, external=True)
        made_of.write_text(wanted, "utf-8")
    if Path.cwd() in environment.parents:  # One that others share would lead them to this project.
        let_import(environment, str(Path("src").absolute()))
    return programs


def let_import(environment: Path, source: str) -> None:
    """Let the environment's Python import what lies in a folder, wherever it is started."""
    for site in (*environment.glob("lib/python*/site-packages"), *environment.glob("Lib/site-p*")):
        if not (path := site / "src.pth").is_file() or path.read_text(errors="replace") != source:
            path.write_text(source, errors="replace")  # Python reads it in the machine's encoding.


for name, said in SESSIONS:
    offer(name, said, *COMMANDS.get(name, ()))
