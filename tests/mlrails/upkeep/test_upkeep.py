"""What keeps a project in order, with programs that only write down how they were called."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlrails.core.errors import Exit, UsageError
from mlrails.upkeep import lint, lock, secrets

Called = Callable[[], list[str]]


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Called:
    """Let every program be one that writes its words down; return what tells them."""
    programs, log = tmp_path / "programs", tmp_path / "called"
    programs.mkdir()
    names = ("ruff", "zizmor", "actionlint", "check-jsonschema", "uv", "detect-secrets-hook")
    for name in names:
        text = f'#!/bin/sh\necho "{name} $@" >> {log}\necho all of {name}\nexit ${{FAILS:-0}}\n'
        (programs / name).write_text(text, "utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return lambda: log.read_text("utf-8").splitlines() if log.exists() else []


def test_style_and_formatting_are_checked_and_workflows_where_there_are_any(called: Called) -> None:
    assert lint.lint([]) is Exit.DONE
    assert called() == ["ruff check", "ruff format --check"]
    workflows = Path(".github", "workflows")
    workflows.mkdir(parents=True)
    for name in ("b.yaml", "a.yaml"):
        (workflows / name).write_text("", "utf-8")
    assert lint.lint(["--fix"]) is Exit.DONE
    both = ".github/workflows/a.yaml .github/workflows/b.yaml"
    assert called()[2:] == [
        "ruff check --fix",
        "ruff format",
        "zizmor --offline --pedantic --quiet .github",
        f"actionlint {both}",
        f"check-jsonschema --builtin-schema=vendor.github-workflows {both}",
    ]


def test_what_finds_something_is_the_last_to_run(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "3")
    assert lint.lint([]) is Exit.WORLD
    assert secrets.search(["a"]) is Exit.WORLD
    assert len(called()) == 2


def test_all_that_git_would_add_is_looked_into_but_the_locks(called: Called) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    for name in ("kept.py", "größer als.py", "requirements.lock", "ignored.py", ".gitignore"):
        Path(name).write_text("ignored.py\n", "utf-8")
    subprocess.run(["git", "add", "kept.py"], check=True)
    assert sorted(secrets.files([], Path())) == [".gitignore", "größer als.py", "kept.py"]
    assert secrets.files(["kept.py", "gone.py", "requirements.lock"], Path()) == ["kept.py"]
    assert secrets.search(["kept.py"]) is Exit.DONE
    how = "-n --disable-plugin=HexHighEntropyString"
    assert called() == [f"detect-secrets-hook {how} kept.py"]


def test_serving_is_locked_to_the_releases_of_training(
    called: Called, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock.lock("3.11", "--upgrade") is Exit.DONE
    every, serving = called()
    assert "--python-version 3.11 pyproject.toml --group=train" in every
    assert every.endswith("-o requirements-dev.lock --upgrade")
    assert serving.endswith("--group=framework -c requirements-dev.lock -o requirements.lock")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("FAILS", "2")
    assert lock.lock("3.11") is Exit.WORLD
    assert len(called()) == 3 and "all of uv" in capsys.readouterr().out


def test_a_lock_without_uv_says_how_to_get_it(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="pip install uv"):
        lock.lock("3.11")
    assert called() == []
