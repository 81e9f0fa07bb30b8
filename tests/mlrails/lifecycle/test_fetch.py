"""What a plain reader of MLflow is given: checked bytes, whole, and over nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import attacks
import mlflow.pyfunc
import pytest
import rows
import yaml

from mlrails.core import hashing
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.lifecycle import fetch
from mlrails.modeling import checked_copy, isolation
from mlrails.registry import versions

pytestmark = pytest.mark.usefixtures("promoted")


def stored(here: Settings) -> Path:
    """Return where the registry keeps the champion's bytes."""
    source = versions.connect(here).client.get_model_version_download_uri(rows.NAME, "1")
    return Path(url2pathname(urlsplit(source).path))


def test_the_champion_is_laid_there_and_mlflow_loads_it(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "champion"
    assert fetch.to(folder) == str(folder)
    assert "fetch: version 1" in capsys.readouterr().out
    assert hashing.of_folder(folder) == versions.connect(here).get(1).digest
    columns = list(rows.fitted(Task.CLASSIFICATION).encoder.columns)
    loaded = mlflow.pyfunc.load_model(str(folder))
    assert len(loaded.predict(rows.parts()["test"].head(3)[columns])) == 3
    fetch.to(folder, alias="champion")
    assert f"is in {folder} already" in capsys.readouterr().out
    assert [it.name for it in folder.parent.iterdir()] == ["champion"]


def test_what_is_there_already_is_not_written_over(here: Settings, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes").write_text("mine")
    for target in (mine, mine / "notes"):
        with pytest.raises(UsageError, match="is there, with other bytes"):
            fetch.to(target, version=1)
    assert (mine / "notes").read_text() == "mine"


@pytest.mark.parametrize("attack", [attacks.package, attacks.note])
@pytest.mark.parametrize("guarded", [True, False])
def test_swapped_bytes_are_not_laid_there(
    here: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attack: Callable[[Path], None],
    guarded: bool,
) -> None:
    attack(stored(here))
    if guarded:
        with pytest.raises(WorldError, match="are not those that were registered"):
            fetch.to(tmp_path / "champion")
        assert not list(tmp_path.glob("*champion*"))
        return
    copied, digest = checked_copy.copied, versions.connect(here).get(1).digest
    # The second line lets the digest be whatever was asked for.
    monkeypatch.setattr(checked_copy, "copied", lambda *places: copied(*places) and digest)
    fetch.to(tmp_path / "champion")
    laid = [it.read_text() for it in tmp_path.glob("champion/code/**/*.py")]
    assert any(text.endswith(attacks.HARM) for text in laid)


def test_without_the_signature_that_is_asked_for_nothing_is_laid_there(
    here: Settings, tmp_path: Path
) -> None:
    (here.root / "signing.pub").write_text("a key")
    with pytest.raises(WorldError, match="version 1 is not signed"):
        fetch.to(tmp_path / "champion")
    assert not list(tmp_path.glob("*champion*"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"skops_trusted_types": ["os.system"], "serialization_format": "skops"}, "os.system"),
        ({"serialization_format": "cloudpickle"}, "a pickle"),
        ({}, "a pickle"),
    ],
)
def test_types_that_only_the_model_trusts_are_not_handed_to_mlflow(
    tmp_path: Path, model_of: Callable[[Task], Path], more: dict[str, Any], words: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_of(Task.REGRESSION), folder)
    fetch._check_types(folder, "1", rows.PACKAGE)
    about = yaml.safe_load((folder / "MLmodel").read_text())
    about["flavors"]["sklearn"] = {"pickled_model": "data/model/model.skops", **more}
    (folder / "MLmodel").write_text(yaml.safe_dump(about))
    with pytest.raises(WorldError, match=f"version 1: its MLmodel lets MLflow trust {words}"):
        fetch._check_types(folder, "1", rows.PACKAGE)


def test_the_list_in_the_model_is_no_concern_of_our_own_loader(
    tmp_path: Path, model_of: Callable[[Task], Path]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_of(Task.REGRESSION), folder)
    about = yaml.safe_load((folder / "MLmodel").read_text())
    about["flavors"]["sklearn"] = {"skops_trusted_types": []}
    (folder / "MLmodel").write_text(yaml.safe_dump(about))
    assert isolation.load(folder, hashing.of_folder(folder)).encoder.columns
