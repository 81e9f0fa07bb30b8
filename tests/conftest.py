"""One environment for every baked project, and one trained project for each task."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from baking import CHOICES, Project, bake, environment


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a user with an empty home."""
    return environment(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the projects' environment is made once and shared: their locks are the same."""
    return tmp_path_factory.mktemp("tools")


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
) -> Project:
    """A committed project of each task after its first `nox -s train`; tests only look at it."""
    root = bake(tmp_path_factory.mktemp(request.param), user, task=request.param)
    project = Project(root, user, tools)
    project.commit()
    done = project.nox("train")
    assert done.returncode == 0, done.stdout + done.stderr
    project.commit()
    return project
