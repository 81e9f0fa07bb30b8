"""Nox, ours and the project's: which tests its sessions run, and what its environment imports."""

import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from baking import ROOT, Project, bake


@pytest.fixture
def project(user: Mapping[str, str], tmp_path: Path) -> Project:
    """Return a project that needs no package, so that an environment takes no time."""
    root = bake(tmp_path / "bake", user)
    (root / "requirements-dev.lock").write_text("# none\n", "utf-8")
    return Project(root, user, root / ".nox")


def make(project: Project, *words: str) -> None:
    """Make the project's environment, and run nothing in it."""
    command = [sys.executable, "-m", "nox", "--install-only", "-s", "train", *words]
    done = subprocess.run(command, cwd=project.root, env=project.env, capture_output=True)
    assert done.returncode == 0, done.stderr


def imported(python: str, package: str, folder: Path, **variables: str) -> str:
    """Return the file that a plain Python, started in a folder, takes for the package."""
    code = f"import {package}; print({package}.__file__)"
    done = subprocess.run(
        [python, "-c", code], cwd=folder, env=variables, capture_output=True, text=True
    )
    return done.stdout.strip()


def own(project: Project) -> str:
    return str(project.root / "src" / project.package / "__init__.py")


def test_the_package_is_imported_from_any_folder_without_a_variable(
    project: Project, tmp_path: Path
) -> None:
    make(project)
    assert imported(project.python, project.package, tmp_path) == own(project)
    # An environment of before has no such file, and gets one.
    for path in project.root.glob(".nox/project/lib/*/site-packages/src.pth"):
        path.unlink()
    assert imported(project.python, project.package, tmp_path) == ""
    make(project)
    assert imported(project.python, project.package, tmp_path) == own(project)


def test_a_project_that_was_moved_imports_its_code_where_it_is(
    project: Project, tmp_path: Path
) -> None:
    make(project)
    shutil.move(project.root, tmp_path / "moved")
    moved = Project(tmp_path / "moved", project.env, tmp_path / "moved" / ".nox")
    make(moved)
    assert imported(moved.python, moved.package, tmp_path) == own(moved)


def test_a_shared_environment_leads_nobody_to_a_neighbours_code(
    project: Project, tmp_path: Path
) -> None:
    make(project, "--envdir", str(tmp_path / "shared"))
    python = str(tmp_path / "shared" / "project" / "bin" / "python")
    assert imported(python, project.package, tmp_path) == ""


def test_a_copy_imports_its_own_code_where_it_says_so(project: Project, tmp_path: Path) -> None:
    make(project)
    copy = project.copy(tmp_path / "copy")
    # What nox, a trial, a rebuilt version and each stage of DVC set.
    found = imported(project.python, project.package, tmp_path, PYTHONPATH=str(copy.root / "src"))
    assert found == own(copy)
    # What MLproject's entry points do.
    code = f"import {project.package}; print({project.package}.__file__)"
    done = subprocess.run(
        [project.python, "-c", code], cwd=copy.root / "src", env={}, capture_output=True, text=True
    )
    assert done.stdout.strip() == own(copy)


def test_a_shell_that_wants_no_byte_code_beside_its_sources_has_it_elsewhere(
    project: Project,
) -> None:
    project.nox("history", PYTHONDONTWRITEBYTECODE="1")
    kept = project.tools / "project" / "byte-code"
    assert [it.name for it in kept.rglob(f"{project.package}/*.pyc")]
    assert not [*project.root.glob("src/**/__pycache__")]
    # Whoever keeps it in a place of their own goes on to do so; whoever said nothing, as Python.
    own = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(project.root / "own")}
    project.nox("history", **own)
    assert [*(project.root / "own").rglob("*.pyc")]
    project.nox("history")
    assert [*project.root.glob("src/**/__pycache__")]


@pytest.mark.parametrize("backend", ["uv", "conda"])
def test_what_a_shell_takes_for_environments_of_its_own_makes_none_of_ours(
    project: Project, backend: str
) -> None:
    project.nox("history", NOX_DEFAULT_VENV_BACKEND=backend)
    assert sorted(it.name for it in project.tools.iterdir()) == [".cache", "project"]
    # The template's as well.
    listed = {**project.env, "NOX_DEFAULT_VENV_BACKEND": backend}
    command = [sys.executable, "-m", "nox", "--envdir", str(project.tools / "of"), "-s", "bake"]
    done = subprocess.run(command, cwd=ROOT, env=listed, capture_output=True, text=True)
    assert done.returncode == 1 and "say where to" in done.stderr + done.stdout


def test_every_test_of_the_template_runs_in_one_session_and_in_no_other() -> None:
    text = (ROOT / "noxfile.py").read_text("utf-8")
    (chosen,) = re.findall(r'(?m)^TESTS, STORIES = "(.*)", "(.*)"$', text)
    marks = "slow", "covering", "proof"
    for there in itertools.product((False, True), repeat=len(marks)):
        chosen_by = [eval(it, {}, dict(zip(marks, there, strict=True))) for it in chosen]  # noqa: S307
        # What is for the proof alone is slow and covers nothing, which the mark says.
        assert sum(chosen_by) == (there != (True, False, True)), there


LONGEST = 130
"""Lines of a project's noxfile, its forge's sessions included."""


def test_the_projects_noxfile_is_short_and_says_what_each_session_does(project: Project) -> None:
    text = (project.root / "noxfile.py").read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "-l"],
        cwd=project.root,
        env=project.env,
        capture_output=True,
        text=True,
    ).stdout
    sessions = dict(re.findall(r"(?m)^[*-] (\w+) -> (.+)$", listed))
    assert len(sessions) == len(re.findall(r"(?m)^[*-] ", listed)) > 25
    of_the_forge = ["review", "prove", "comment", "watch", "issue", "forge"]
    assert [*sessions][-7:] == ["lock", *of_the_forge]
    assert re.findall(r"(?m)^\* (\w+)", listed) == ["train"]


GROUPED = """
import os, pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("turn", range(6))
def test_group(turn):
    with open("workers", "a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def test_what_shares_a_model_stays_with_one_worker(tmp_path: Path) -> None:
    """Releases that do not know each other lose the groups without a word, and all train anew."""
    (tmp_path / "test_grouped.py").write_text(GROUPED, "utf-8")
    command = (sys.executable, "-m", "pytest", "-q", "--dist", "loadgroup", "--numprocesses", "2")
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    workers = (tmp_path / "workers").read_text("utf-8").split()
    assert len(workers) == 6 and len(set(workers)) == 1
