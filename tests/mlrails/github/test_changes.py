"""What a change is: params and files beside those of its base."""

import json
from pathlib import Path

import pytest
import rows

from mlrails.github import page
from mlrails.update import engine

OLD = """\
seed: 7
gate:
  margin: 0.01
  floors: {roc_auc: 0.6}
split: {test: 1 month}
gone: true
"""
NEW = """\
seed: 7
gate:
  margin: 0.05
  floors: {roc_auc: 0.5, brier: 0.2}
split: {test: 2 months}
features:
  numeric: [distance]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project within a repository, with a commit."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_text(OLD, "utf-8")
    rows.git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return root


def commit(root: Path) -> None:
    rows.git(root, "add", "--all")
    rows.git(root, "commit", "--quiet", "--message", "one more")


def test_params_are_told_with_both_values(root: Path) -> None:
    (root / "params.yaml").write_text(NEW, "utf-8")
    commit(root)
    assert page.since(root, "HEAD^").params == [
        ("gate.margin", "0.01", "0.05"),
        ("gate.floors.roc_auc", "0.6", "0.5"),
        ("gate.floors.brier", "–", "0.2"),
        ("split.test", "1 month", "2 months"),
        ("features.numeric", "–", "['distance']"),
        ("gone", "True", "–"),
    ]


def test_bounds_of_the_gate_are_told_apart(root: Path) -> None:
    (root / "params.yaml").write_text(NEW, "utf-8")
    found = page.since(root, "HEAD")
    names = [name for name, *_ in found.gate]
    assert names == ["gate.margin", "gate.floors.roc_auc", "gate.floors.brier"]
    (root / "params.yaml").write_text(OLD.replace("seed: 7", "seed: 8"), "utf-8")
    found = page.since(root, "HEAD")
    assert (found.params, found.gate) == ([("seed", "7", "8")], [])


def test_files_of_the_project_are_told_by_their_own_names(root: Path) -> None:
    (root / "src").mkdir()
    names = {"src/a b.py", "zwölf.md", 'quo"te.md', "new\nline.md"}
    for name in names:
        (root / name).touch()
    (root.parent / "outside.md").touch()
    commit(root.parent)
    assert set(page.since(root, "HEAD^").files) == names


def test_an_edited_engine_is_told_unless_it_is_the_users_own(root: Path) -> None:
    folder = root / "src" / "mlrails"
    folder.mkdir(parents=True)
    (folder / "core.py").write_text("A = 1\n", "utf-8")
    (folder / "MANIFEST").write_text(engine.manifest(folder), "utf-8")
    commit(root)
    assert page.since(root, "HEAD").engine == []
    (folder / "core.py").write_text("A = 2\n", "utf-8")
    assert page.since(root, "HEAD").engine == ["core.py"]
    told = {"template": "", "version": "1.0.0", "answers": {}, "engine": "yours"}
    (root / ".template.json").write_text(json.dumps(told), "utf-8")
    assert page.since(root, "HEAD").engine == []


def test_without_a_base_nothing_has_changed(root: Path) -> None:
    assert page.since(root, None) == page.Changes([], [])


@pytest.mark.parametrize("broken", ["a: [", "- 1\n", None])
def test_a_base_that_is_broken_has_nothing_to_be_compared_with(
    root: Path, broken: str | None
) -> None:
    path = root / "params.yaml"
    path.unlink()
    if broken is not None:
        path.write_text(broken, "utf-8")
    commit(root.parent)
    path.write_text("seed: 7\n", "utf-8")
    assert page.since(root, "HEAD").params == [("seed", "–", "7")]
