"""The stage `train`: the model and its history as files, told to the run while they come to be."""

import json
import math
import shutil
from pathlib import Path
from platform import python_version
from typing import Any

import fakes
import numpy as np
import pytest
import rows

from flight_delays import estimator as seam
from flight_delays import model
from flight_delays.steps import train
from mlrails.core import layout
from mlrails.core.errors import UsageError
from mlrails.core.hashing import of_folder, verify
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.evaluation import diagnostics
from mlrails.evaluation.diagnostics import choose_threshold
from mlrails.modeling import directory
from mlrails.modeling.isolation import DATA
from mlrails.stages.stage import Stage
from mlrails.tracking import origin
from mlrails.tracking.input_key import input_key


@pytest.fixture
def stage(project: Path) -> Stage:
    shutil.rmtree(project / "models")
    return Stage(Settings(project), rows.parameters())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a fit tell of three iterations, and return what was fitted before."""

    def fit(task: Task, *arguments: Any) -> Any:
        for step in range(3):
            arguments[-1].step(step, {"loss": 1 / (step + 1)})
        return rows.fitted(task).estimator

    monkeypatch.setattr(seam, "fit", fit)


def test_the_model_and_its_history_are_written_and_told(
    stage: Stage, fake: fakes.FakeClient
) -> None:
    train.train(stage)
    digest = of_folder(stage.root / layout.MODEL)
    verify(stage.root / layout.MODEL, digest)
    assert digest == rows.write_model(
        Task.CLASSIFICATION, stage.root / "again", of_folder(stage.root / layout.PREPARED)
    )
    encoder = model.load(stage.root / layout.MODEL / DATA).encoder
    features = stage.params.features
    assert (encoder.numeric, encoder.categorical) == (features.numeric, features.categorical)
    (run,) = fake._runs.values()
    assert run.data.tags["digest"] == digest
    assert run.data.tags["input_key"] == input_key(stage.root)
    assert run.info.status == "FINISHED"
    history = json.loads((stage.root / layout.HISTORY).read_text())
    assert history
    assert origin.noted_machine(stage.root) == (origin.cpu_class(seam.platform()), python_version())
    for name, steps in history.items():
        told = fake.get_metric_history(run.info.run_id, name)
        assert [str(it.step) for it in told] == list(steps)
        assert all(math.isclose(it.value, steps[str(it.step)], abs_tol=1e-8) for it in told)


def test_a_second_training_gives_the_same_bytes_and_no_second_run(
    stage: Stage, fake: fakes.FakeClient, quick: None
) -> None:
    train.train(stage)
    before = of_folder(stage.root / "models")
    train.train(stage)
    assert of_folder(stage.root / "models") == before
    ((run_id, run),) = fake._runs.items()
    name = next(iter(run.data.metrics))
    steps = [it.step for it in fake.get_metric_history(run_id, name)]
    assert steps == sorted(set(steps))


def test_bad_hyperparameters_are_refused_before_any_run_is_made(
    stage: Stage, fake: fakes.FakeClient
) -> None:
    bad = rows.parameters(estimator={"no_such_thing": 1})
    with pytest.raises(UsageError, match=r"params\.yaml: .*unknown key 'estimator\.no_such_thing'"):
        train.train(Stage(stage.settings, bad))
    assert fake._runs == {}
    assert not (stage.root / "models").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_training_that_breaks_off_leaves_no_model_and_no_open_run(
    stage: Stage,
    fake: fakes.FakeClient,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(directory, "_write", broken)
    with pytest.raises(error):
        train.train(stage)
    assert not (stage.root / layout.MODEL).exists()
    (run,) = fake._runs.values()
    assert run.info.status == ("KILLED" if error is KeyboardInterrupt else "FAILED")


def test_the_threshold_is_chosen_on_validation_rows_and_never_on_test_rows() -> None:
    parts, model = rows.parts(), rows.fitted(Task.CLASSIFICATION)
    best = {
        part: choose_threshold("f1", frame["late"].to_numpy(float), model.scores(frame))
        for part, frame in parts.items()
    }
    assert model.threshold == best["validation"] != best["test"]


def test_the_rule_of_the_params_chooses_the_threshold() -> None:
    chance = np.random.default_rng(1)
    target = (chance.random(500) < 0.1).astype(float)
    scores = (target + 2 * chance.random(500)) / 3
    chosen = {
        rule: diagnostics.threshold(
            rows.parameters(evaluation=rows.values()["evaluation"] | {"threshold": rule}),
            target,
            scores,
        )
        for rule in ("f1", "youden")
    }
    assert chosen["f1"] != chosen["youden"]
    assert chosen == {rule: choose_threshold(rule, target, scores) for rule in ("f1", "youden")}
