"""Who the project is: what `pyproject.toml` says, and how it is told where that lacks a word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rows
import sample

from mlrails.core import settings
from mlrails.core.errors import UsageError
from mlrails.core.settings import Identity

NAMED = '[project]\nname = "late-flights"\n'
ENGINE = settings.__name__.partition(".")[0]
OURS = '[tool.mlrails]\npackage = "flights"\n'


def test_the_names_of_a_project_are_read(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_text(NAMED + OURS, "utf-8")
    assert settings.read_identity(tmp_path) == Identity("late-flights", "flights")


def test_this_project_says_which_package_is_its_own() -> None:
    assert (
        rows.ROOT / "src" / settings.read_identity(rows.ROOT).package / "estimator.py"
    ).is_file()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, r"pyproject\.toml: is not in .*; restore it from git"),
        ("[project", r"pyproject\.toml: is no TOML \(.*\); mend it"),
        (b"\xff", r"pyproject\.toml: is no TOML \(.*utf-8.*\); mend it"),
        (OURS, r'pyproject\.toml: \[project\] says no name; write there name = "…"'),
        (f'project = "x"\n{OURS}', r"\[project\] says no name"),
        (NAMED, r'pyproject\.toml: \[tool\.mlrails\] says no package; write there package = "…"'),
        (f"{NAMED}[tool.mlrails]\npackage = 3\n", r"\[tool\.mlrails\] says no package"),
        (f'{NAMED}[tool.mlrails]\npackage = " "\n', r"\[tool\.mlrails\] says no package"),
    ],
)
def test_what_is_not_said_is_named(tmp_path: Path, text: str | bytes | None, words: str) -> None:
    if text is not None:
        (tmp_path / settings.FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=words):
        settings.read_identity(tmp_path)


@pytest.fixture
def another(tmp_path: Path) -> Path:
    """Return another copy of the project, in which the code of this one must not work."""
    for mark in ("dvc.yaml", "params.yaml"):
        (tmp_path / mark).touch()
    rows.write_pyproject(tmp_path)
    (tmp_path / "src" / ENGINE).mkdir(parents=True)
    return tmp_path


def test_the_code_of_a_project_is_its_own(another: Path) -> None:
    settings.check_code(sample.SHIPPED)  # whose engine is what the tests import
    words = rf"its code is not what runs here, .*PYTHONPATH={another / 'src'}"
    with pytest.raises(UsageError, match=words):
        settings.check_code(another)
    (another / "src" / ENGINE).rmdir()
    settings.check_code(another)


@pytest.mark.parametrize("words", [" history", " --help", ".steps.prepare"])
def test_no_command_and_no_stage_works_on_another_copy(another: Path, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *f"{rows.PACKAGE}{words}".split()],
        cwd=another,
        env=os.environ | {"PYTHONPATH": str(rows.ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.startswith("error: ")) == (2, True)
    assert "its code is not what runs here" in done.stderr and "Traceback" not in done.stderr
