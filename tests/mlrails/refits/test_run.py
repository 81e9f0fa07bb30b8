"""Refits on all cores: kept, carried on, the same on any number, and told when they fail."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rows

from flight_delays import estimator
from flight_delays.steps import train
from mlrails.core import layout, processes
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.params import FILE, Params, Task
from mlrails.core.settings import Settings, scratch_of
from mlrails.evaluation import figures, selection
from mlrails.refits import draws, objective, run, worker
from mlrails.refits.code import Code
from mlrails.refits.draws import Kind, Refit

OWN = Code(train.fit, estimator.Hyperparameters, ())
TOLD = """
import json, pathlib, sys
folder, *names = sys.argv[1:]
for name in names:
    kind, number = name.split("-")
    found = {"figure": 0.7 + int(number) / (100 if kind == "seed" else 10)}
    pathlib.Path(folder, f"{name}.json").write_text(json.dumps(found))
    with open("asked.txt", "a") as asked:
        asked.write(f"{name}\\n")
print(json.dumps(""))
"""
"""A process that knows figures without any fit."""
FAILS = "import json; print(json.dumps('seed-0: out of memory'))"


def asked(root: Path) -> list[str]:
    path = root / "asked.txt"
    names = path.read_text().split() if path.is_file() else []
    path.unlink(missing_ok=True)
    return sorted(names)


def with_refits(count: int, **evaluation: Any) -> Params:
    return rows.parameters(
        evaluation={**rows.values()["evaluation"], "refits": count, **evaluation}
    )


@pytest.fixture
def told(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "_COMMAND", (sys.executable, "-c", TOLD))
    return project


def variation(root: Path, params: Params, digest: str = "abc") -> dict[str, Any]:
    found: dict[str, Any] = run.variation(Settings(root, package=rows.PACKAGE), params, digest)
    return found


@pytest.mark.parametrize("task", list(Task))
def test_a_refit_with_the_own_seed_has_the_figure_of_the_report(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = rows.parameters(task)
    report = figures.of_model(params, rows.fitted(task), rows.parts())
    monkeypatch.setattr(draws, "drawn", lambda params, parts, _: (params, parts))
    found = worker.figure(OWN, params, rows.parts(), Refit(Kind.SEED, 0))
    assert found == report["test"][report["primary"]]["models"]["model"]["value"]


def test_a_refit_is_fitted_without_the_test_rows_and_judged_by_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    met: list[Any] = []

    def fit(params: Params, hyperparameters: Any, parts: Any, watch: Any) -> Any:
        met.append((params.seed, {*parts}))
        return rows.fitted(Task.CLASSIFICATION)

    params, primary = (
        rows.parameters(),
        selection.primary(Task.CLASSIFICATION, with_refits(3).evaluation),
    )
    own = Code(fit, estimator.Hyperparameters, ())
    found = worker.figure(own, params, rows.parts(), Refit(Kind.SEED, 0))
    ((seed, parts),) = met
    assert seed != params.seed and parts == {"train", "validation"}
    model = rows.fitted(Task.CLASSIFICATION)
    assert found == objective.figure(params, model, rows.parts(), primary, "test")
    assert found != objective.figure(params, model, rows.parts(), primary)


def test_a_refit_asks_for_no_interval_which_days_drawn_twice_could_be_too_few_for() -> None:
    """Of its 14 days of validation rows the first are left out here, so that there are nine."""
    told = rows.values(Task.REGRESSION)["estimator"] | {"interval": 0.9}
    params = rows.parameters(Task.REGRESSION, estimator=told)
    held_out = rows.parts()["validation"]
    few = held_out[held_out["scheduled_departure"].dt.day >= 23]
    assert few["scheduled_departure"].dt.normalize().nunique() == 9
    with pytest.raises(UsageError, match="at least 10 days"):
        rows.fit_on(params, rows.parts()["train"], few)
    found = worker.figure(OWN, params, {**rows.parts(), "validation": few}, Refit(Kind.SEED, 0))
    assert found > 0


def test_without_refits_nothing_is_told_and_no_process_begins(told: Path) -> None:
    assert variation(told, rows.parameters()) == variation(told, with_refits(0)) == {}
    assert asked(told) == [] and not (scratch_of(told) / "refits").exists()
    assert "refits" not in rows.parameters().model_dump()["evaluation"]
    assert with_refits(3).model_dump()["evaluation"]["refits"] == 3


def test_what_refits_make_of_the_figure_is_told_under_a_key_of_its_own(told: Path) -> None:
    (found,) = variation(told, with_refits(3)).values()
    days = rows.parts()["train"]["scheduled_departure"].dt.normalize().nunique()
    assert (found["refits"], found["unit"], found["units"]) == (3, "day", days)
    assert found["seed"]["values"] == [0.7, 0.71, 0.72]
    assert found["sample"]["sd"] == 0.1


@pytest.mark.parametrize("cores", [1, 2, 64])
def test_the_same_is_told_on_any_number_of_cores(
    told: Path, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = variation(told, with_refits(5))
    shutil.rmtree(scratch_of(told) / "refits")
    monkeypatch.setattr(processes, "cores", lambda: cores)
    begun: list[Any] = []
    begin = run._begin
    monkeypatch.setattr(run, "_begin", lambda *how: begun.append(how) or begin(*how))
    assert variation(told, with_refits(5)) == expected
    assert len(begun) == min(cores, 8)
    threads = {how[2]["OMP_NUM_THREADS"] for how in begun}
    assert threads == {str(max(cores // len(begun), 1))}


def test_refits_that_were_broken_off_go_on_with_those_that_lack(told: Path) -> None:
    expected = variation(told, with_refits(3))
    (folder,) = (scratch_of(told) / "refits").iterdir()
    assert len(asked(told)) == 6
    (folder / "seed-1.json").unlink()
    (folder / "sample-2.json").write_text("{")  # A kill in the middle, should it ever show.
    assert variation(told, with_refits(3)) == expected
    assert asked(told) == ["sample-2", "seed-1"]
    assert variation(told, with_refits(4)) != expected
    assert asked(told) == ["sample-3", "seed-3"]


@pytest.mark.parametrize(
    "path",
    [
        f"src/{rows.PACKAGE}/steps/train.py",
        f"src/{rows.PACKAGE}/metrics.py",
        layout.prepared("train").as_posix(),
        layout.LOCK,
    ],
)
def test_refits_of_other_inputs_are_not_taken_for_these(told: Path, path: str) -> None:
    def figures(params: Params, digest: str = "abc") -> list[str]:
        variation(told, params, digest)
        return asked(told)

    assert len(figures(with_refits(3))) == len(figures(with_refits(3), "another model")) == 6
    assert figures(with_refits(3, resamples=200, confidence=0.8), "another model") == []
    assert len(figures(with_refits(3, primary="brier"), "another model")) == 6
    parts = {part: told / layout.prepared(part) for part in ("train", "test")}
    if path == layout.prepared("train").as_posix():
        shutil.copy(parts["test"], parts["train"])
    else:
        with (told / path).open("a") as file:
            file.write("# more\n")
    assert len(figures(with_refits(3, primary="brier"), "another model")) == 6
    assert len([*(scratch_of(told) / "refits").iterdir()]) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (FAILS, "seed-0: out of memory"),
        ("import os; os.kill(os.getpid(), 9)", "its process was killed: out of memory?"),
        ("import sys; sys.exit(3)", "it ended with 3"),
    ],
)
def test_a_refit_that_fails_is_told_with_what_to_do(
    project: Path, code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_COMMAND", (sys.executable, "-c", code))
    with pytest.raises(WorldError) as told:
        variation(project, with_refits(3))
    assert f"could not be fitted again: {words}" in str(told.value)
    assert str(told.value).startswith(f"{FILE}: 'evaluation.refits'")
    assert "without that key" in str(told.value)


def test_what_the_projects_code_quotes_of_rows_is_kept_out_of_the_words(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fit(*_: Any) -> Any:
        raise ValueError("Mr Meyer")

    monkeypatch.setattr(train, "fit", fit)
    found = worker.work(project, [Refit(Kind.SEED, 0)])
    assert found == "seed-0: ValueError in the project's code"
    assert "Mr Meyer" in capfd.readouterr().err


def test_a_process_fits_what_it_is_asked_and_ends_with_whoever_has_asked(project: Path) -> None:
    source = project / "src" / rows.PACKAGE
    shutil.copytree(rows.ROOT / "src" / rows.PACKAGE, source, dirs_exist_ok=True)
    folder = project / "found"
    environment = {
        "PATH": "",
        "PYTHONPATH": str(rows.ROOT / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with subprocess.Popen(
        [*run._COMMAND, str(folder), "sample-1"],
        cwd=project,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        told, errors = process.stdout.read(), process.stderr.read()
    assert (told, process.returncode) == ('""', 0), errors
    expected = worker.figure(OWN, rows.parameters(), rows.parts(), Refit(Kind.SAMPLE, 1))
    assert json.loads((folder / "sample-1.json").read_text()) == {"figure": expected}
    orphan = subprocess.run(
        [*run._COMMAND, str(folder), "sample-2"],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert orphan.returncode == 1 and not (folder / "sample-2.json").exists()
