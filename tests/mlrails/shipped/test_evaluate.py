"""The stage `evaluate`: every figure of the model that is there, as plain values."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from flight_delays.model import Predictor
from flight_delays.steps import evaluate
from mlrails.core import hashing, layout
from mlrails.core.errors import UsageError
from mlrails.core.params import Params, Task
from mlrails.core.settings import Settings
from mlrails.evaluation import figures as evaluation_figures
from mlrails.evaluation import permutation, selection
from mlrails.evaluation.metrics import METRICS
from mlrails.reporting import report
from mlrails.stages.stage import Stage


def figures(params: Params, predictor: Predictor) -> dict[str, Any]:
    """Return the figures as the stage makes them, with one thread for linear algebra."""
    with threadpool_limits(1, user_api="blas"):
        return evaluation_figures.of_model(params, predictor, rows.parts())


@pytest.fixture(scope="module")
def figures_of() -> dict[Task, dict[str, Any]]:
    return {task: figures(rows.parameters(task), rows.fitted(task)) for task in Task}


@pytest.fixture
def found(task: Task, figures_of: dict[Task, dict[str, Any]]) -> dict[str, Any]:
    return figures_of[task]


def test_every_metric_is_told_of_the_model_and_of_each_baseline(
    task: Task, found: dict[str, Any]
) -> None:
    for part in ("validation", "test"):
        assert list(found[part]) == [metric.name for metric in METRICS[task]]
        for metric in found[part].values():
            assert set(metric["models"]) == {"model", *metric["gains"]}
            for figure in metric["models"].values():
                assert figure["low"] <= figure["value"] <= figure["high"]
    assert found["primary"] == METRICS[task][0].name


def test_the_model_is_better_than_a_constant(found: dict[str, Any]) -> None:
    gains = found["test"][found["primary"]]["gains"]
    constants = [name for name in gains if name.startswith("constant") or name == "class mix"]
    assert constants
    assert all(gains[name]["low"] > 0 for name in constants)
    assert not set(constants) & set(found["as_good"][found["primary"]])


def test_the_area_is_scikit_learns_on_the_test_rows(figures_of: dict[Task, Any]) -> None:
    test, model = rows.parts()["test"], rows.fitted(Task.CLASSIFICATION)
    area = figures_of[Task.CLASSIFICATION]["test"]["roc_auc"]["models"]["model"]["value"]
    assert area == pytest.approx(roc_auc_score(test["late"], model.scores(test)), abs=1e-6)


def test_parts_are_described(task: Task, found: dict[str, Any]) -> None:
    target = rows.parts()["test"][rows.parameters(task).data.target]
    about: dict[str, Any] = {"target": None, "classes": 3}
    if task is not Task.MULTICLASS:
        about = {"target": round(float(target.mean()), 6)}
    assert found["parts"]["test"] == {
        "rows": len(target),
        **about,
        "from": "2013-09-01",
        "to": "2013-09-30",
        "days": 30,
    }


def test_slices_and_months_hold_every_row_once(found: dict[str, Any]) -> None:
    test = rows.parts()["test"]
    for name in ("carrier", "origin"):
        slices = {it["name"]: it["rows"] for it in found["slices"][name]}
        assert slices == test[name].value_counts().to_dict()
    months = {part: [it["name"] for it in groups] for part, groups in found["months"].items()}
    assert months == {
        "train": ["2013-07", "2013-08"],
        "validation": ["2013-08"],
        "test": ["2013-09"],
    }


def test_a_missing_value_leaves_the_slices_their_whole_names(task: Task) -> None:
    test = rows.parts()["test"]
    gap = test.assign(carrier=test["carrier"].where(np.arange(len(test)) > 0))
    found = evaluation_figures.of_model(
        rows.parameters(task), rows.fitted(task), rows.parts() | {"test": gap}
    )
    names = [it["name"] for it in found["slices"]["carrier"]]
    assert names == [*sorted(set(test["carrier"])), "missing"]


def test_the_column_that_tells_most_is_the_most_important(found: dict[str, Any]) -> None:
    importance = found["importance"]
    assert set(importance) == set(rows.fitted(Task.REGRESSION).encoder.columns)
    assert next(iter(importance)) == "scheduled_departure"
    assert importance["scheduled_departure"]["mean"] > 10 * abs(importance["temp"]["mean"])


def test_the_interval_of_a_column_tells_which_one_says_something(task: Task) -> None:
    params = rows.parameters(task)
    asked = params.evaluation.model_copy(update={"importance": "interval"})
    more = params.model_copy(update={"evaluation": asked})
    metric = selection.primary(task, params.evaluation)
    plain, found = (
        permutation.importance(it, rows.fitted(task), rows.parts()["test"], metric)
        for it in (params, more)
    )
    assert [*found] == [*plain]
    for name, loss in found.items():
        assert loss["mean"] == pytest.approx(plain[name]["mean"], abs=1e-9)
        assert loss["low"] < loss["mean"] < loss["high"] or loss["mean"] == 0
    assert found["scheduled_departure"]["low"] > 0
    assert found["temp"]["low"] < 0.01 * found["scheduled_departure"]["mean"]


def test_the_bias_covers_zero_or_says_by_how_much_not(found: dict[str, Any]) -> None:
    assert found["bias"]["low"] < found["bias"]["value"] < found["bias"]["high"]


def test_the_confusion_is_that_of_the_models_own_threshold(figures_of: dict[Task, Any]) -> None:
    model, test = rows.fitted(Task.CLASSIFICATION), rows.parts()["test"]
    behaviour = figures_of[Task.CLASSIFICATION]["behaviour"]
    assert behaviour["threshold"] == model.threshold
    called = int(np.sum(model.predict(test)["prediction"]))
    confusion = behaviour["confusion"]
    assert confusion["true_positive"] + confusion["false_positive"] == called


def test_the_same_model_and_rows_give_the_same_figures(task: Task, found: dict[str, Any]) -> None:
    again = figures(rows.parameters(task), rows.fitted(task))
    assert json.dumps(again) == json.dumps(found)


def test_rows_without_time_are_evaluated_too() -> None:
    given = rows.parameters(
        data={"target": "late", "time": None},
        features={"numeric": ["distance"], "categorical": ["carrier"]},
        split={"by": "random", "validation": 0.2, "test": 0.3},
    )
    found = figures(given, rows.fit(given))
    assert found["parts"]["test"]["days"] is None
    assert [it["name"] for it in found["months"]["test"]] == ["all"]
    assert found["test"]["roc_auc"]["models"]["model"]["low"] > 0.5


def test_the_stage_reads_the_model_directory_and_names_it_by_its_digest(
    project: Path, monkeypatch: pytest.MonkeyPatch, figures_of: dict[Task, dict[str, Any]]
) -> None:
    written: list[tuple[dict[str, Any], Path]] = []
    monkeypatch.setattr(report, "write", lambda found, folder: written.append((found, folder)))
    evaluate.evaluate(Stage(Settings(project), rows.parameters()))
    ((found, folder),) = written
    assert folder == project / "reports"
    assert found["digest"] == hashing.of_folder(project / layout.MODEL)
    assert found["data_digest"] == hashing.of_folder(project / layout.PREPARED)
    expected = figures_of[Task.CLASSIFICATION]
    assert found["test"] == expected["test"]
    assert all(math.isfinite(it["mean"]) for it in found["importance"].values())


CHOSEN = {
    Task.CLASSIFICATION: ["brier", "average_precision", "f1", "balanced_accuracy", "cost"],
    Task.REGRESSION: ["mae", "pinball_90", "median_absolute_error", "wape"],
}


@pytest.mark.parametrize(
    ("task", "name"), [(task, name) for task, names in CHOSEN.items() for name in names]
)
def test_everything_goes_by_the_metric_that_the_params_name(
    task: Task, name: str, tmp_path: Path
) -> None:
    costs = {"costs": {"false_alarm": 1, "miss": 3}} if task is Task.CLASSIFICATION else {}
    evaluation = rows.values(task)["evaluation"] | {"primary": name, **costs}
    found = figures(rows.parameters(task, evaluation=evaluation), rows.fitted(task))
    assert found["primary"] == name and next(iter(found["test"])) == name
    assert {metric.name for metric in METRICS[task]} <= set(found["test"])
    metric = found["test"][name]
    assert metric["models"]["model"]["low"] < metric["models"]["model"]["value"]
    assert all(name in group for groups in found["slices"].values() for group in groups)
    assert any(name in group for group in found["months"]["test"])
    best = next(iter(found["importance"].values()))["mean"]
    assert best > 0
    found |= {"digest": "a" * 64, "data_digest": "b" * 64}
    report.write(found, tmp_path)
    page = (tmp_path / "report.md").read_text("utf-8")
    assert f"{metric['title']} of the model and of each baseline" in page
    assert metric["title"] in report.figures_table(found) or name in report.figures_table(found)


def test_a_target_that_the_metric_is_not_for_is_told() -> None:
    task = Task.REGRESSION
    evaluation = rows.values(task)["evaluation"] | {"primary": "rmsle"}
    with pytest.raises(UsageError, match=r"rmsle: is for targets from zero on, and .* 'arr_delay'"):
        figures(rows.parameters(task, evaluation=evaluation), rows.fitted(task))


def test_what_another_threshold_would_cost_is_in_the_report(tmp_path: Path) -> None:
    costs = {"false_alarm": 1, "miss": 3}
    evaluation = rows.values()["evaluation"] | {"threshold": "cost", "costs": costs}
    params = rows.parameters(evaluation=evaluation)
    found = figures(params, rows.fit(params))
    report.write(found | {"digest": "a" * 64, "data_digest": "b" * 64}, tmp_path)
    page = (tmp_path / "report.md").read_text("utf-8")
    assert "on the validation rows, where what wrong calls cost is lowest" in page
    assert "A false alarm costs 1 and an event that is missed costs 3" in page
    assert "Nobody is called" in page and (tmp_path / "plots" / "cost.svg").is_file()
    kept = json.loads((tmp_path / "metrics.json").read_text("utf-8"))["behaviour"]["costs"]
    assert set(kept) == {"false_alarm", "miss", "thresholds"}
    assert kept["thresholds"]["model"]["cost"] < kept["thresholds"]["everybody"]["cost"]
    assert found["primary"] == "roc_auc" and "cost" not in found["test"]
