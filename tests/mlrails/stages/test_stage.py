"""What every stage shares: settings and params go in, and an exit code comes out."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import rows
import yaml

from mlrails.core import processes
from mlrails.core.errors import Exit, UsageError
from mlrails.core.settings import CALLER, Settings
from mlrails.stages import stage


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(rows.values()))
    rows.write_pyproject(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exit_code(step: Callable[[stage.Stage], None]) -> int:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as caught:
        patch.setattr(processes, "end", sys.exit)
        stage.run(step)
    return int(str(caught.value.code))


def failing(given: stage.Stage) -> None:
    raise UsageError("the key")


def test_a_step_is_given_the_settings_and_the_params(root: Path) -> None:
    seen: list[stage.Stage] = []
    assert exit_code(seen.append) == 0
    assert seen == [stage.Stage(Settings(root, package=rows.PACKAGE), rows.parameters())]
    assert seen[0].root == root


def test_a_stage_that_was_started_by_hand_adds_up_in_one_order_as_well(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    seen: list[str] = []
    assert exit_code(lambda given: seen.append(os.environ["TF_NUM_INTRAOP_THREADS"])) == 0
    assert seen == ["1"]


def test_what_failed_is_told_once_and_ends_with_its_code(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(failing) == Exit.USAGE
    assert capsys.readouterr().err == "error: the key\n"


def test_bad_params_are_told_before_the_step_begins(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "params.yaml").write_text("sede: 1\n")
    assert exit_code(lambda given: pytest.fail("the step ran")) == Exit.USAGE
    assert "unknown key 'sede'" in capsys.readouterr().err


def test_outside_a_project_that_is_what_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(failing) == Exit.USAGE
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}: not inside the project")


def test_a_stage_that_lost_its_caller_while_it_waited_does_not_begin(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CALLER, processes.process_id())
    seen: list[stage.Stage] = []
    assert exit_code(seen.append) == Exit.DONE and len(seen) == 1
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as caller:
        began = psutil.Process(caller.pid).create_time()
    monkeypatch.setenv(CALLER, f"{processes._where_ids_count()}/{caller.pid}/{began:.0f}")
    assert exit_code(seen.append) == Exit.WORLD and len(seen) == 1
    assert "is gone" in capsys.readouterr().err


def broken(given: stage.Stage) -> None:
    raise ZeroDivisionError


def test_a_defect_of_ours_is_no_failure_of_the_users(root: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        stage.run(broken)
