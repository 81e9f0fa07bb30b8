"""Rows in groups, with weights: split, fitted, reported, gated and scored, from end to end."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows
import yaml

from flight_delays.schema import COLUMNS
from mlrails.core import layout
from mlrails.core.layout import SERVING_LOCK
from mlrails.core.params import Params, Task, Unit
from mlrails.data import parquet, splits, validation
from mlrails.evaluation import figures
from mlrails.gate import checks, contest
from mlrails.gate.verdict import CHAMPION
from mlrails.modeling import directory, isolation
from mlrails.modeling.checked_copy import Model
from mlrails.pipeline.candidate import Candidate
from mlrails.registry.versions import Version
from mlrails.reporting import report
from mlrails.tracking.origin import Project

pytestmark = pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
FEATURES = {"numeric": ["distance", "wind_speed", "temp"], "categorical": ["carrier", "origin"]}
GROUPS = 150


def given(task: Task, **data: str) -> Params:
    target = rows.parameters(task).data.target
    return rows.parameters(
        task,
        data={"target": target, "time": None, "group": "tailnum", **data},
        features=FEATURES,
        split={"by": "group", "validation": 0.2, "test": 0.3},
    )


def fleet() -> pd.DataFrame:
    """Return flights of 150 aircraft; each flight has a weight of 1 or 3."""
    rng, count = np.random.default_rng(1), len(rows.flights())
    names = [f"N{it}" for it in rng.integers(0, GROUPS, count)]
    return rows.flights().assign(tailnum=names, flight=rng.choice([1.0, 3.0], count))


def prepared(root: Path, params: Params, frame: pd.DataFrame) -> dict[layout.Part, pd.DataFrame]:
    parquet.write(frame, root / layout.RAW)
    parts = splits.divided(frame, params, validation.needed(params))
    for part, chosen in parts.items():
        parquet.write(chosen, root / layout.prepared(part))
    return parts


def test_a_project_in_groups_is_fitted_reported_gated_and_scored(
    task: Task, tmp_path: Path
) -> None:
    params = given(task, weight="flight")
    parts = prepared(tmp_path, params, fleet())
    model = rows.fit_on(params, parts["train"], parts["validation"])
    folder, lock = tmp_path / "model", rows.ROOT / SERVING_LOCK
    digest = directory.write(model, COLUMNS, parts["train"], "groups", lock, folder)
    found = figures.of_model(params, model, parts)
    assert found["parts"]["test"]["groups"] > 30 and found["parts"]["test"]["known_groups"] == 0

    report.write(found | {"digest": digest, "data_digest": digest}, tmp_path / "reports")
    page = (tmp_path / "reports" / "report.md").read_text("utf-8")
    assert "whole groups are drawn" in page and "weighted by flight" in page

    here = Candidate(folder, digest, params, "", found, Project(tmp_path))
    same = Version(1, {"split_digest": here.place.split_digest(params)}, "")
    test = contest.rows(parquet.read(tmp_path / layout.RAW), here, [same])
    assert set(test["tailnum"]) == set(parts["test"]["tailnum"])
    met = contest.contest(tmp_path, here, {CHAMPION: Model(folder, digest)}, test, params)
    told = checks.judge(met, params.gate, [], (digest, "b" * 64))
    gain = told.differences[CHAMPION]
    assert (gain.unit, gain.size) == (Unit.GROUP, test["tailnum"].nunique())
    words = " ".join([*told.notes(), *(it.reason for it in told.checks)])
    assert f"on {gain.size} groups" in words and "weighted by 'flight'" in words
    assert "day" not in words

    columns = (*FEATURES["numeric"], *FEATURES["categorical"])
    asked = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))["signature"]["inputs"]
    assert {it["name"] for it in yaml.safe_load(asked)} == {*columns}
    scored = isolation.load(folder, digest).predict(test[[*columns]])
    assert len(scored["prediction"]) == len(test)


@pytest.mark.parametrize("weights", [1.0, 2.5])
def test_weights_that_are_all_alike_give_the_same_bytes(task: Task, weights: float) -> None:
    def fitted(**data: str) -> str:
        params, frame = given(task, **data), fleet().assign(flight=weights)
        parts: dict[Any, pd.DataFrame] = splits.divided(frame, params, validation.needed(params))
        return rows.digest_of(rows.fit_on(params, parts["train"], parts["validation"]))

    assert fitted(weight="flight") == fitted()


def test_rows_that_weigh_more_pull_the_fit(task: Task) -> None:
    """Late flights count twenty times as much, so that more lateness is predicted."""
    frame = fleet().assign(flight=np.where(rows.flights()["late"], 20.0, 1.0))
    means = []
    for data in ({}, {"weight": "flight"}):
        params = given(task, **data)
        parts: dict[Any, pd.DataFrame] = splits.divided(frame, params, validation.needed(params))
        model = rows.fit_on(params, parts["train"], parts["validation"])
        means.append(float(model.scores(parts["test"]).mean()))
    unit = 1.0 if task is Task.CLASSIFICATION else float(frame["arr_delay"].std())
    assert means[1] > means[0] + 0.1 * unit
