"""What is said of one prediction, and whether it adds up."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import callers
import numpy as np
import pytest
import rows

from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.explaining import explanation, shapley
from mlrails.explaining.explanation import Explainer, Explanation
from mlrails.explaining.outside import outside
from mlrails.modeling.examples import Typical
from mlrails.modeling.signature import Field

ExplainedOf = Callable[[Task], Path]


def sent(place: int = 0) -> dict[str, Any]:
    """Return a test row as it is when it was checked."""
    frame = rows.parts()["test"][[*rows.fitted(Task.CLASSIFICATION).encoder.columns]]
    return {name: frame[name].iloc[place] for name in frame}


@pytest.fixture
def explainer(task: Task, explained_of: ExplainedOf) -> Explainer:
    return Explainer(callers.model(explained_of(task)))


def total(found: Explanation) -> float:
    return found.base + sum(it.contribution for it in found.contributions)


def test_contributions_lead_from_the_base_to_what_the_model_answers(explainer: Explainer) -> None:
    for place in range(5):
        row = sent(place)
        found = explainer.explain(row)
        answer = explainer._model.answer({name: [value] for name, value in row.items()}, 1)
        assert total(found) == pytest.approx(answer[found.output][0], abs=1e-9)
        assert found.prediction == answer[found.output][0]
        sizes = [abs(it.contribution) for it in found.contributions]
        assert sizes == sorted(sizes, reverse=True)
        assert {it.column for it in found.contributions} == {*row}


def test_a_level_that_was_set_is_part_of_what_is_explained(
    task: Task, explained_of: ExplainedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaves that are not told of it say something else than the model, and are not believed."""
    model = callers.model(explained_of(task))
    level = (7.5, 0.5, 2.0) if task is Task.MULTICLASS else (7.5,)
    moved = replace(model, predictor=replace(model.predictor, level=level))
    before, found = (Explainer(it).explain(sent()) for it in (model, moved))
    assert total(found) == pytest.approx(found.prediction, abs=1e-9)
    assert found.prediction != before.prediction
    if task is Task.REGRESSION:
        assert found.base == pytest.approx(before.base + 7.5) and not found.drawn
        told, boosted = list[Any](), explanation.boosted
        read, shares = boosted.read, boosted.shares
        monkeypatch.setattr(boosted, "read", lambda estimator, level: read(estimator))
        monkeypatch.setattr(boosted, "shares", lambda *given: told.append(shares(*given)))
        Explainer(moved).explain(sent())
        assert told == [None]


def test_what_made_these_rows_late_is_found(explained_of: ExplainedOf) -> None:
    explainer = Explainer(callers.model(explained_of(Task.REGRESSION)))
    frame = rows.parts()["test"]
    carrier = int(np.flatnonzero((frame["carrier"] == "EV").to_numpy())[0])
    found = {it.column: it.contribution for it in explainer.explain(sent(carrier)).contributions}
    assert found["carrier"] > 5
    assert abs(found["temp"]) < 3


def test_each_class_can_be_asked_for_and_together_they_cancel(explained_of: ExplainedOf) -> None:
    explainer = Explainer(callers.model(explained_of(Task.MULTICLASS)))
    assert explainer.outputs == ("probability_early", "probability_late", "probability_on time")
    found = [explainer.explain(sent(), name) for name in explainer.outputs]
    likeliest = max(found, key=lambda it: it.prediction)
    assert explainer.explain(sent()).output == likeliest.output
    assert sum(it.base for it in found) == pytest.approx(1)
    moved = [{it.column: it.contribution for it in each.contributions} for each in found]
    for name in moved[0]:
        assert sum(each[name] for each in moved) == pytest.approx(0, abs=1e-9)


def test_an_output_that_is_none_is_refused_with_those_that_are(explainer: Explainer) -> None:
    with pytest.raises(UsageError, match=r"'probabilty' cannot be explained.*what can: pr"):
        explainer.explain(sent(), "probabilty")


def test_a_model_without_typical_rows_says_what_to_do(model: Path) -> None:
    with pytest.raises(UsageError, match=r"`background: 32` below `features` in params\.yaml"):
        Explainer(callers.model(model))


def test_contributions_that_do_not_add_up_are_not_told(
    explained_of: ExplainedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer = Explainer(callers.model(explained_of(Task.CLASSIFICATION)))
    good = shapley.shares

    def off(*given: Any) -> shapley.Shares:
        found = good(*given)
        return replace(found, values=found.values + 1e-5)

    monkeypatch.setattr(explanation.shapley, "shares", off)
    with pytest.raises(RuntimeError, match="do not add up"):
        explainer.explain(sent())


def test_what_an_estimator_is_does_not_matter_only_what_it_says(
    explained_of: ExplainedOf,
) -> None:
    model = callers.model(explained_of(Task.REGRESSION))
    exact = Explainer(model).explain(sent())
    encoder, scores = model.predictor.encoder, model.predictor.scores_of
    bare: Any = SimpleNamespace(
        encoder=encoder, scores_of=scores, estimator=None, predict=model.predictor.predict
    )
    found = Explainer(replace(model, predictor=bare)).explain(sent())
    told = {it.column: it.contribution for it in found.contributions}
    for it in exact.contributions:
        assert told[it.column] == pytest.approx(it.contribution, abs=1e-9)


def test_a_model_of_more_columns_than_can_be_waited_for_says_so(
    explained_of: ExplainedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation.shapley, "MOST_COLUMNS", 3)
    with pytest.raises(UsageError, match="can be explained for at most 3"):
        Explainer(callers.model(explained_of(Task.CLASSIFICATION)))
    assert Explainer(callers.model(explained_of(Task.REGRESSION))).explain(sent()).drawn == 0


FIELDS = (
    Field("wind", "double", nullable=True, unit="mph"),
    Field("carrier", "string", known=("AA", "UA")),
    Field("rain", "boolean"),
)
SEEN = {"wind": {"missing": 0.0, "low": 0.0, "high": 40.0}, "carrier": {"missing": 0.2}}
AS_USUAL = {"wind": 12.0, "carrier": "AA", "rain": True}


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, []),
        ({"wind": 40.0}, []),
        ({"wind": 40.5}, ["is above what nearly all training rows have (0 to 40 mph)"]),
        ({"wind": -1.0}, ["is below what nearly all training rows have (0 to 40 mph)"]),
        ({"wind": None}, ["is missing, and was in no training row"]),
        ({"wind": math.nan}, ["is missing, and was in no training row"]),
        ({"carrier": None}, []),
        ({"carrier": "ZZ"}, ["is a category that no training row has; it counts as unknown"]),
    ],
)
def test_what_lies_outside_is_told_without_the_value(
    change: dict[str, Any], reasons: list[str]
) -> None:
    found = outside({**AS_USUAL, **change}, FIELDS, Typical({}, SEEN))
    assert [it.reason for it in found] == reasons
    assert {it.column for it in found} <= {*change}
