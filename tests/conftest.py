"""One environment for every baked project, and one trained project for each task."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import container
import pytest
from baking import CHOICES, WARM, Once, Project, bake, environment
from filelock import FileLock
from warm import FORKS, Warm

pytest_plugins = ["forge_stories"]
"""Its fixtures are those of three files."""


_LEFT_OUT, _OUT = pytest.StashKey[int](), "left_out"
"""How many tests of containers a worker has left out, as pytest-xdist hands it over."""
LONGEST_OF_THE_QUICK = "test_update"
"""Half a second each, and there are many: left for the end, two workers would wait for them."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the tests of a file stay with one worker, as they share what they have trained.

    A story of the forge needs nothing that another has made; frameworks share nothing, nor do the
    tasks whose first models are looked at.
    """
    if not item.get_closest_marker("forge"):
        called = getattr(item, "callspec", None)
        of = [called.params.get(it, "") for it in ("framework", "trained")] if called else []
        item.add_marker(pytest.mark.xdist_group("".join([item.path.stem, *of])))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of containers where none can run; on a machine of CI they fail there.

    A Linux is always able to, with what .ci/run installs; other systems never are.
    """
    items.sort(key=_place)
    if os.environ.get("CI") and sys.platform == "linux":
        return
    wanted = [it for it in items if it.get_closest_marker("container")]
    if wanted and container.hindrance():
        config.stash[_LEFT_OUT] = len(wanted)
        config.hook.pytest_deselected(items=wanted)
        items[:] = [it for it in items if it not in wanted]


def _place(item: pytest.Item) -> int:
    """Return when a test's turn is: long files first, and what goes alone, and is short, last."""
    if item.get_closest_marker("covering") or item.path.stem == LONGEST_OF_THE_QUICK:
        return 0
    return 2 if item.get_closest_marker("forge") else 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell pytest-xdist's controller what a worker has left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_OUT] = session.config.stash.get(_LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it over: every worker collects all tests, so all of them say the same."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get(_OUT, 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say aloud what was left out, and why."""
    if left_out := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.section("not tested: the image in a container", yellow=True, bold=True)
        terminalreporter.line(f"{left_out} tests were left out: {container.hindrance()}")


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a user with an empty home."""
    return environment(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return what makes a folder under a name, whichever of the workers needs it first.

    MADE_ONCE is where, when sessions that follow each other need the same (`.ci/run`).
    """
    ours = tmp_path_factory.getbasetemp()
    ours = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    shared = Path(os.environ.get("MADE_ONCE") or ours / "once")

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        done.parent.mkdir(exist_ok=True)
        with FileLock(f"{done}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def tools(once: Once, user: Mapping[str, str]) -> Iterator[Path]:
    """Where the projects' environment is made once and shared: their locks are the same."""

    def installed(folder: Path) -> None:
        project = Project(bake(folder / "bake", user), user, folder)
        done = project.nox("train", "--install-only")
        assert done.returncode == 0, done.stdout + done.stderr

    made = once("tools", installed)
    warm = Warm(Project(made, user, made).python)
    if FORKS:
        WARM[warm.python] = warm
    yield made
    warm.end()


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
