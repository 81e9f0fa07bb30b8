"""Classes: labels as they were, one order, and the same numbers for whoever is laid out on it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows
from hypothesis import given
from hypothesis import strategies as st

from flight_delays import model as shipped
from flight_delays.model import Predictor
from mlrails.core.params import Task
from mlrails.modeling import classes
from mlrails.modeling.directory import write
from mlrails.modeling.isolation import load

TEXT = st.text(max_size=6)


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["b", "a", "b", ""], ("", "a", "b")),
        (["10", "9", "-1.5", "9"], ("-1.5", "9", "10")),
        (["10", "9", "nan"], ("10", "9", "nan")),
        (["True", "False"], ("False", "True")),
    ],
)
def test_labels_stand_once_and_in_order(labels: list[str], order: tuple[str, ...]) -> None:
    assert classes.of_labels(labels, labels[:1]) == order


@given(st.lists(TEXT, min_size=1), st.lists(TEXT))
def test_a_code_stands_for_its_label_and_none_for_others(
    labels: list[str], others: list[str]
) -> None:
    known = classes.of_labels(labels)
    found = classes.codes([*labels, *others], known)
    assert [known[int(it)] for it in found[: len(labels)]] == labels
    assert [it >= 0 for it in found[len(labels) :]] == [it in known for it in others]


def test_rows_of_an_unknown_class_are_not_learnt_from() -> None:
    found = classes.labelled(
        np.array([[1.0], [2.0], [3.0]]), pd.Series(["b", "x", "a"]), ("a", "b")
    )
    assert (found.matrix.tolist(), found.target.tolist()) == ([[1.0], [3.0]], [1.0, 0.0])


def test_probabilities_keep_their_labels_among_more_classes() -> None:
    scores = np.array([[0.3, 0.7], [1.0, 0.0]])
    found = classes.aligned(scores, ("c", "a"), ("a", "b", "c"))
    assert found.tolist() == [[0.7, 0.0, 0.3], [0.0, 0.0, 1.0]]


def test_only_the_task_of_several_classes_learns_any() -> None:
    frame = rows.parts()["train"]
    assert classes.learnt(Task.REGRESSION, frame["arr_delay"]) == ()
    assert classes.learnt(Task.MULTICLASS, frame["punctuality"]) == ("early", "late", "on time")


ODD = ("", "a\nb", "a,b", '"', "<i>", "prediction", "é\u2603", "x\0", "1", "1.0", "True")
"""Labels may be any text."""


def labelled(names: tuple[str, ...], count: int = 600) -> pd.DataFrame:
    """Return rows whose class follows from their distance, with these labels."""
    frame = rows.flights().head(count).copy()
    ranks = frame["distance"].rank(pct=True).to_numpy() * len(names)
    frame["punctuality"] = np.array(names, dtype=object)[
        np.minimum(ranks.astype(int), len(names) - 1)
    ]
    return frame


def fitted(names: tuple[str, ...], **estimator: Any) -> Predictor:
    params = rows.parameters(Task.MULTICLASS)
    usual = {**params.estimator, "min_samples_leaf": 5, **estimator}
    params = params.model_copy(update={"estimator": usual})
    frame = labelled(names)
    return rows.fit_on(params, frame[::2], frame[1::2])


def test_labels_come_back_as_they_were_from_the_directory_and_from_json(tmp_path: Path) -> None:
    model = fitted(ODD)
    frame = labelled(ODD)
    lock = rows.ROOT / rows.SERVING_LOCK
    digest = write(model, [*rows.COLUMNS], frame, "rows", lock, tmp_path / "model")
    found = load(tmp_path / "model", digest).predict(frame)
    expected = model.predict(frame)
    assert list(found) == ["prediction", *(f"probability_{it}" for it in sorted(ODD))]
    assert set(found["prediction"].tolist()) == set(ODD)
    assert found["prediction"].tolist() == expected["prediction"].tolist()
    total = sum(found[f"probability_{it}"] for it in ODD)
    np.testing.assert_allclose(total, 1)


@pytest.mark.parametrize("count", [2, 3, 40])
def test_few_and_many_classes_are_told_apart(count: int, tmp_path: Path) -> None:
    names = tuple(f"{it}" for it in range(count))
    model, frame = fitted(names, max_iter=5), labelled(names)
    scores = model.scores(frame)
    assert scores.shape == (len(frame), count)
    assert model.classes == names
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert (model.predict(frame)["prediction"] == frame["punctuality"]).mean() > 2 / count - 0.1
    model.save(tmp_path)
    np.testing.assert_array_equal(shipped.load(tmp_path).scores(frame), scores)
    assert model.predict(frame.head(0))["prediction"].tolist() == []


def test_a_model_without_classes_says_nothing_of_them(tmp_path: Path) -> None:
    """Its bytes are those of a model that was made before there were classes."""
    rows.fitted(Task.CLASSIFICATION).save(tmp_path)
    about = json.loads((tmp_path / "predictor.json").read_text("utf-8"))
    assert sorted(about) == ["encoder", "task", "threshold"]
    assert shipped.load(tmp_path).classes == ()
