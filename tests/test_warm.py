"""Forks of a process with its imports: each is what `python -m` would be, but for the imports."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from baking import WARM, Project
from warm import FORKS, Warm

SAYS = """
import os, sys
print(__name__, sys.argv[1:], os.getcwd(), os.environ.get("SAID"), sys.stdin.read() == "")
print("heard", file=sys.stderr)
"""
ENDS = {
    "pass": 0,
    "import sys; sys.exit(2)": 2,
    "raise SystemExit('in words')": 1,
    "raise ValueError('wrong')": 1,
    "import os; os._exit(3)": 3,
    "import os; os.kill(os.getpid(), 9)": -9,
}


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    process = Warm(sys.executable)
    yield process
    process.end()


@pytest.fixture
def project(warm: Warm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of one module, whose verbs are forks."""
    programs = tmp_path / "tools" / "project" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / "src" / "own").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('tool.mlrails.package = "own"\n', "utf-8")
    monkeypatch.setitem(WARM, str(programs / "python"), warm)
    return Project(tmp_path, {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1"}, tmp_path / "tools")


def write(project: Project, code: str) -> None:
    (project.root / "src" / "own" / "__main__.py").write_text(code, "utf-8")


if FORKS:

    def test_a_fork_has_its_own_words_folder_variables_and_output(project: Project) -> None:
        write(project, SAYS)
        done = project.verb("one", "two words", SAID="this")
        told = f"__main__ ['one', 'two words'] {project.root} this True\n"
        assert (done.returncode, done.stdout, done.stderr) == (0, told, "heard\n")
        # As a process of its own, which is asked for where Python is told what it reads first.
        alone = project.verb("one", "two words", SAID="this", PYTHONUTF8="1")
        assert (alone.returncode, alone.stdout, alone.stderr) == (0, told, "heard\n")

    def test_it_runs_the_code_of_its_moment(project: Project) -> None:
        for word in ("before", "after"):
            write(project, f"print({word!r})")
            assert project.verb().stdout == f"{word}\n"

    @pytest.mark.parametrize("code", ENDS)
    def test_it_ends_as_it_does_alone(project: Project, code: str) -> None:
        write(project, code)
        done = project.verb()
        assert done.returncode == ENDS[code]
        assert ("Traceback" in done.stderr) is ("ValueError" in code)
        assert (done.stderr == "in words\n") is ("words" in code)

    def test_it_ends_with_whoever_has_started_it(tmp_path: Path) -> None:
        code = (
            "import os, sys; from warm import Warm\n"
            "it = Warm(sys.executable); it.socket; print(it._process.pid, flush=True)\n"
            "os.kill(os.getpid(), 9)\n"
        )
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "TMPDIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert done.returncode == -9
        process = int(done.stdout)
        for _ in range(600):
            if not psutil.pid_exists(process) or psutil.Process(process).status() == "zombie":
                break
            time.sleep(0.1)
        else:
            raise AssertionError(process)

    def test_lines_of_python_are_run_as_well(project: Project) -> None:
        done = project.code("import sys, own\nprint(sys.argv[1:], own.__name__)", "a word")
        assert (done.returncode, done.stdout) == (0, "['a word'] own\n"), done.stderr
