"""One environment for every baked project, and one trained project for each task."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from baking import CHOICES, Once, Project, bake, environment
from filelock import FileLock

pytest_plugins = ["forge_stories"]
"""Its fixtures are those of three files."""


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a user with an empty home."""
    return environment(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return what makes a folder under a name, whichever of the workers needs it first."""
    ours = tmp_path_factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / "once" / name, shared / "once" / f"{name}.done"
        done.parent.mkdir(exist_ok=True)
        with FileLock(f"{done}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def tools(once: Once, user: Mapping[str, str]) -> Path:
    """Where the projects' environment is made once and shared: their locks are the same."""

    def installed(folder: Path) -> None:
        project = Project(bake(folder / "bake", user), user, folder)
        done = project.nox("train", "--install-only")
        assert done.returncode == 0, done.stdout + done.stderr

    return once("tools", installed)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tell the stories of one task: what goes wrong on a bad day does not depend on it."""
    if "trained" in metafunc.fixturenames and not _says_itself(metafunc):
        stories = metafunc.module.__name__.endswith("stories")
        metafunc.parametrize("trained", CHOICES["task"][: 1 if stories else None], indirect=True)


def _says_itself(metafunc: pytest.Metafunc) -> bool:
    marks = metafunc.definition.iter_markers("parametrize")
    return any("trained" in str(mark.args[0]) for mark in marks)


@pytest.fixture(scope="session")
def trained(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    user: Mapping[str, str],
    tools: Path,
    once: Once,
) -> Project:
    """A committed project of each task after its first `nox -s train`; tests only look at it."""

    def train(folder: Path) -> None:
        project = Project(bake(folder, user, task=request.param), user, tools)
        project.commit()
        done = project.nox("train")
        assert done.returncode == 0, done.stdout + done.stderr
        project.commit()

    (root,) = once(f"trained-{request.param}", train).iterdir()
    there = Project(root, user, tools)
    return there.copy(tmp_path_factory.mktemp(request.param) / root.name)
