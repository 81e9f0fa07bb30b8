"""The command line: every verb is there, answers at once, and ends with the right exit code."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import rows
from typer.main import get_command
from typer.testing import CliRunner

from mlrails.cli import app
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.pipeline import run as pipeline_run
from mlrails.pipeline import worktree
from mlrails.pipeline.dvc import StageFailedError
from mlrails.tracking import pages

HEAVY = {"dvc", "matplotlib", "mlflow", "numpy", "pandas", "pyarrow", "scipy", "sklearn"}


def run(*words: str) -> tuple[int, str]:
    """Run the command line in this process; return its exit code and what stands on stderr."""
    done = CliRunner().invoke(app.app, list(words))
    return done.exit_code, done.stderr


def imported(code: str) -> set[str]:
    """Return the heavy libraries that a process has imported after some code."""
    code += "\nimport sys; print(*sys.modules, file=sys.__stderr__)"
    environment = os.environ | {"PYTHONPATH": str(rows.ROOT / "src")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return HEAVY & set(done.stderr.split())


HELP = f"""
import sys
from mlrails.cli.app import main
sys.argv[1:] = ["--help"]
try:
    main("{rows.PACKAGE}", ())
except SystemExit as end:
    assert not end.code
"""


def test_help_imports_nothing_heavy() -> None:
    assert imported(HELP) == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert "numpy" in imported(f"import {rows.PACKAGE}.features")


OF_A_FORGE = {"review", "prove"}
"""Verbs of jobs: they are there in every project, and sessions where there are workflows."""


def test_every_verb_is_a_session_of_nox() -> None:
    verbs = set(get_command(app.app).commands)  # type: ignore[attr-defined]
    sessions = (rows.ROOT / "noxfile.py").read_text("utf-8")
    assert verbs > OF_A_FORGE
    if not (rows.ROOT / ".github").is_dir():
        verbs -= OF_A_FORGE
    assert [verb for verb in verbs if f'("{verb}", "' not in sessions] == []


@pytest.fixture
def calls(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let the acts do nothing, and tell with what they were called."""
    seen: list[object] = []

    @contextmanager
    def copy(here: Settings, changes: dict[str, str]) -> Iterator[Settings]:
        seen.append(("copy", changes))
        yield Settings(Path("copy"))

    monkeypatch.setattr(worktree, "copy", copy)
    for verb in ("train", "evaluate"):
        monkeypatch.setattr(
            pipeline_run, verb, lambda it, verb=verb, **given: seen.append((verb, it.root))
        )
    monkeypatch.setattr(pipeline_run, "share", lambda it, verb: seen.append((verb, it.root)))
    monkeypatch.setattr(pages, "show", lambda it, host, port: seen.append((host, port)))
    return seen


@pytest.mark.parametrize("verb", ["train", "evaluate", "push", "pull"])
def test_a_verb_works_on_the_project_it_is_called_in(
    project: Path, calls: list[object], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "src")
    assert run(verb) == (0, "")
    assert calls == [(verb, project)]


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_with_changed_params_it_works_on_a_copy(calls: list[object], verb: str) -> None:
    assert run(verb, "--split.test", "3 months", "--seed", "params.yaml") == (0, "")
    assert calls == [("copy", {"split.test": "3 months"}), (verb, Path("copy"))]


def test_where_mlflow_opened_a_run_it_works_on_a_copy(
    calls: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    run("train", "--seed", "params.yaml")
    assert calls == [("copy", {}), ("train", Path("copy"))]


def test_the_pages_are_served_where_they_are_asked_for(calls: list[object]) -> None:
    assert run("ui") == (0, "")
    assert run("ui", "--host", "0.0.0.0", "--port", "80") == (0, "")  # noqa: S104 - nobody listens
    assert calls == [("127.0.0.1", 5000), ("0.0.0.0", 80)]  # noqa: S104


def test_a_word_that_is_no_change_is_refused(calls: list[object]) -> None:
    code, shown = run("train", "fast")
    assert code == 2
    assert shown == "error: 'fast': write changes as --NAME VALUE pairs\n"
    assert calls == []


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("the key"), 2, "error: the key\n"),
        (WorldError("the server"), 1, "error: the server\n"),
        (StageFailedError(UsageError.exit_code), 2, ""),
        (PermissionError(13, "Permission denied", "data"), 1, "error: data: permission denied;"),
        (KeyboardInterrupt(), 1, "error: interrupted;"),
    ],
)
def test_what_failed_is_told_by_words_and_exit_code(
    calls: list[object],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    words: str,
) -> None:
    def fail(it: Settings, **given: object) -> None:
        raise error

    monkeypatch.setattr(pipeline_run, "train", fail)
    found, shown = run("train")
    assert (found, shown[: len(words)]) == (code, words)
    assert shown.count("\n") == bool(words)


def test_outside_a_project_it_is_said_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("train") == (
        2,
        f"error: {tmp_path}: not inside the project; go to the folder that holds dvc.yaml\n",
    )


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("rollback", "--reason"), "rollback.rollback"),
        (("promote", "--again"), "promote.promote"),
        (("gate", "--again"), "promote.gate"),
    ],
)
def test_a_reason_is_one_printable_line_to_every_act(
    project: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str], place: str
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(f"mlrails.lifecycle.{place}", lambda *given: seen.extend(given))
    run(*words, "a\nb\x1b c")
    assert "a b c" in seen


def test_a_server_uses_one_thread_and_says_so_before_anything_numeric_is_imported() -> None:
    code = """if True:
        import os, sys
        from types import ModuleType

        class Watch:
            def find_spec(name, *_):
                if name == "numpy":
                    print(os.environ.get("OMP_NUM_THREADS"))

        sys.meta_path.insert(0, Watch)
        from mlrails.cli.app import main

        stand_in = ModuleType("serve")
        stand_in.ServeOptions = lambda *words: None
        stand_in.serve = lambda *words: __import__("numpy")
        sys.modules["mlrails.serving.serve"] = stand_in
        sys.argv[1:] = ["serve"]
        main("{package}", ())
    """.replace("{package}", rows.PACKAGE)
    env = {"PYTHONPATH": str(rows.ROOT / "src"), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=env, cwd=rows.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1"]
