"""What a process of the search does: it fits as the stage does, and sees no test row."""

import io
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
from mlrails.core import layout
from mlrails.core.errors import UsageError
from mlrails.core.params import FILE, Params, Task
from mlrails.evaluation import figures, selection
from mlrails.evaluation.own import mean_of
from mlrails.modeling.epochs import Watch
from mlrails.refits import objective
from mlrails.tuning import worker
from mlrails.tuning.worker import Fitter

AXES = {"learning_rate": {"low": 0.01, "high": 0.5, "log": True}}


def fitter(task: Task = Task.CLASSIFICATION, fit: Any = train.fit, **sections: Any) -> Fitter:
    params = rows.parameters(task, **({"tune": {"space": AXES}} | sections))
    seen = {part: rows.parts()[part] for part in ("train", "validation")}
    return Fitter(params, seen, fit, estimator.Hyperparameters, ())


def asked(bounds: Any = None, **values: Any) -> dict[str, Any]:
    return {"number": 3, "values": values, "bounds": bounds}


def answered(it: Fitter, what: dict[str, Any]) -> list[Any]:
    told: list[Any] = []
    worker.answer(it, what, told.append)
    return told


@pytest.mark.parametrize("task", list(Task))
def test_the_figure_is_the_one_that_the_report_has_of_the_validation_rows(task: Task) -> None:
    params, model = rows.parameters(task), rows.fitted(task)
    report = figures.of_model(params, model, rows.parts())
    primary = selection.primary(task, params.evaluation)
    found = objective.figure(params, model, rows.parts(), primary)
    assert found == report["validation"][primary.name]["models"]["model"]["value"]


def test_a_metric_of_calls_is_asked_at_the_models_threshold() -> None:
    own = (mean_of("hits", "Hits", lambda it, called: it == called, higher_is_better=True,
                   of_calls=True),)  # fmt: skip
    params, model = rows.parameters(), rows.fitted(Task.CLASSIFICATION)
    metric = selection.known(params.task, params.evaluation, own)["hits"]
    frame = rows.parts()["validation"]
    hits = (model.predict(frame)["prediction"] == frame["late"]).mean()
    assert objective.figure(params, model, rows.parts(), metric) == pytest.approx(hits, abs=1e-6)


def test_a_trial_fits_with_its_values_and_leaves_the_others_as_they_are() -> None:
    met: list[Any] = []

    def fit(params: Params, hyperparameters: Any, parts: Any, watch: Watch) -> Any:
        met.append((hyperparameters, params.estimator, {*parts}))
        watch.step(0, {"validation_loss": 0.25})
        return rows.fitted(Task.CLASSIFICATION)

    (told,) = answered(fitter(fit=fit), asked(learning_rate=0.2))
    ((hyperparameters, section, parts),) = met
    assert hyperparameters.learning_rate == section["learning_rate"] == 0.2
    assert hyperparameters.max_iter == rows.values()["estimator"]["max_iter"]
    assert parts == {"train", "validation"}
    assert (told["number"], told["state"], told["losses"]) == (3, "whole", [0.25])
    assert json.loads(json.dumps(told)) == told


def test_a_fit_out_of_bounds_is_told_once_and_stops() -> None:
    whole = answered(fitter(), asked(learning_rate=0.1))[0]
    assert len(whole["losses"]) > 5
    told = answered(fitter(), asked({"first": 2, "losses": [0.0]}, learning_rate=0.1))
    assert [(it["state"], it["value"]) for it in told] == [("given up", None)]
    assert told[0]["losses"] == whole["losses"][:3]


def test_a_fit_that_swallows_what_is_raised_is_told_as_given_up_all_the_same() -> None:
    def fit(params: Params, hyperparameters: Any, parts: Any, watch: Watch) -> Any:
        try:
            watch.step(0, {"validation_loss": 1.0})
        except Exception as error:
            raise RuntimeError from error

    told = answered(fitter(fit=fit), asked({"first": 0, "losses": [0.5]}))
    assert [it["state"] for it in told] == ["given up"]


@pytest.mark.parametrize(
    ("raised", "why"),
    [
        (UsageError("lower 'estimator.learning_rate'"), "lower 'estimator.learning_rate'"),
        (MemoryError(), "out of memory"),
        (ValueError("Mr Meyer"), "ValueError in the project's code"),
    ],
)
def test_a_failure_is_told_in_words_without_a_value_of_the_rows(
    raised: Exception, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def fit(*_: Any) -> Any:
        raise raised

    (told,) = answered(fitter(fit=fit), asked())
    assert (told["state"], told["why"]) == ("failed", why)
    assert ("Mr Meyer" in capfd.readouterr().err) is (type(raised) is ValueError)


def test_a_metric_that_is_no_number_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective, "figure", lambda *_: float("nan"))
    it = fitter(fit=lambda *_: rows.fitted(Task.CLASSIFICATION))
    (told,) = answered(it, asked())
    assert (told["state"], told["value"], told["why"]) == ("failed", None, "the metric is nan")


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"learning_rat": {"low": 0.1, "high": 0.2}}, "unknown key 'estimator.learning_rat'"),
        ({"learning_rate": {"low": 0.1, "high": 2.0}}, "'estimator.learning_rate' = 2.0"),
        ({"max_iter": [10, "many"]}, "'estimator.max_iter' = 'many'"),
    ],
)
def test_an_axis_whose_ends_the_estimator_does_not_take_is_told_before_any_fit(
    axes: Any, words: str
) -> None:
    with pytest.raises(UsageError) as told:
        fitter(tune={"space": axes}).check()
    assert str(told.value).startswith(f"{FILE}: 'tune.space.{next(iter(axes))}': ")
    assert words in str(told.value)


def test_a_process_sees_no_test_row_and_ends_with_its_input(project: Path) -> None:
    shutil.rmtree(project / "models")
    (project / layout.prepared("test")).unlink()
    (project / layout.RAW).unlink()
    values = {**rows.values(), "tune": {"space": AXES}}
    (project / FILE).write_text(json.dumps(values))
    shutil.copytree(
        rows.ROOT / "src" / rows.PACKAGE, project / "src" / rows.PACKAGE, dirs_exist_ok=True
    )
    done = subprocess.run(
        [sys.executable, "-m", "mlrails.tuning.worker"],
        cwd=project,
        env={"PATH": "", "PYTHONPATH": str(rows.ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        input="",
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"ready": True}]


def test_what_is_wrong_with_the_project_is_told_to_whoever_waits(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    monkeypatch.setattr(train, "fit", None)
    worker.work(told)
    assert json.loads(told.getvalue()) == {
        "error": f"src/{rows.PACKAGE}/steps/train.py: it has no `fit(params, hyperparameters, "
        "rows, watch)`, which trials and refits call as the stage does; write one",
        "usage": True,
    }
