"""A version's folder made again: its commit, its changes, its data, its stages."""

import sys
from pathlib import Path

import pytest
import rows

from mlrails.core import git
from mlrails.core.errors import WorldError
from mlrails.core.layout import LOCK
from mlrails.core.settings import Settings
from mlrails.lifecycle import rebuild
from mlrails.tracking import origin
from mlrails.tracking.input_key import inputs


@pytest.fixture
def here(project: Path) -> Settings:
    return Settings(project)


def test_the_commit_is_there_with_its_changes_and_the_users_files_stay(here: Settings) -> None:
    root = here.root
    commit = rows.git(root, "rev-parse", "HEAD")
    params = root / "params.yaml"
    params.write_text(params.read_text("utf-8") + "# changed\n", "utf-8")
    new = f"src/{rows.PACKAGE}/new.py"
    (root / new).write_text("new\n", "utf-8")
    diff = git.revision(root, inputs(root)).diff
    rows.git(root, "commit", "--all", "--quiet", "--message", "later")
    params.write_text(params.read_text("utf-8") + "# later still\n", "utf-8")
    before = {path: path.read_bytes() for path in root.glob("*") if path.is_file()}
    with rebuild.at(here, commit, "") as copy:
        assert "# changed" not in (copy / "params.yaml").read_text("utf-8")
    with rebuild.at(here, commit, diff) as copy:
        assert (copy / "params.yaml").read_text("utf-8").endswith("# changed\n")
        assert (copy / new).read_text("utf-8") == "new\n"
    assert not copy.exists()
    assert {path: path.read_bytes() for path in root.glob("*") if path.is_file()} == before


def test_a_commit_that_is_missing_is_said_in_words(here: Settings) -> None:
    with (
        pytest.raises(WorldError, match="git checkout failed"),
        rebuild.at(here, "0" * 40, ""),
    ):
        pytest.fail("there is no such commit")


def test_data_that_nobody_keeps_is_not_there(here: Settings, tmp_path: Path) -> None:
    assert not rebuild.data(tmp_path, None, ["data/raw"])


def test_the_same_lock_needs_no_other_environment(here: Settings) -> None:
    commit = rows.git(here.root, "rev-parse", "HEAD")
    with rebuild.at(here, commit, "") as copy:
        assert rebuild.python(here, copy) == Path(sys.executable)
        (copy / LOCK).write_text("mlflow==0\n", "utf-8")
        with pytest.raises(WorldError, match="cannot be made"):
            rebuild.python(here, copy)


STAGES = """
stages:
  one:
    cmd: python -c "import os; print('one', os.getenv('MLFLOW_RUN_ID'), file=open('said', 'w'))"
    outs: [said]
  two:
    cmd: python -c "raise SystemExit(1)"
    outs: [models/machine.json]
"""


def test_stages_run_in_order_without_the_runs_of_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "outside")
    (tmp_path / "dvc.yaml").write_text(STAGES, "utf-8")
    rebuild.stages(tmp_path, Path(sys.executable), {"two"})
    assert (tmp_path / "said").read_text("utf-8") == "one None\n"
    with pytest.raises(WorldError, match="stage two of that commit failed"):
        rebuild.stages(tmp_path, Path(sys.executable), set())


def test_the_first_file_that_parts_is_named(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(STAGES, "utf-8")
    (tmp_path / "said").write_text("one", "utf-8")
    origin.note_machine(tmp_path)
    before = origin.outcomes_of(tmp_path)
    assert not before["two"]  # Another machine is no other outcome.
    assert set(before) == {"one", "two"} and set(before["one"]) == {"said"}
    assert origin.first_difference(before, before) is None
    (tmp_path / "said").write_text("other", "utf-8")
    assert origin.first_difference(before, origin.outcomes_of(tmp_path)) == ("one", "said")
    assert origin.first_difference({}, before) is None
    assert origin.first_difference(before, {}) == ("one", "said")
