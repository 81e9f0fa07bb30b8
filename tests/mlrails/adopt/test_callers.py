"""What other data mean for the champion's callers, and how the next model may follow it at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from plans import FILE, HOUSES, LOANS, adopted, params, present, sample

from mlrails.adopt.writing import callers, files
from mlrails.adopt.writing.callers import Champion
from mlrails.core.errors import WorldError
from mlrails.core.settings import Settings
from mlrails.registry import versions

TAGS = {"target": "price", "task": "regression"}
THEN = params(adopted(HOUSES)[FILE])
ASKED = callers.inputs(HOUSES, THEN.features)


def champion(**asked: str) -> Champion:
    return Champion(3, TAGS, {**ASKED, **asked})


def test_a_model_asks_for_its_features_by_the_words_of_signatures() -> None:
    assert ASKED == {
        "sold": "datetime",
        "town": "string",
        "heating": "string",
        "living area": "double",
        "garden": "boolean",
    }


def test_callers_need_not_change_where_the_columns_are_the_same() -> None:
    said = callers.meaning(champion(), HOUSES, THEN)
    assert said == "callers of the champion (version 3) need not change"
    assert callers.bridge(champion(), HOUSES, {}) == {}


def test_another_kind_and_a_new_column_are_said_as_the_gate_says_them() -> None:
    found = replace(champion(town="double"), asked={**ASKED, "town": "double"})
    found = replace(found, asked={it: found.asked[it] for it in found.asked if it != "garden"})
    said = callers.meaning(found, HOUSES, THEN)
    assert "'town' is asked for as string; 'garden' is asked for as boolean" in said
    assert "`gate.signature: any`" in said


def test_a_column_that_is_gone_is_said_and_the_champion_gets_it_as_missing() -> None:
    found = champion(rooms="double")
    assert "'rooms' is asked for no longer" in callers.meaning(found, HOUSES, THEN)
    bridge = callers.bridge(found, HOUSES, {"size": "living area"})
    assert bridge == {"renamed": {"size": "living area", "rooms": None}}
    texts = present(sample.ROOT)
    text = str(files.written(HOUSES, texts, sample.PACKAGE, (), bridge)[FILE])
    assert params(text).gate.renamed == {"size": "living area", "rooms": None}


def test_the_champion_of_something_else_is_let_go() -> None:
    assert callers.bridge(champion(), LOANS, {}) == {"replaces": "price"}
    said = callers.meaning(champion(), LOANS, THEN)
    assert "predicts 'price', with which no model of these data can be compared" in said
    texts = present(sample.ROOT)
    bridge = {"replaces": "price"}
    text = str(files.written(LOANS, texts, sample.PACKAGE, (), bridge)[FILE])
    assert params(text).gate.replaces == "price"


def test_without_a_champion_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert callers.champion(Settings(tmp_path)) is None
    assert callers.bridge(None, HOUSES, {}) == {}


def test_a_registry_that_cannot_be_read_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(_: Settings) -> None:
        raise WorldError("the server is away")

    monkeypatch.setattr(versions, "connect_to_read", away)
    assert callers.champion(Settings(tmp_path, tracking_uri="http://127.0.0.1:9")) is None
    assert "callers is not known: the server is away" in capsys.readouterr().err
