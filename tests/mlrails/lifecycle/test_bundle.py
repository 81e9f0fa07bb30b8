"""A candidate in a folder of its own: whole, without rows, and refused where it is another's."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rows

from mlrails.core import files, hashing, layout
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.gate import report
from mlrails.gate import verdict as gate_verdict
from mlrails.gate.verdict import Answer, Check, Verdict
from mlrails.lifecycle import bundle
from mlrails.pipeline import candidate
from mlrails.tracking import origin
from mlrails.tracking.input_key import input_key
from mlrails.tracking.origin import LABEL, Bundle, Project

CODE = Path("src", rows.PACKAGE, "features.py")
PASSED = Check("size", True, 1.0, 2.0, "small enough")


def verdict(digest: str, champion: str | None = None) -> Verdict:
    return Verdict(Answer.PROMOTE, digest, champion, [PASSED], {})


def pack(here: Settings, champion: str | None = None, *more: Path) -> Path:
    """Write a verdict on the project's candidate and pack both."""
    found = candidate.here(here)
    report.write(verdict(found.digest, champion), "a registry", "main (abc)", here.root)
    return bundle.pack(Project(here.root), found, more)


def set_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def files_of(folder: Path) -> set[str]:
    found = filter(Path.is_file, folder.rglob("*"))
    return {path.relative_to(folder).as_posix() for path in found}


def test_what_is_packed_is_taken_over_elsewhere(here: Settings, tmp_path: Path) -> None:
    folder = pack(here).rename(tmp_path / "taken over")
    shutil.rmtree(here.root / "data")
    shutil.rmtree(here.root / "models")
    found = bundle.unpack(here, folder)
    assert found.digest == hashing.of_folder(found.folder)
    assert found.folder == folder / layout.MODEL
    assert found.key == input_key(here.root)
    assert bundle.verdict(folder) == (verdict(found.digest), "main (abc)")


def test_its_origin_is_what_the_project_would_have_told(here: Settings) -> None:
    project, packed = Project(here.root), Bundle(pack(here))
    params = rows.parameters()
    assert packed.origin() == project.origin()
    assert packed.split_digest(params) == project.split_digest(params)
    assert packed.outcomes() == project.outcomes()
    assert packed.origin().git.commit == rows.git(here.root, "rev-parse", "HEAD")


def test_no_row_of_the_data_and_no_byte_code_is_packed(here: Settings) -> None:
    cache = here.root / layout.MODEL / "code" / "__pycache__"
    cache.mkdir()
    (cache / "model.pyc").touch()
    packed = files_of(pack(here))
    assert not [name for name in packed if name.endswith((".parquet", ".pyc"))]
    assert {LABEL, "params.yaml", "reports/verdict.json", "models/model/MLmodel"} <= packed


def test_more_files_go_with_it_and_old_ones_do_not(here: Settings) -> None:
    (here.root / "reports" / "review.md").write_text("# Review\n")
    folder = pack(here, None, Path("reports/review.md"))
    (folder / "left.txt").touch()
    assert "reports/review.md" in files_of(folder)
    assert not {"left.txt", "reports/review.md"} & files_of(pack(here))


def test_a_kill_while_it_is_packed_leaves_none(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(here)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(origin, "label_of", killed)
        with pytest.raises(KeyboardInterrupt):
            pack(here)
    assert not (here.root / bundle.NAME).exists()
    assert bundle.unpack(here, pack(here))


def other_code(root: Path, folder: Path) -> None:
    (root / CODE).open("a").write("# another\n")


def other_params(root: Path, folder: Path) -> None:
    path = root / "params.yaml"
    path.write_text(path.read_text("utf-8").replace("seed: 7", "seed: 8"), "utf-8")


def other_bytes(root: Path, folder: Path) -> None:
    (folder / layout.MODEL / "MLmodel").open("a").write("# another\n")


def fewer_bytes(root: Path, folder: Path) -> None:
    shutil.rmtree(folder / layout.MODEL)


def forged(root: Path, folder: Path) -> None:
    other_bytes(root, folder)
    set_json(folder / LABEL, digest=hashing.of_folder(folder / layout.MODEL))


def other_figures(root: Path, folder: Path) -> None:
    set_json(folder / layout.METRICS, digest="0" * 64)


def other_verdict(root: Path, folder: Path) -> None:
    set_json(folder / report.VERDICT, challenger="0" * 64)


HARMS: dict[Callable[[Path, Path], None], str] = {
    other_code: r"made of other code, params or locks than this commit's \(input key \w{12}, here",
    other_params: "made of other code, params or locks than this commit's",
    other_bytes: "the bytes are not those of the model",
    fewer_bytes: "the bytes are not those of the model",
    forged: "its report or its verdict is of another model",
    other_figures: "its report or its verdict is of another model",
    other_verdict: "its report or its verdict is of another model",
}


@pytest.mark.parametrize("harm", HARMS, ids=lambda it: it.__name__)
def test_a_bundle_of_something_else_is_refused(
    here: Settings, harm: Callable[[Path, Path], None]
) -> None:
    folder = pack(here)
    bundle.unpack(here, folder)
    harm(here.root, folder)
    with pytest.raises(WorldError, match=HARMS[harm]):
        bundle.unpack(here, folder)


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", '{"input_key": "a", "digest": "b", "origin": {"parts": {}}}']
)
def test_a_folder_that_is_no_bundle_is_refused(here: Settings, tmp_path: Path, text: Any) -> None:
    if text is not None:
        (tmp_path / LABEL).write_text(text)
    with pytest.raises(UsageError, match=r"no candidate; `nox -s review` packs one"):
        bundle.unpack(here, tmp_path)


@pytest.mark.parametrize("name", [layout.METRICS, report.VERDICT])
@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_bundle_that_is_not_whole_is_refused(
    here: Settings, name: Path, text: str | None
) -> None:
    folder = pack(here)
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(UsageError, match=f"{name.name}: missing or not whole"):
        bundle.unpack(here, folder)


@pytest.mark.parametrize(
    "harm",
    [
        {"verdict": "perhaps"},
        {"checks": [{"name": "size"}]},
        {"checks": None},
        {"differences": {"champion": {"value": 1}}},
        {"differences": []},
        {"challenger": None, "bounds": None},
    ],
    ids=str,
)
def test_what_is_no_verdict_is_refused(here: Settings, harm: dict[str, Any]) -> None:
    folder = pack(here)
    path = folder / report.VERDICT
    told = json.loads(path.read_text("utf-8")) | harm
    path.write_text(json.dumps({name: it for name, it in told.items() if it is not None}), "utf-8")
    with pytest.raises(UsageError, match=r"verdict\.json is no verdict; review again"):
        bundle.verdict(folder)


def test_a_verdict_is_read_as_it_was_told() -> None:
    given = replace(verdict("a" * 64, "b" * 64), metric="AUC", margin=0.1, slice_margin=0.2)
    assert gate_verdict.Verdict.from_json(given.to_json("a registry", "main")) == given


def test_the_proof_is_read_where_there_is_one(here: Settings) -> None:
    folder = pack(here)
    assert bundle.proof(folder) == "no pull request was asked"
    files.write_text("identical bytes as in a run\n", folder / bundle.PROOF)
    assert bundle.proof(folder) == "identical bytes as in a run"
