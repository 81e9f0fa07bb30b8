"""Packages that are missing or of another version are said with the command that mends them."""

import os
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import rows

from mlrails.core.errors import WorldError, installing
from mlrails.core.layout import LOCK
from mlrails.pipeline import run

NUMPY = metadata.version("numpy")


def check(folder: Path, *pins: str) -> None:
    lines = (f"{pin} \\\n    --hash=sha256:ab\n" for pin in pins)
    (folder / "requirements.lock").write_text("".join(lines))
    run.check_installed(folder)


def test_this_environment_is_the_locks() -> None:
    run.check_installed(rows.ROOT)


def test_one_of_several_releases_and_what_another_system_needs_are_fine(tmp_path: Path) -> None:
    releases = ("numpy==1.0 ; python_full_version < '3.9'", f"numpy=={NUMPY} ; sys_platform == 'x'")
    check(tmp_path, *releases, "no-such-package==1.0 ; sys_platform == 'win32'")


def test_a_build_of_a_release_is_that_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: "2.13.0+cpu")
    check(tmp_path, "torch==2.13.0")


def test_another_version_is_named_with_the_one_wanted_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(WorldError) as caught:
        check(tmp_path, "numpy==1.0")
    mended = f"`{installing(tmp_path / LOCK)}` mends it"
    assert str(caught.value) == f"numpy {NUMPY}: requirements.lock names 1.0; {mended}"


def test_the_remedy_works_in_any_folder_and_for_this_environment(tmp_path: Path) -> None:
    command = shlex.split(installing(rows.ROOT / LOCK))
    assert sys.executable in command
    done = subprocess.run(
        [*command, "--dry-run"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stderr


def test_without_uv_the_remedy_is_pips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert installing() == shlex.join(
        [sys.executable, "-m", "pip", "install", "-r", "requirements-dev.lock"]
    )


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"no-such-package is not installed: .* names 1\.0"):
        check(tmp_path, "no-such-package==1.0")


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("absent", f"error: absent is not installed; `{installing()}` installs it"),
        (f"{rows.PACKAGE}.absent", "Traceback"),
    ],
)
def test_a_verb_that_lacks_a_package_says_so(module: str, sentence: str) -> None:
    code = f"""
import runpy, sys
from mlrails.cli import app
@app.app.command()
def unheard():
    import {module}
sys.argv[1:] = ["unheard"]
runpy.run_module({rows.PACKAGE!r}, run_name="__main__")
"""
    environment = os.environ | {"PYTHONPATH": str(rows.ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert sentence in done.stderr, done.stderr
    assert ("Traceback" in done.stderr) == (sentence == "Traceback")
