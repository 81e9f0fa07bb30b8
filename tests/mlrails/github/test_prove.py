"""The proof: the merge has built what the pull request had evaluated, or it is said how not."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import rows

from mlrails.core import hashing, layout
from mlrails.core.errors import Exit, UsageError
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.gate import report, verdict
from mlrails.github import candidates
from mlrails.github.prove import prove
from mlrails.lifecycle import bundle
from mlrails.modeling import equivalence, isolation
from mlrails.pipeline import candidate
from mlrails.tracking.origin import LABEL, Project

RUN = "https://forge/a/b/actions/runs/5"
Change = Callable[[Path], None]


@pytest.fixture
def packed(here: Settings) -> Settings:
    """Return the settings of a project whose candidate the merge has packed."""
    found = candidate.here(here)
    told = verdict.Verdict(verdict.Answer.PROMOTE, found.digest, None, [], {})
    report.write(told, "a registry", "main", here.root)
    bundle.pack(Project(here.root), found)
    return here


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch, packed: Settings) -> Callable[..., None]:
    """Return what lets the forge hold a changed copy of the candidate."""

    def offered(*changes: Change) -> None:
        def unpack(job: object, key: str, folder: Path) -> str:
            label = json.loads((packed.root / bundle.NAME / LABEL).read_text("utf-8"))
            assert key == label["input_key"]
            shutil.copytree(packed.root / bundle.NAME, folder, dirs_exist_ok=True)
            for change in changes:
                change(folder)
            return RUN

        monkeypatch.setattr(candidates, "of_merge", unpack)

    return offered


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the model directories whose code was run."""
    folders: list[Path] = []
    real = isolation.load

    def noted(folder: Path, digest: str) -> Any:
        folders.append(folder)
        return real(folder, digest)

    monkeypatch.setattr(isolation, "load", noted)
    return folders


def other_class(folder: Path) -> None:
    told = json.loads((folder / LABEL).read_text("utf-8"))
    told["origin"]["cpu_class"] = "another"
    (folder / LABEL).write_text(json.dumps(told), "utf-8")


def other_name(folder: Path) -> None:
    """Write bytes that are not the same and predict the same."""
    rows.write_model(Task.CLASSIFICATION, folder / layout.MODEL, "another")
    keep_label(folder)


def other_model(folder: Path) -> None:
    file = next((folder / layout.MODEL).rglob("predictor.json"))
    file.write_text(file.read_text("utf-8").replace('"EV"', '"XX"'), "utf-8")
    keep_label(folder)


def other_code(folder: Path) -> None:
    other_name(folder)
    code = next((folder / layout.MODEL / "code").iterdir())
    (code / "model.py").open("a").write("raise SystemExit('the code of a candidate was run')\n")


def keep_label(folder: Path) -> None:
    """Forge the label as well: who can change the bytes can change what is said of them."""
    told: dict[str, Any] = json.loads((folder / LABEL).read_text("utf-8"))
    told["digest"] = hashing.of_folder(folder / layout.MODEL)
    (folder / LABEL).write_text(json.dumps(told), "utf-8")


def proof(settings: Settings) -> str:
    return bundle.proof(settings.root / bundle.NAME)


def test_identical_bytes_are_said_to_be_so(
    packed: Settings, offers: Callable[..., None], loaded: list[Path]
) -> None:
    offers()
    assert prove(packed) is Exit.DONE
    assert proof(packed) == f"identical bytes as in {RUN}"
    assert loaded == []


def test_a_label_that_lies_does_not_make_bytes_identical(
    packed: Settings, offers: Callable[..., None]
) -> None:
    ours = json.loads((packed.root / bundle.NAME / LABEL).read_text("utf-8"))

    def lying(folder: Path) -> None:
        other_name(folder)
        (folder / LABEL).write_text(json.dumps(ours), "utf-8")

    offers(lying)
    assert prove(packed) is Exit.REJECT


def test_another_class_of_machine_may_give_other_bytes_that_predict_the_same(
    packed: Settings, offers: Callable[..., None], loaded: list[Path]
) -> None:
    offers(other_name, other_class)
    assert prove(packed) is Exit.DONE
    assert proof(packed) == f"identical predictions as in {RUN}"
    assert len(loaded) == 2


def test_and_it_may_give_nearly_the_same_predictions(
    packed: Settings, offers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    offers(other_name, other_class)
    seen: list[int] = []

    def near(ours: Path, theirs: Path, frame: Any, same_class: bool) -> str:
        assert not same_class
        seen.append(len(frame))
        return "within tolerance"

    monkeypatch.setattr(equivalence, "likeness", near)
    assert prove(packed) is Exit.DONE
    assert proof(packed) == f"within tolerance as in {RUN}"
    assert seen == [len(rows.parts()["test"])]


REJECTED: Mapping[str, tuple[Change, ...]] = {
    "same class, other bytes": (other_name,),
    "same class, other predictions": (other_model,),
    "other class, other code": (other_code, other_class),
}


@pytest.mark.parametrize("kind", REJECTED)
def test_another_model_is_rejected(
    packed: Settings,
    offers: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    offers(*REJECTED[kind])
    assert prove(packed) is Exit.REJECT
    assert proof(packed) == f"another model than in {RUN}"
    assert "prove: stopped: the pull request's candidate was not made" in capsys.readouterr().out


def test_another_class_of_machine_may_make_another_model_which_is_no_forgery(
    packed: Settings, offers: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    offers(other_model, other_class)
    assert prove(packed) is Exit.DONE
    told = f"another model, gated again, than on a machine that makes other bytes in {RUN}"
    assert proof(packed) == told
    assert capsys.readouterr().out == f"prove: {told}\n"


def test_code_that_nobody_has_read_is_never_run(
    packed: Settings, offers: Callable[..., None], loaded: list[Path]
) -> None:
    offers(other_code, other_class)
    assert prove(packed) is Exit.REJECT
    assert loaded == []


def test_it_would_have_been_run(packed: Settings, tmp_path: Path) -> None:
    folder = shutil.copytree(packed.root / bundle.NAME, tmp_path / "theirs")
    other_code(folder)
    with pytest.raises(SystemExit, match="the code of a candidate was run"):
        isolation.load(folder / layout.MODEL, hashing.of_folder(folder / layout.MODEL))


def test_without_a_candidate_the_merge_goes_on_and_it_is_said(
    packed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "of_merge", lambda *_: None)
    assert prove(packed) is Exit.DONE
    assert proof(packed) == "no pull request had evaluated these inputs to a good end"


def test_without_a_bundle_there_is_nothing_to_prove(here: Settings) -> None:
    with pytest.raises(UsageError, match="candidate: no candidate; `nox -s review` packs one"):
        prove(here)
