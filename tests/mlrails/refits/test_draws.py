"""What is drawn anew for a refit: another seed, or whole days, groups or rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core.params import Data, Params, Unit
from mlrails.refits import draws
from mlrails.refits.draws import Kind, Refit


def sampled(number: int = 0, params: Params | None = None) -> pd.DataFrame:
    refit = Refit(Kind.SAMPLE, number)
    found: pd.DataFrame = draws.drawn(params or rows.parameters(), rows.parts(), refit)[1]["train"]
    return found


def days(frame: pd.DataFrame) -> "pd.Series[Any]":
    return frame["scheduled_departure"].dt.normalize().value_counts()


def test_a_seed_is_another_one_each_time_and_the_rows_stay() -> None:
    params, parts = rows.parameters(), rows.parts()
    drawn = [draws.drawn(params, parts, Refit(Kind.SEED, number)) for number in range(20)]
    assert len({params.seed, *(it.seed for it, _ in drawn)}) == 21
    assert all(its is parts for _, its in drawn)
    again, _ = draws.drawn(params, parts, Refit(Kind.SEED, 3))
    assert again == drawn[3][0] == params.model_copy(update={"seed": again.seed})


def test_a_sample_has_whole_days_as_often_as_they_were_drawn() -> None:
    whole, found = days(rows.parts()["train"]), days(sampled())
    often = found / whole[found.index]
    assert (often == often.round()).all()
    assert often.sum() == len(whole) and often.max() > 1
    assert 0.5 < len(found) / len(whole) < 0.75


def test_rows_drawn_one_by_one_tear_days_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "unit", lambda *_: Unit.ROW)
    whole, found = days(rows.parts()["train"]), days(sampled())
    often = found / whole[found.index]
    assert not (often == often.round()).all()


def test_a_sample_hangs_on_its_number_and_the_seed_alone() -> None:
    pd.testing.assert_frame_equal(sampled(1), sampled(1))
    others = sampled(2), sampled(1, rows.parameters().model_copy(update={"seed": 8}))
    assert not any(days(it).equals(days(sampled(1))) for it in others)


def test_the_held_out_rows_and_the_params_stay_as_they_are() -> None:
    params, parts = rows.parameters(), rows.parts()
    given, found = draws.drawn(params, parts, Refit(Kind.SAMPLE, 0))
    assert given is params
    assert all(found[part] is parts[part] for part in ("validation", "test"))
    assert found["train"].index.tolist() == list(range(len(found["train"])))
    assert found["train"]["scheduled_departure"].is_monotonic_increasing


def parts_of(train: dict[str, Any], test: dict[str, Any]) -> Any:
    frames = {"train": train, "test": test}
    return {part: pd.DataFrame(it).astype({"t": "datetime64[us]"}) for part, it in frames.items()}


EARLY, LATE = "2024-01-01", "2024-01-02"


@pytest.mark.parametrize(
    ("time", "group", "test", "unit"),
    [
        ("t", None, {"t": [LATE], "g": ["a"]}, Unit.DAY),
        ("t", "g", {"t": [LATE], "g": ["a"]}, Unit.DAY),
        ("t", "g", {"t": [EARLY], "g": ["b"]}, Unit.GROUP),
        ("t", "g", {"t": [EARLY], "g": ["a"]}, Unit.GROUP),
        ("t", None, {"t": [EARLY], "g": ["a"]}, Unit.DAY),
        (None, "g", {"t": [EARLY], "g": ["a"]}, Unit.GROUP),
        (None, None, {"t": [LATE], "g": ["b"]}, Unit.ROW),
    ],
)
def test_what_the_split_keeps_apart_is_drawn(
    time: str | None, group: str | None, test: Any, unit: Unit
) -> None:
    data = Data(target="y", time=time, group=group)
    parts = parts_of({"t": [EARLY, EARLY], "g": ["a", "c"]}, test)
    assert draws.unit(data, parts) is unit
    found = {Unit.DAY: [0, 0], Unit.GROUP: [0, 1], Unit.ROW: [0, 1]}[unit]
    assert np.array_equal(draws.blocks(data, unit, parts["train"]), found)


def test_a_name_tells_its_refit() -> None:
    refits = draws.every(3)
    assert len({it.name for it in refits}) == 6
    assert [Refit.named(it.name) for it in refits] == list(refits)
    assert [it.kind for it in refits[:2]] == list(Kind)
