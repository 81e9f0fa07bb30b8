"""What a stage lists in `dvc.yaml`: the engine's folders that it imports, whole, and no other.

So a change in serving, in the gate or in the registry trains nothing anew.
"""

import runpy
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
import yaml
from baking import SOURCE, bake

closure = runpy.run_path(str(SOURCE / "src" / "mlrails" / "core" / "imports.py"))["closure"]
STAGES = yaml.safe_load((SOURCE / "dvc.yaml").read_text("utf-8"))["stages"]
LATER = {"batch", "cli", "gate", "github", "lifecycle", "pipeline", "registry", "replay"}
LATER |= {"serving", "update"}
"""Folders of the engine that no stage knows."""
BY_NAME = {"evaluate": {"src/flight_delays/steps/train.py"}}
"""What a stage's own processes import by its name: refits call the project's `fit`."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, user: Mapping[str, str]) -> Path:
    """A project; tests only look at it."""
    return bake(tmp_path_factory.mktemp("bake"), user)


def listed(project: Path, stage: str) -> set[str]:
    """Return the code that a stage lists."""
    stages = yaml.safe_load((project / "dvc.yaml").read_text("utf-8"))["stages"]
    return {it for it in stages[stage]["deps"] if it.startswith("src/")}


def imported(project: Path, stage: str) -> set[str]:
    """Return the code that a stage imports: the user's files, and folders of the engine."""
    found = closure(f"flight_delays.steps.{stage}", source=project / "src")
    places = [PurePosixPath("src", name) for name in found]
    return {str(PurePosixPath(*it.parts[:3]) if it.parts[1] == "mlrails" else it) for it in places}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_lists_what_it_imports(project: Path, stage: str) -> None:
    assert listed(project, stage) == imported(project, stage) | BY_NAME.get(stage, set())


@pytest.mark.parametrize("stage", STAGES)
def test_what_comes_after_training_trains_nothing(project: Path, stage: str) -> None:
    there = {it.name for it in (project / "src" / "mlrails").iterdir()}
    folders = {PurePosixPath(it).name for it in listed(project, stage) if "/mlrails/" in it}
    assert there >= LATER and not folders & LATER


def test_an_import_that_is_not_listed_would_be_found(project: Path, tmp_path: Path) -> None:
    source = tmp_path / "src"
    for name in closure("flight_delays.steps.train", source=project / "src"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((project / "src" / name).read_bytes())
    (source / "mlrails" / "gate").mkdir()
    for name in ("__init__", "verdict"):
        (source / "mlrails" / "gate" / f"{name}.py").touch()
    with (source / "flight_delays" / "features.py").open("a") as file:
        file.write("from mlrails.gate import verdict\n")
    extra = imported(tmp_path, "train") - listed(project, "train")
    assert extra == {"src/mlrails/gate"}
