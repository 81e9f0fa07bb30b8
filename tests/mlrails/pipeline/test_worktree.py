"""A copy to train in: params are changed there, and the user's files stay as they are."""

import os
from pathlib import Path

import fakes
import pytest
import rows
import yaml

from mlrails.core import params, settings
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.processes import process_id
from mlrails.core.settings import Settings
from mlrails.pipeline import run, worktree
from mlrails.tracking import embedded


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ([], {}),
        (["--seed", "3"], {"seed": "3"}),
        (["--seed", "3", "--split.test", "3 months"], {"seed": "3", "split.test": "3 months"}),
        (["--seed", "params.yaml", "--learning_rate", "0.1"], {"learning_rate": "0.1"}),
        (["--l2", "-1"], {"l2": "-1"}),
    ],
)
def test_changes_are_read_in_pairs(words: list[str], changes: dict[str, str]) -> None:
    assert worktree.changes(words) == changes


@pytest.mark.parametrize("words", [["seed", "3"], ["--seed"], ["--seed=3"], ["--a", "1", "--b"]])
def test_anything_else_is_refused_with_the_form_it_takes(words: list[str]) -> None:
    with pytest.raises(UsageError, match="write changes as --NAME VALUE pairs"):
        worktree.changes(words)


def changed(folder: Path, **changes: str) -> params.Params:
    (folder / "params.yaml").write_text(yaml.safe_dump(rows.values()))
    worktree._change(folder, changes)
    return params.load(folder)


def test_a_param_of_a_section_or_of_the_top_is_changed(tmp_path: Path) -> None:
    found = changed(tmp_path, **{"seed": "3", "split.test": "3 weeks", "data.until": "null"})
    assert found.seed == 3
    assert str(found.split.test) == "3 weeks"
    assert found.data.until is None
    assert found.split.validation == rows.parameters().split.validation


def test_a_name_without_a_section_is_one_of_the_estimators(tmp_path: Path) -> None:
    name = next(iter(rows.values()["estimator"]))
    assert changed(tmp_path, **{name: "3"}).estimator[name] == 3


@pytest.mark.parametrize(
    ("text", "value"), [("0.05", 0.05), ("1e-3", 0.001), ("1E2", 100.0), ("3", 3), ("'3'", "3")]
)
def test_a_number_of_the_command_line_is_one(tmp_path: Path, text: str, value: object) -> None:
    name = next(iter(rows.values()["estimator"]))
    found = changed(tmp_path, **{name: text, "gate.margin": "1e-2"})
    assert (found.gate.margin, found.estimator[name]) == (0.01, value)
    assert type(found.estimator[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("seed.deep", "3", "--seed.deep: 'seed' is a value of params.yaml, not a section"),
        ("seed", "[1", "--seed '[1': not a value as YAML writes it"),
        ("data.until", "2013-02-31", "--data.until '2013-02-31': not a value as YAML writes it"),
        ("seed", "many", "params.yaml: 'seed' = 'many': input should be a valid integer"),
        ("split.tests", "1 day", "unknown key 'split.tests' (did you mean 'test'?)"),
    ],
)
def test_a_bad_change_is_refused_in_one_line(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        changed(tmp_path, **{name: value})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "- a list\n", "text\n"])
def test_a_file_that_holds_no_params_is_refused_and_not_changed(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "params.yaml").write_text(content)
    with pytest.raises(UsageError, match=r"params\.yaml: the file holds no keys"):
        worktree._change(tmp_path, {"seed": "3"})
    assert (tmp_path / "params.yaml").read_text() == content


def test_a_change_leaves_the_rest_of_the_file_as_it_is(tmp_path: Path) -> None:
    written = (rows.ROOT / "params.yaml").read_text("utf-8")
    (tmp_path / "params.yaml").write_text(written, "utf-8")
    worktree._change(tmp_path, {})
    assert (tmp_path / "params.yaml").read_text("utf-8") == written
    worktree._change(tmp_path, {"seed": "3"})
    changed = (tmp_path / "params.yaml").read_text("utf-8").splitlines()
    assert [line for line in changed if line not in written.splitlines()] == ["seed: 3"]


def test_the_copy_has_the_files_as_they_stand_and_the_users_stay(
    project: Path, fake: fakes.FakeClient
) -> None:
    (project / "params.yaml").write_text(yaml.safe_dump(rows.values() | {"seed": 11}))
    (project / "src" / "new.py").write_text("# not committed yet\n")
    before = rows.git(project, "status", "--porcelain"), (project / "params.yaml").read_bytes()
    with worktree.copy(Settings(project), {"evaluation.resamples": "200"}) as there:
        found = params.load(there.root)
        assert (found.seed, found.evaluation.resamples) == (11, 200)
        assert (there.root / "src" / "new.py").is_file()
        assert not (there.root / "models").exists()
        assert rows.git(there.root, "rev-parse", "HEAD") == rows.git(project, "rev-parse", "HEAD")
        local = (there.root / ".dvc" / "config.local").read_text()
        assert str(project / ".dvc" / "cache") in local
        assert there.tracking_uri == f"sqlite:///{project}/mlflow.db"
        told = os.environ | run.told_to_stages(there)
        stage = settings.from_environment(told, there.root)
        assert stage.tracking_uri == there.tracking_uri
        assert (stage.root, stage.checkpoints.parent) == (there.root, project / ".dvc" / "tmp")
        assert stage.trial == there.trial == "evaluation.resamples=200"
    assert not there.root.exists()
    assert Path.cwd() == project
    assert (
        rows.git(project, "status", "--porcelain"),
        (project / "params.yaml").read_bytes(),
    ) == before
    assert fake.get_experiment_by_name(rows.NAME)


def test_mlflow_is_not_asked_for_an_experiment_that_is_known(
    project: Path, fake: fakes.FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[str | None] = [None, "0"]
    asked: list[int] = []
    monkeypatch.setattr(embedded, "experiment", lambda *_: known.pop(0))
    monkeypatch.setattr(worktree.store, "experiment", lambda *_: asked.append(1))
    for _ in range(2):
        with worktree.copy(Settings(project), {}):
            assert asked == [1]


def test_a_copy_is_removed_whatever_happens_in_it(project: Path, fake: fakes.FakeClient) -> None:
    with pytest.raises(ZeroDivisionError), worktree.copy(Settings(project), {}) as there:
        raise ZeroDivisionError
    assert not there.root.exists()
    assert Path.cwd() == project


def test_a_project_in_a_folder_of_its_repository_is_copied_there(
    project: Path, fake: fakes.FakeClient, tmp_path: Path
) -> None:
    (project / ".git").rename(tmp_path / ".git")
    with worktree.copy(Settings(project), {}) as there:
        assert there.root.name == "project"
        assert (there.root / "params.yaml").is_file()


def test_what_a_killed_copy_left_is_removed_by_the_next_one(
    project: Path, fake: fakes.FakeClient
) -> None:
    with worktree.copy(Settings(project), {}) as there:
        home = there.root.parents[1]
        assert home == project / ".dvc" / "tmp" / "copies"
        assert rows.git(project, "status", "--porcelain") == ""
    mine = process_id().replace("/", "~")
    left = home / f"{mine.rpartition('~')[0]}~12345~abc"
    elsewhere = home / "elsewhere~1~12345~abc"
    for folder in (left, elsewhere):
        (folder / "copy").mkdir(parents=True)
    with worktree.copy(Settings(project), {}) as there:
        assert sorted(home.iterdir()) == sorted([elsewhere, there.root.parent])


def test_outside_a_repository_the_reason_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"git rev-parse failed in .*not a git repository"):
        worktree._copy_files(tmp_path, tmp_path / "copy")


def test_a_file_is_copied_whatever_its_name_is_written_in(
    project: Path, fake: fakes.FakeClient
) -> None:
    name = os.fsdecode("gr\u00fc\u00dfe".encode("latin-1"))
    (project / name).write_text("hello")
    with worktree.copy(Settings(project), {}) as there:
        assert (there.root / name).read_text() == "hello"
