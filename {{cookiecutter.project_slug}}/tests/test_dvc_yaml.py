"""`dvc.yaml`: each stage lists exactly what it reads, or it would run too seldom or too often.

A line that is missing or too many: `dvc repro` cannot see it, so this test names it. A file of your
own that a stage reads is yours to list, and so is a stage of your own.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from flight_delays import estimator as seam
from flight_delays import source
from mlrails.core import layout, params
from mlrails.core.config import Frozen, read_yaml
from mlrails.core.imports import closure
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.reporting import report
from mlrails.stages.stage import Stage
from mlrails.tracking import live

import rows

STAGES: dict[str, dict[str, Any]] = read_yaml(rows.ROOT / "dvc.yaml")["stages"]
FILES = {
    "ingest": set[str](),
    "prepare": {"data/raw"},
    "train": {"data/prepared"},
    "evaluate": {"data/prepared", "models/digest.txt", "models/model"},
}
"""The data that each stage reads; the tests of the steps write them where `data.py` says."""
OUTS = {
    "ingest": {layout.RAW.parent},
    "prepare": {layout.PREPARED},
    "train": {layout.MODEL, layout.DIGEST, layout.HISTORY, layout.MACHINE},
    "evaluate": {layout.METRICS, layout.REPORT, Path("reports/report.md"), Path("reports/plots")},
}


@cache
def expected(stage: str) -> set[str]:
    code = {f"src/{rows.PACKAGE}/{file}" for file in closure(f"steps.{stage}")}
    return code | FILES[stage] | {"requirements.lock", "python_env.yaml"}


def wrong(stage: str, deps: Iterable[str]) -> dict[str, set[str]]:
    """Return what is missing among the deps of a stage, and what is too many."""
    found, extra = expected(stage), set(deps) - expected(stage)
    return {"missing": found - set(deps), "too many": {it for it in extra if not is_yours(it)}}


def is_yours(dep: str) -> bool:
    """Tell a file of the owner's from the package's code and from what the stages make."""
    made = {path.as_posix() for paths in OUTS.values() for path in paths}
    ours = {f"src/{rows.PACKAGE}", *made}
    return not any(dep == it or dep.startswith(f"{it}/") for it in ours)


NOTHING: dict[str, set[str]] = {"missing": set(), "too many": set()}


@pytest.mark.parametrize("stage", FILES)
def test_the_deps_are_the_imports_and_the_data(stage: str) -> None:
    deps = STAGES[stage]["deps"]
    assert wrong(stage, deps) == NOTHING
    assert len(deps) == len(set(deps))


@pytest.mark.parametrize("stage", FILES)
def test_a_line_that_is_missing_or_too_many_is_named(stage: str) -> None:
    for dep in expected(stage):
        others = [other for other in STAGES[stage]["deps"] if other != dep]
        assert wrong(stage, others) == {"missing": {dep}, "too many": set()}
    for more in (f"src/{rows.PACKAGE}/acts/promote.py", "reports/metrics.json"):
        extra = [*STAGES[stage]["deps"], more]
        assert wrong(stage, extra) == {"missing": set(), "too many": {more}}


@pytest.mark.parametrize("stage", FILES)
def test_a_file_of_your_own_may_be_listed_anywhere(stage: str) -> None:
    own = ["data/credit.csv", "../shared/holidays.parquet", "queries.sql"]
    assert wrong(stage, [*own, *STAGES[stage]["deps"]]) == NOTHING


@pytest.mark.parametrize("stage", FILES)
def test_a_stage_runs_its_step_and_makes_what_the_project_knows(stage: str) -> None:
    found = STAGES[stage]
    assert found["cmd"] == f"python -m {rows.PACKAGE}.steps.{stage}"
    outs = [*found.get("outs", ()), *found.get("metrics", ())]
    assert set(map(Path, outs)) >= OUTS[stage]
    assert {"pyproject.toml": ["dependency-groups.train"]} in found["params"]


def test_every_step_of_the_template_is_a_stage() -> None:
    steps = (rows.ROOT / "src" / rows.PACKAGE / "steps").glob("[a-z]*.py")
    assert {path.stem for path in steps} >= set(FILES) == set(OUTS) <= set(STAGES)


class Reads:
    """Params that note which of them are read."""

    def __init__(self, section: Frozen, seen: set[str], prefix: str = "") -> None:
        self._section, self._seen, self._prefix = section, seen, prefix

    def __getattr__(self, name: str) -> Any:
        value, path = getattr(self._section, name), f"{self._prefix}{name}"
        if isinstance(value, Frozen) and not isinstance(value, params.Period):
            return Reads(value, self._seen, f"{path}.")
        self._seen.add(path)
        return value


STEPS: dict[str, Callable[[Stage], None]] = {
    stage: getattr(import_module(f"{rows.PACKAGE}.steps.{stage}"), stage) for stage in FILES
}
RANDOM = {"by": "random", "validation": 0.2, "test": 0.3, "acknowledge": params.ACKNOWLEDGEMENT}
GIVEN: list[params.Params] = [*map(rows.parameters, Task), rows.parameters(split=RANDOM)]
"""All ways of running a stage; only `prepare` cares how rows are split."""


@pytest.fixture
def read(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[str]]:
    """Return what runs a stage in all its ways, and names the params that it has read."""
    monkeypatch.setattr(source, "rows", lambda track: rows.flights())
    monkeypatch.setattr(report, "write", lambda found, folder: None)
    fitted = {task: rows.fitted(task).estimator for task in Task}
    monkeypatch.setattr(seam, "fit", lambda task, *_: fitted[task])
    monkeypatch.setattr(live, "start_run", lambda *_: nullcontext(Mock()))
    parquet.write(rows.flights(), project / layout.RAW)

    def run(stage: str) -> set[str]:
        seen: set[str] = set()
        for given in GIVEN[: None if stage == "prepare" else len(Task)]:
            noted: Any = Reads(given, seen)
            if stage in {"train", "evaluate"}:
                STEPS["prepare"](Stage(Settings(project), given))
            STEPS[stage](Stage(Settings(project), noted))
        return seen

    return run


def listed(stage: str) -> set[str]:
    return {param for param in STAGES[stage]["params"] if isinstance(param, str)}


def covers(key: str, param: str) -> bool:
    return param == key or param.startswith(f"{key}.")


def unlisted(seen: set[str], keys: set[str]) -> set[str]:
    return {param for param in seen if not any(covers(key, param) for key in keys)}


def unread(seen: set[str], keys: set[str]) -> set[str]:
    return {key for key in keys if not any(covers(key, param) for param in seen)}


@pytest.mark.parametrize("stage", FILES)
def test_the_params_are_those_that_the_step_reads(
    read: Callable[[str], set[str]], stage: str
) -> None:
    seen, keys = read(stage), listed(stage)
    assert unlisted(seen, keys) == set()
    assert unread(seen, keys) == set()
    for key in keys:
        assert unlisted(seen, keys - {key}), f"without {key} nobody would notice"
    assert unread(seen, keys | {"no.such"}) == {"no.such"}
