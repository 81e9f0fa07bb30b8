"""A poisoned remote, cache or folder: DVC believes it, and nobody here loads what it gives."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rows
import yaml

from flight_delays.steps import evaluate
from mlrails.core import dvc_lock, files, hashing, layout, processes
from mlrails.core.errors import WorldError
from mlrails.core.params import FILE
from mlrails.core.settings import Settings
from mlrails.pipeline import candidate, dvc, run
from mlrails.registry.resolve import Resolver
from mlrails.registry.versions import FOLDER
from mlrails.stages import stage

FALSE = b"import sys; sys.stderr.write('foreign code')\n"
CONFIG = """[core]
    analytics = false
    remote = storage
['remote "storage"']
    url = ../../remote
"""
OUTPUTS = {
    "train": {layout.DIGEST: "abc\n", layout.MODEL / "code" / "pr\u00e4dictor.py": "# good\n"},
    "ingest": {layout.RAW: "rows"},
}
WHERE = {"ingest": [layout.RAW.parent], "train": [layout.MODEL, layout.DIGEST]}
Poison = Callable[[Path, Path], None]


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a project, whose outputs DVC knows, and with its remote."""
    root = tmp_path_factory.mktemp("dvc") / "project"
    for stage_of, outs in OUTPUTS.items():
        for path, text in outs.items():
            files.write_text(text, root / path)
            (root / stage_of).write_text("a dependency")
    (root / layout.MODEL / "code" / "empty").mkdir()
    stages = {
        name: {"cmd": "exit 1", "deps": [name], "outs": [str(it) for it in outs]}
        for name, outs in WHERE.items()
    }
    stages["evaluate"] = {"cmd": "exit 1", "deps": [str(layout.MODEL), str(layout.DIGEST)]}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    shutil.copy(rows.ROOT / "pyproject.toml", root)
    (root / FILE).write_text(yaml.safe_dump(rows.values()))
    rows.git(root, "init", "--quiet")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("PYTHONPATH", "")
        patch.setenv("PATH", "/usr/bin:/bin")
        assert dvc.run(root, "commit", "--quiet", "--force") == 0
        assert dvc.run(root, "push", "--quiet") == 0
    return root.parent


@pytest.fixture
def root(pushed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(pushed, tmp_path, dirs_exist_ok=True, symlinks=True)
    for name in ("PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def held(store: Path, md5: str) -> Path:
    return store / "files" / "md5" / md5[:2] / md5[2:]


def put(path: Path, content: bytes) -> None:
    """Write an object as DVC leaves it: by their mode it takes those of its cache for checked."""
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)


def poison_code(root: Path, store: Path) -> None:
    (code,) = OUTPUTS["train"].keys() - {layout.DIGEST}
    put(held(store, dvc_lock.md5_of(root / code)), FALSE)


def poison_data(root: Path, store: Path) -> None:
    put(held(store, dvc_lock.md5_of(root / layout.RAW)), FALSE)


def poison_list(root: Path, store: Path) -> None:
    """Let the list of a folder name another file."""
    md5 = dvc_lock.md5_of(root / layout.DIGEST)
    listed = [{"md5": md5, "relpath": "code/model.py"}]
    put(held(store, dvc_lock.md5_of(root / layout.MODEL)), json.dumps(listed).encode())


POISONS = [poison_code, poison_data, poison_list]


def lose(root: Path) -> None:
    """Take away all that DVC would bring back."""
    for path in (layout.MODEL, layout.RAW.parent):
        shutil.rmtree(root / path)


def from_cache(root: Path, poison: Poison) -> int:
    poison(root, root / ".dvc" / "cache")
    lose(root)
    return dvc.run(root, "checkout", "--quiet")


def from_remote(root: Path, poison: Poison) -> int:
    poison(root, root.parent / "remote")
    lose(root)
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / ".dvc" / "tmp", ignore_errors=True)
    return dvc.run(root, "pull", "--quiet")


Way = Callable[[Path, Poison], int]


def test_files_and_folders_are_named_as_dvc_names_them(root: Path) -> None:
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    named = {
        out["path"]: out["md5"] for it in lock["stages"].values() for out in it.get("outs", ())
    }
    assert named == {str(it): dvc_lock.md5_of(root / it) for outs in WHERE.values() for it in outs}
    dvc_lock.verify(root)


@pytest.mark.parametrize("poison", POISONS)
@pytest.mark.parametrize("way", [from_cache, from_remote])
def test_what_the_lock_does_not_name_is_refused_and_taken_away(
    root: Path, way: Way, poison: Poison
) -> None:
    # The guard is DVC's own here, and it lets the bytes pass and calls them up to date.
    assert way(root, poison) == 0
    assert dvc.is_stale(root) is (poison is poison_list)
    for _ in range(2):  # The first look leaves everything as it is.
        with pytest.raises(WorldError, match=r"not the bytes that dvc\.lock names"):
            dvc_lock.verify(root)
    with pytest.raises(WorldError, match="they were taken away here: run"):
        dvc_lock.verify(root, take_away=True)
    dvc_lock.verify(root)
    if poison is not poison_list:  # Lists, DVC remembers elsewhere too: refused again, each time.
        dvc.run(root, "checkout", "--quiet")
        dvc_lock.verify(root)


@pytest.mark.parametrize("poison", [poison_code, poison_data])
def test_dvcs_own_guard_keeps_a_poisoned_remote_out_as_well(root: Path, poison: Poison) -> None:
    with (root / ".dvc" / "config").open("a") as file:
        file.write("    verify = true\n")
    assert from_remote(root, poison) != 0
    dvc_lock.verify(root)


@pytest.mark.parametrize("poison", POISONS)
def test_pull_takes_nothing_that_the_lock_does_not_name(root: Path, poison: Poison) -> None:
    poison(root, root.parent / "remote")
    lose(root)
    shutil.rmtree(root / ".dvc" / "cache")
    with pytest.raises(WorldError, match=r"not the bytes that dvc\.lock names"):
        run.share(Settings(root), "pull")
    assert FALSE not in [path.read_bytes() for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("name", "poison"), [("evaluate", poison_code), ("prepare", poison_data)])
@pytest.mark.parametrize("guarded", [True, False])
def test_no_stage_reads_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, poison: Poison, guarded: bool
) -> None:
    from_cache(root, poison)
    told = yaml.safe_load((root / "dvc.yaml").read_text())
    told["stages"]["prepare"] = {"cmd": "exit 1", "deps": [str(layout.RAW.parent)]}
    (root / "dvc.yaml").write_text(yaml.safe_dump(told))
    if guarded:
        monkeypatch.setenv("DVC_STAGE", f"dvc.yaml:{name}")
    ended: list[int] = []
    monkeypatch.setattr(processes, "end", ended.append)
    seen: list[stage.Stage] = []
    stage.run(seen.append)
    assert (ended, len(seen)) == (([1], 0) if guarded else ([0], 1))


def test_a_stage_that_dvc_runs_reads_what_the_one_before_has_made(root: Path) -> None:
    """Each stage is in the lock before the next one begins."""
    told = yaml.safe_load((root / "dvc.yaml").read_text())
    told["stages"] = {
        "train": {"cmd": "echo new > made", "outs": ["made"]},
        "evaluate": {"cmd": "cp dvc.lock seen", "deps": ["made"]},
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump(told))
    assert dvc.run(root, "repro", "--quiet") == 0
    seen = yaml.safe_load((root / "seen").read_text())
    assert seen["stages"]["train"]["outs"][0]["md5"] == dvc_lock.md5_of(root / "made")


def other(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("\n# another\n")


def test_a_model_that_train_has_not_made_is_not_evaluated(here: Settings) -> None:
    model: Any = SimpleNamespace(root=here.root, params=rows.parameters())
    other(here.root / layout.MODEL / "code" / rows.PACKAGE / "model.py")
    with pytest.raises(WorldError, match="the bytes are not those of the model"):
        evaluate.evaluate(model)
    (here.root / layout.DIGEST).unlink()
    with pytest.raises(WorldError, match=r"models/digest.txt: missing or not whole"):
        evaluate.evaluate(model)


@pytest.mark.parametrize("guarded", [True, False])
def test_an_evaluated_model_that_train_has_not_made_is_no_candidate(
    here: Settings, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Figures and model are changed alike, as one who evaluates a poisoned model would have it."""
    other(here.root / layout.MODEL / "code" / rows.PACKAGE / "model.py")
    made = (here.root / layout.DIGEST).read_text()
    evaluated = rows.tell_figures(here.root)
    (here.root / layout.DIGEST).write_text(made)
    if not guarded:
        monkeypatch.setattr(dvc_lock, "verify_model", lambda *_: None)
        assert (
            candidate.here(here).digest == evaluated == hashing.of_folder(here.root / layout.MODEL)
        )
        assert Resolver(here, FOLDER).pointed()[1] == evaluated
        return
    for ask in (lambda: candidate.here(here), lambda: Resolver(here, FOLDER).pointed()):
        with pytest.raises(WorldError, match=r"metrics.json: is of the model .* has made"):
            ask()


def test_neither_is_one_whose_data_the_lock_does_not_name(here: Settings) -> None:
    lock = {"stages": {"ingest": {"outs": [{"path": "data/raw", "hash": "md5", "md5": "a.dir"}]}}}
    (here.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    with pytest.raises(WorldError, match=r"data/raw: not the bytes that dvc\.lock names"):
        candidate.here(here)
