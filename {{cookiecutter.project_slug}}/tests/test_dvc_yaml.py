"""`dvc.yaml`: each stage lists exactly what it reads, or it would run too seldom or too often.

A line that is missing or too many: `dvc repro` cannot see it, so this test names it. Of your
package a stage lists each file that its step imports, of the engine each folder. A file of data
that a stage reads is yours to list; so is a stage of your own, which is held to the same where it
runs a step.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlrails.core import layout
from mlrails.core.config import read_yaml
from mlrails.core.imports import closure

import made_up

STAGES: dict[str, dict[str, Any]] = read_yaml(made_up.ROOT / "dvc.yaml")["stages"]
STEP = re.compile(rf"python -m ({made_up.PACKAGE}\.steps\.\w+)")
ENGINE, OURS = "src/mlrails/", f"src/{made_up.PACKAGE}/"
FILES = {
    "ingest": set[str](),
    "prepare": {"data/raw"},
    "train": {"data/prepared"},
    "evaluate": {"data/prepared", "models/digest.txt", "models/model", f"{OURS}steps/train.py"},
}
"""What a stage reads of what the ones before it have made."""
OUTS = {
    "ingest": {layout.RAW.parent},
    "prepare": {layout.PREPARED},
    "train": {layout.MODEL, layout.DIGEST, layout.HISTORY, layout.MACHINE},
    "evaluate": {*layout.REPORTS},
}
STEPS = {name: it[1] for name, stage in STAGES.items() if (it := STEP.fullmatch(stage["cmd"]))}
"""The module of each stage that runs a step of your package."""


@cache
def expected(stage: str) -> set[str]:
    """Return the deps of a stage that runs a step."""
    files = {f"src/{file}" for file in closure(STEPS[stage])}
    folders = {re.sub(rf"^({ENGINE}\w+)/.*", r"\1", file) for file in files}
    return folders | FILES.get(stage, set()) | {"requirements.lock", "python_env.yaml"}


def is_ours_to_judge(dep: str, stage: str) -> bool:
    """Tell code, and what the four stages make, from files of data and stages of your own."""
    made = {path.as_posix() for paths in OUTS.values() for path in paths}
    code = dep.startswith((ENGINE, OURS)) and dep.endswith(".py")
    return code or dep.startswith(ENGINE) or (stage in FILES and dep in made)


def wrong(stage: str, deps: Iterable[str]) -> set[str]:
    """Return what to do about the deps of a stage, in words."""
    needed, listed = expected(stage), set(deps)
    missing = {f"dvc.yaml: add {it} to the deps of '{stage}'" for it in needed - listed}
    unread = {it for it in listed - needed if is_ours_to_judge(it, stage)}
    return missing | {f"dvc.yaml: take {it} out of the deps of '{stage}'" for it in unread}


@pytest.mark.parametrize("stage", STEPS)
def test_the_deps_are_the_imports_and_the_data(stage: str) -> None:
    deps = STAGES[stage]["deps"]
    assert not (told := wrong(stage, deps)), "\n".join(sorted(told))
    assert len(deps) == len(set(deps)), "a line stands twice"


@pytest.mark.parametrize("stage", FILES)
def test_a_line_that_is_missing_or_too_many_is_named(stage: str) -> None:
    deps = STAGES[stage]["deps"]
    for dep in expected(stage):
        others = [other for other in deps if other != dep]
        assert wrong(stage, others) == {f"dvc.yaml: add {dep} to the deps of '{stage}'"}
    for more in (f"{ENGINE}serving", f"{OURS}__main__.py", "models/history.json"):
        found = wrong(stage, [*deps, more])
        assert found == {f"dvc.yaml: take {more} out of the deps of '{stage}'"}
    own = ["data/mine.csv", "../shared/more.parquet", "queries.sql", f"{OURS}words.txt"]
    assert wrong(stage, [*own, *deps]) == set(), "a file of data of your own"


@pytest.mark.parametrize("stage", FILES)
def test_a_stage_runs_its_step_and_makes_what_the_engine_looks_for(stage: str) -> None:
    found = STAGES[stage]
    assert STEPS[stage] == f"{made_up.PACKAGE}.steps.{stage}"
    outs = [*found.get("outs", ()), *found.get("metrics", ())]
    assert {*map(Path, outs)} >= OUTS[stage]
    assert {"pyproject.toml": ["dependency-groups.train"]} in found["params"]


def test_every_step_is_a_stage() -> None:
    steps = {path.stem for path in (made_up.ROOT / OURS / "steps").glob("[a-z]*.py")}
    assert steps >= {*FILES} <= {*STAGES}
