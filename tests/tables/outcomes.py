"""python outcomes.py TABLES PROJECT OUT [--step N] [--only PLACE …] [--until STEP] [--seconds N]

PYTHONPATH is PROJECT/src.

Adopt tables into a baked project, one after the other, and note how each one ends: one line of JSON
each in OUT. What is in OUT already is not tried again, so a run that was broken off goes on.

For each table the project is set back by git. All steps are those of a user, in the same order; yet
each one is a fork of a process that has imported the libraries, and four fifths of the time of a
command are its imports. Nothing of the user's package has been imported then.
"""

import argparse
import contextlib
import json
import os
import pkgutil
import re
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn

Found = dict[str, Any]

STAGES = ("ingest", "prepare", "train", "evaluate")
STEPS = ("adopt", "tests", *STAGES)
LIBRARIES = (
    *("pyarrow.parquet", "pandas", "sklearn.ensemble", "sklearn.linear_model", "skops.io"),
    *("mlflow", "mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store"),
    *("mlflow.store.model_registry.sqlalchemy_store", "mlflow.utils.requirements_utils"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg"),
    *("scipy.stats", "jinja2", "pytest", "pyarrow.csv", "pyarrow.dataset", "matplotlib.style"),
    *("dvc.repo", "dvc.cli.parser", "dvc.repo.add", "dvc.commands.add", "networkx", "scmrepo.git"),
    *("alembic.command", "mlflow.tracing.provider"),
    *(it.module for it in entry_points(group="pytest11")),
)
QUICK = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
DEFECT = 70
"""The exit code of a step that ended in a traceback."""
KEPT = ("-e", "mlflow.db")
"""What outlives a table: to make an empty store takes longer than a fit."""


def main() -> None:
    """Try the tables that have not been tried."""
    parser = argparse.ArgumentParser()
    for name in ("tables", "project", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--only", type=int, nargs="*", default=[], help="these places alone")
    parser.add_argument("--step", type=int, default=1, help="every Nth of the tables")
    parser.add_argument("--share", default="0/1", help="I/N: the Ith of N that run side by side")
    parser.add_argument("--until", choices=STEPS, default=STEPS[-1])
    parser.add_argument("--seconds", type=int, default=10**6, help="begin no table after so many")
    said = parser.parse_args()
    steps, began = STEPS[: STEPS.index(said.until) + 1], time.monotonic()
    tables = lines(said.tables / "tables.jsonl")
    done = {it["place"] for it in lines(said.out) if enough(it, steps)}
    begin(said.project)
    wanted = {*said.only} or {it["place"] for it in tables[:: said.step]}
    first, shares = map(int, said.share.split("/"))
    for table in [it for it in spread(tables)[first::shares] if it["place"] in wanted - done]:
        if time.monotonic() - began < said.seconds:
            found = tried(table, said.tables, said.project.resolve(), steps)
            with said.out.open("a", encoding="utf-8") as out:
                out.write(json.dumps(found) + "\n")


def lines(path: Path) -> list[Found]:
    """Return what the lines of a file say; none where it is not there."""
    texts = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [json.loads(text) for text in texts]


def spread(tables: list[Found]) -> list[Found]:
    """Return the tables in an order that has been through every second one before it fills in.

    So a run that is broken off has tried a regular part of the tables: each index by its bits,
    the last one first.
    """
    bits = len(tables).bit_length()
    order = sorted(range(len(tables)), key=lambda it: f"{it:0{bits}b}"[::-1])
    return [tables[it] for it in order]


def enough(found: Found, steps: tuple[str, ...]) -> bool:
    """Tell whether a table has ended, or come as far as is asked for; not where it was stopped."""
    if found["code"] == -signal.SIGTERM:
        return False
    return found["ended"] not in STEPS or found["code"] != 0 or steps[-1] in found["passed"]


def begin(project: Path) -> None:
    """Import what all steps share."""
    os.environ |= QUICK
    sys.path.insert(0, str(project / "src"))
    from mlrails.core import processes

    processes.add_up_in_one_order()
    for name in LIBRARIES:
        import_module(name)
    for module in pkgutil.walk_packages(import_module("mlrails").__path__, "mlrails."):
        # Some need what a project has only where it is served, or trains networks.
        with contextlib.suppress(ImportError):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    # MLflow reads what is installed when it saves a model, and remembers it: a second of work.
    import_module("mlflow.utils.requirements_utils")._init_modules_to_packages_map()


def tried(table: Found, folder: Path, project: Path, steps: tuple[str, ...]) -> Found:
    """Return how a table ends: the steps that it has passed, and what the last one has said."""
    found: Found = {**table, "passed": [], "ended": "no table", "code": 0, "says": "", "cpu": {}}
    if table["file"] is None:
        return found
    for words in (["reset", "-q", "--hard", "baked"], ["clean", "-qffdx", *KEPT]):
        git(project, *words)
    source = (folder / table["file"]).resolve()
    log = project.with_name("step.log")
    for step in steps:
        work = partial(act, step, project, source, table["target"])
        found["code"], found["cpu"][step] = forked(work, log)
        said = log.read_text("utf-8", "replace")
        found["ended"] = step
        if found["code"]:
            found["says"] = said[-3000:] if is_defect(found, said) else sentence(said)
            break
        found["passed"].append(step)
        found |= told(step, project, said)
    if found["ended"] == "adopt" and found["code"]:
        found["left"] = git(project, "status", "--porcelain")
    return found


def git(project: Path, *words: str) -> str:
    """Run git in the project, and return what it prints."""
    return subprocess.run(["git", *words], cwd=project, capture_output=True, text=True).stdout


def forked(work: Callable[[], object], log: Path, seconds: int = 900) -> tuple[int, float]:
    """Do a work in a process of its own, which writes to a log; return its exit code and CPU time.

    The CPU time is in seconds, that of the process's own children included.
    """
    if (process := os.fork()) == 0:
        ended(work, log, seconds)
    _, status, used = os.wait4(process, 0)
    return os.waitstatus_to_exitcode(status), round(used.ru_utime + used.ru_stime, 2)


def ended(work: Callable[[], object], log: Path, seconds: int) -> NoReturn:
    code = DEFECT
    try:
        # Of its own time, so that a table on a machine that is full has as long as any.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        with log.open("wb") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        code = int(work() or 0)  # type: ignore[call-overload]
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else bool(done.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def act(step: str, project: Path, source: Path, target: str) -> object:
    """Be a command of the project."""
    os.chdir(project)
    package = package_of(project)
    if step == "tests":
        import pytest

        return pytest.main(["-q", "-x", "--tb=short", "-p", "no:cacheprovider", "tests"])
    module = f"{package}.steps.{step}" if step in STAGES else package
    sys.argv = [step]
    if step == "adopt":
        # Joined, as a column's name may begin as an option does.
        sys.argv = [package, step, str(source), f"--target={target}", "--yes"]
    return runpy.run_module(module, run_name="__main__", alter_sys=True)


def package_of(project: Path) -> str:
    """Return the name of the user's package."""
    return next(it.parent.name for it in project.glob("src/*/schema.py"))


def is_defect(found: Mapping[str, Any], said: str) -> bool:
    """Tell whether what ended a step is no sentence that says what to do."""
    last = [it for it in said.splitlines() if it.startswith("error: ")]
    named = found["code"] in {1, 2} and len(last) == 1 and found["ended"] != "tests"
    return not named or "Traceback (most recent" in said


def sentence(said: str) -> str:
    """Return the sentence of an error, of which a terminal would see one line."""
    return said[said.index("error: ") + len("error: ") :].strip()


def told(step: str, project: Path, said: str) -> Found:
    """Return what is worth noting after a step."""
    if step == "adopt":
        params = read_yaml(project / "params.yaml")
        about = {"task": params["task"], "by": params["split"]["by"]}
        if rows := re.search(r": ([\d,]+) rows?, ([\d,]+) columns?", said):
            about |= {"rows": number(rows[1]), "columns": number(rows[2])}
        return about
    if step == "evaluate":
        figures = json.loads((project / "reports/metrics.json").read_text("utf-8"))
        primary = figures["primary"]
        metric = figures["test"][primary]
        return {"metric": primary, "figure": metric["models"]["model"], "gains": metric["gains"]}
    return {}


def number(written: str) -> int:
    return int(written.replace(",", ""))


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says."""
    import yaml

    return yaml.safe_load(path.read_text("utf-8"))


if __name__ == "__main__":
    main()
