"""The stage `prepare`: rows are checked and split, and what cannot be right is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from flight_delays.schema import COLUMNS
from flight_delays.steps import prepare
from mlrails.core import layout, params
from mlrails.core.errors import UsageError
from mlrails.core.params import Task, Unit
from mlrails.core.settings import Settings
from mlrails.data import parquet, validation
from mlrails.stages.stage import Stage

RANDOM = {"by": "random", "validation": 0.2, "test": 0.3}
TIMELESS: dict[str, Any] = {
    "data": {"target": "late", "time": None},
    "features": {"numeric": ["distance"], "categorical": ["carrier"]},
    "split": RANDOM,
}


@pytest.fixture(autouse=True)
def with_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the schema know the column of several classes."""
    monkeypatch.setattr(prepare, "COLUMNS", (*COLUMNS, rows.PUNCTUALITY))


def prepared(
    root: Path, given: params.Params, raw: pd.DataFrame | None = None, in_ci: bool = False
) -> dict[layout.Part, pd.DataFrame]:
    parquet.write(rows.flights() if raw is None else raw, root / layout.RAW)
    prepare.prepare(Stage(Settings(root, in_ci=in_ci), given))
    return parquet.read_parts(root)


def refusal(root: Path, given: params.Params, **options: Any) -> str:
    """Return why nothing was prepared."""
    with pytest.raises(UsageError) as caught:
        prepared(root, given, **options)
    assert not (root / layout.PREPARED).exists()
    return str(caught.value)


def test_parts_follow_each_other_and_hold_every_row_once(task: Task, tmp_path: Path) -> None:
    found = prepared(tmp_path, rows.parameters(task))
    times = {part: frame["scheduled_departure"] for part, frame in found.items()}
    assert times["train"].max() < pd.Timestamp("2013-08-18") <= times["validation"].min()
    assert times["validation"].max() < pd.Timestamp("2013-09-01") <= times["test"].min()
    assert sum(map(len, found.values())) == len(rows.flights())


def test_only_columns_that_are_needed_later_go_on(task: Task, tmp_path: Path) -> None:
    found = prepared(tmp_path, rows.parameters(task))
    names = ["scheduled_departure", "carrier", "origin", "dest", "distance", "wind_speed", "temp"]
    target = rows.parameters(task).data.target
    assert all(list(frame.columns) == [*names, target] for frame in found.values())


def test_rows_after_the_last_day_are_left_out(tmp_path: Path) -> None:
    until = rows.values()["data"] | {"until": "2013-08-31"}
    found = prepared(tmp_path, rows.parameters(data=until))
    assert found["test"]["scheduled_departure"].max() < pd.Timestamp("2013-09-01")


def test_a_random_split_of_rows_that_carry_time_is_refused(tmp_path: Path) -> None:
    words = refusal(tmp_path, rows.parameters(split=RANDOM))
    assert words.startswith("params.yaml: 'split.by: random' mixes rows of one day")
    assert f"or write 'split.acknowledge: {params.acknowledgement([Unit.DAY])}'" in words


def test_a_random_split_is_made_when_it_is_acknowledged_in_words(tmp_path: Path) -> None:
    split = RANDOM | {"acknowledge": params.acknowledgement([Unit.DAY])}
    found = prepared(tmp_path, rows.parameters(split=split))
    assert {part: len(frame) for part, frame in found.items()} == {
        "train": 1500,
        "validation": 600,
        "test": 900,
    }


def test_a_random_split_leaves_out_what_has_not_arrived_yet(tmp_path: Path) -> None:
    split = RANDOM | {"acknowledge": params.acknowledgement([Unit.DAY])}
    until = rows.values()["data"] | {"until": "2013-08-31"}
    found = prepared(tmp_path, rows.parameters(split=split, data=until))
    last = max(frame["scheduled_departure"].max() for frame in found.values())
    assert pd.Timestamp("2013-08-31") <= last < pd.Timestamp("2013-09-01")


def test_such_a_split_has_the_same_days_in_training_and_test(tmp_path: Path) -> None:
    split = RANDOM | {"acknowledge": params.acknowledgement([Unit.DAY])}
    mixed = prepared(tmp_path / "a", rows.parameters(split=split))
    honest = prepared(tmp_path / "b", rows.parameters())
    assert days(mixed["train"]) & days(mixed["test"])
    assert not days(honest["train"]) & days(honest["test"])


def days(frame: pd.DataFrame) -> set[object]:
    return set(frame["scheduled_departure"].dt.date)


def test_rows_without_time_may_be_split_at_random(tmp_path: Path) -> None:
    assert len(prepared(tmp_path, rows.parameters(**TIMELESS))["test"]) == 900


GROUPED: dict[str, Any] = {
    **TIMELESS,
    "data": {"target": "late", "time": None, "group": "tailnum"},
    "split": RANDOM | {"by": "group"},
}
"""Split by the column of aircraft, which the flights here have 60 of."""


def fleet(count: int = 60) -> pd.DataFrame:
    """Return flights of so many aircraft, whose names are never missing."""
    numbers = np.random.default_rng(1).integers(0, count, len(rows.flights()))
    return rows.flights().assign(tailnum=[f"N{it}" for it in numbers])


def columns(**kinds: Any) -> Any:
    """Return the schema with other words on some columns."""
    return [replace(it, **kinds.get(it.name, {})) for it in COLUMNS]


@pytest.fixture
def _known_aircraft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "COLUMNS", columns(tailnum={"nullable": False}))


@pytest.mark.usefixtures("_known_aircraft")
def test_whole_groups_go_into_each_part(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows.parameters(**GROUPED), raw=fleet())
    groups = {part: set(frame["tailnum"]) for part, frame in found.items()}
    assert sum(map(len, groups.values())) == len(set().union(*groups.values())) == 60
    assert sum(map(len, found.values())) == 3000
    assert found["test"].columns[-1] == "tailnum"


@pytest.mark.usefixtures("_known_aircraft")
def test_groups_that_carry_a_time_leave_out_what_has_not_arrived_yet(tmp_path: Path) -> None:
    data = rows.values()["data"] | {"group": "tailnum", "until": "2013-08-31"}
    found = prepared(tmp_path, rows.parameters(data=data, split=GROUPED["split"]), raw=fleet())
    last = max(frame["scheduled_departure"].max() for frame in found.values())
    assert pd.Timestamp("2013-08-31") <= last < pd.Timestamp("2013-09-01")


@pytest.mark.usefixtures("_known_aircraft")
@pytest.mark.parametrize(
    ("time", "said"),
    [(None, "rows of one group"), ("scheduled_departure", "rows of one day or group")],
)
def test_a_random_split_of_rows_in_groups_is_refused_until_it_is_acknowledged(
    tmp_path: Path, time: str | None, said: str
) -> None:
    given = GROUPED | {"data": GROUPED["data"] | {"time": time}, "split": RANDOM}
    words = refusal(tmp_path, rows.parameters(**given), raw=fleet())
    assert f"mixes {said} into training and test" in words and "'by: group'" in words
    assert f"'split.acknowledge: {said} may be in training and test'" in words
    wrong = RANDOM | {"acknowledge": params.acknowledgement([Unit.DAY])}
    assert said in refusal(tmp_path, rows.parameters(**given | {"split": wrong}), raw=fleet())
    split = RANDOM | {"acknowledge": f"{said} may be in training and test"}
    found = prepared(tmp_path, rows.parameters(**given | {"split": split}), raw=fleet())
    assert len(found["test"]) == 900


@pytest.mark.usefixtures("_known_aircraft")
def test_too_few_groups_are_told(tmp_path: Path) -> None:
    words = refusal(tmp_path, rows.parameters(**GROUPED), raw=fleet(2))
    assert "'split' leaves no test rows: they are of 2 groups of 'tailnum'" in words


def test_a_split_by_group_needs_one(tmp_path: Path) -> None:
    given = rows.parameters(**GROUPED | {"data": TIMELESS["data"]})
    assert "'split.by: group' needs a column in 'data.group'" in refusal(tmp_path, given)


WEIGHED = {"data": {"target": "late", "time": "scheduled_departure", "weight": "flight"}}


def weighed(weights: Any) -> pd.DataFrame:
    return rows.flights().assign(flight=weights)


@pytest.fixture
def _any_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "COLUMNS", columns(flight={"minimum": None}))


@pytest.mark.usefixtures("_any_weight")
def test_a_row_of_weight_zero_is_left_out_and_weights_go_on(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows.parameters(**WEIGHED), raw=weighed([0.0, 1.0, 2.5] * 1000))
    assert sum(map(len, found.values())) == 2000
    assert all(set(frame["flight"]) == {1.0, 2.5} for frame in found.values())


@pytest.mark.usefixtures("_any_weight")
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([-1.0, 1.0, 2.0], "'flight', which is below zero in 1,000 rows"),
        ([0.0, 0.0, 0.0], "'flight', which is 0 in every row"),
        ([np.nan, 1.0, 2.0], "column 'flight': a value is missing in 1,000 rows"),
        ([np.inf, 1.0, 2.0], "column 'flight': infinite in 1,000 rows"),
    ],
)
def test_weights_that_cannot_be_are_refused(
    tmp_path: Path, weights: list[float], words: str
) -> None:
    assert words in refusal(tmp_path, rows.parameters(**WEIGHED), raw=weighed(weights * 1000))


def test_a_split_by_time_needs_a_time(tmp_path: Path) -> None:
    given = rows.parameters(**TIMELESS | {"split": rows.values()["split"]})
    assert "'split.by: time' needs a column in 'data.time'" in refusal(tmp_path, given)


def test_a_leaking_column_is_refused_before_any_row_is_read(tmp_path: Path) -> None:
    given = rows.parameters(features={"numeric": ["dep_delay"]})
    with pytest.raises(UsageError, match=r"'features\.numeric' names 'dep_delay', but it is"):
        prepare.prepare(Stage(Settings(tmp_path), given))


@pytest.mark.parametrize(("in_ci", "shown"), [(False, True), (True, False)])
def test_bad_rows_are_shown_on_a_laptop_and_counted_in_ci(
    tmp_path: Path, in_ci: bool, shown: bool
) -> None:
    bad = rows.flights().assign(humid=12345.0)
    words = refusal(tmp_path, rows.parameters(), raw=bad, in_ci=in_ci)
    assert words.startswith("data/raw/rows.parquet: rules of schema.py that are broken: 1; mend")
    assert "column 'humid': more than 100 in 3,000 rows" in words
    assert ("12345" in words) is shown


@pytest.mark.parametrize("target", ["late", "arr_delay"])
def test_a_target_that_is_missing_is_refused(tmp_path: Path, target: str) -> None:
    bad = rows.flights().assign(**{target: None})
    assert f"column '{target}': " in refusal(tmp_path, rows.parameters(), raw=bad)


@pytest.mark.parametrize(
    ("split", "until", "part"),
    [
        ({"validation": "2 weeks", "test": "1 month"}, "2013-12-31", "validation"),
        ({"validation": "1 month", "test": "3 months"}, "2013-09-30", "train"),
        ({"validation": "1 month", "test": "1 month"}, "2012-12-31", "train"),
        ({"validation": "2 months", "test": "4 months"}, "2014-01-31", "test"),
    ],
)
def test_a_part_without_rows_is_refused_with_the_days_there_are(
    tmp_path: Path, split: dict[str, str], until: str, part: str
) -> None:
    given = rows.parameters(split=split, data=rows.values()["data"] | {"until": until})
    words = refusal(tmp_path, given)
    assert f"'split' and 'data.until' leave no {part} rows" in words
    assert "the rows reach from 2013-07-01 to 2013-09-30" in words


def test_no_rows_at_all_are_refused(tmp_path: Path) -> None:
    given = rows.parameters(data=rows.values()["data"] | {"until": None})
    assert "leave no train rows; change" in refusal(tmp_path, given, raw=rows.flights().head(0))


@pytest.mark.parametrize(("kind", "name"), [("numeric", "temp"), ("categorical", "dest")])
def test_a_feature_that_no_train_row_has_is_refused(kind: str, name: str) -> None:
    frame = rows.flights()
    gap = frame.assign(**{name: frame[name].where(frame.index < 0)})
    parts: dict[layout.Part, pd.DataFrame] = dict.fromkeys(layout.PARTS, frame)
    validation.check_parts({**parts, "test": gap}, frame, rows.parameters())
    with pytest.raises(UsageError, match=f"'features.{kind}' names '{name}', which no train row"):
        validation.check_parts({**parts, "train": gap}, frame, rows.parameters())


@pytest.mark.parametrize("part", layout.PARTS)
def test_a_part_with_one_outcome_only_is_refused(
    task: Task, tmp_path: Path, part: layout.Part
) -> None:
    target = rows.parameters(task).data.target
    bad = rows.flights().copy()
    one = {Task.CLASSIFICATION: False, Task.REGRESSION: 3.0, Task.MULTICLASS: "late"}
    bad.loc[rows.parts()[part].index, target] = one[task]
    words = refusal(tmp_path, rows.parameters(task), raw=bad)
    assert f"the {part} rows have only one value of '{target}'" in words
