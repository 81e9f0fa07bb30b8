"""Columns of a data frame as `schema.py` has them: what a cast would lose or make up is refused."""

import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from flight_delays import features, source
from flight_delays.steps import ingest
from mlrails.core.errors import UsageError
from mlrails.core.settings import Settings
from mlrails.data import frames, parquet, validation
from mlrails.data.schema import Column
from mlrails.stages.stage import Stage

DAY = datetime(2030, 1, 7, 8)
GOOD: list[tuple[str, Any, list[Any]]] = [
    ("number", [1, 2], [1.0, 2.0]),
    ("number", pd.array([1, None], "Int64"), [1.0, None]),
    ("number", np.array([1.5, np.nan], np.float16), [1.5, None]),
    ("number", np.array([2**63], np.uint64), [2.0**63]),
    ("number", ["1e5", " 007", "", None, "nan"], [1e5, 7.0, None, None, None]),
    ("number", [None, None], [None, None]),
    ("number", pd.Categorical([3, None]), [3.0, None]),
    (
        "category",
        ["007", "1e5", "NA", "None", "nan", " "],
        ["007", "1e5", "NA", "None", "nan", " "],
    ),
    ("category", ["a", "", None, np.nan, pd.NA], ["a", None, None, None, None]),
    ("category", [1.0, np.nan, 3.0], ["1", None, "3"]),
    ("category", [2**60 + 1, -7], [str(2**60 + 1), "-7"]),
    ("category", pd.array([1, None], "Int64"), ["1", None]),
    ("category", pd.Categorical(["b", None, "a"]), ["b", None, "a"]),
    ("category", pd.Categorical([1.0, None]), ["1", None]),
    ("category", [None, None], [None, None]),
    ("time", [DAY, None], [pd.Timestamp(DAY), None]),
    ("time", ["2030-01-07T08:00", "2030-01-07 08:00:00"], [pd.Timestamp(DAY)] * 2),
    ("time", np.array(["2030-01-07T08"], "datetime64[s]"), [pd.Timestamp(DAY)]),
    ("time", [None, pd.NaT], [None, None]),
    ("boolean", [True, False], [True, False]),
    ("boolean", ["True", "false"], [True, False]),
    ("boolean", np.array([True, False], object), [True, False]),
]
BAD: list[tuple[str, Any, str]] = [
    ("number", ["1", "1,5", "far"], "number: must be a valid number, in 2 rows"),
    ("number", [True, False], "the type is bool, no number"),
    ("number", [2**53 + 1, 2**53], "a whole number that a float would round, in 1 row"),
    ("number", ["1", 2], "it mixes types"),
    ("number", [2**70], "it mixes types, or has one that is no number"),
    ("number", [1 + 2j], "it mixes types, or has one that is no number"),
    ("number", [Decimal("1.5")], "the type is decimal128(2, 1), no number"),
    ("number", np.array([1], "timedelta64[s]"), "the type is duration[s], no number"),
    ("number", [DAY], "the type is timestamp[us], no number"),
    ("category", [1.0, 1.5, np.nan], "must be text, or a whole number below 2**53, in 1 row"),
    ("category", [2.0**53, np.inf], "must be text, or a whole number below 2**53, in 2 rows"),
    ("category", [True, False], "the type is bool, no category"),
    ("category", [DAY], "the type is timestamp[us], no category"),
    ("category", [b"a"], "the type is binary, no category"),
    ("category", ["a", 1], "it mixes types"),
    ("time", ["01/02/2030 08:00", "2030-01-07", "2030-01-07T08:00Z"], "time: is no date and time"),
    ("time", [1_700_000_000], "the type is int64, no time"),
    ("time", [date(2030, 1, 7)], "the type is date32[day], no time"),
    ("time", [pd.Timestamp(DAY, tz="UTC")], "the type is timestamp[us, tz=UTC], no time"),
    ("boolean", [True, None, np.nan], "a value is missing in 2 rows; leave them out"),
    ("boolean", ["True", "", None], "a value is missing in 2 rows"),
    ("boolean", ["yes", "no", "True"], "boolean: must be a valid boolean, in 2 rows"),
    ("boolean", [0, 1], "the type is int64, no boolean; compare in source.py"),
    ("boolean", [1.0, np.nan], "the type is double, no boolean"),
]


def read(kind: Any, given: Any, nullable: bool = False) -> list[Any]:
    column = Column("x", kind, nullable=nullable)
    found = frames.typed(pd.DataFrame({"x": given}), [column])
    assert validation.violations(found, [Column("x", kind, nullable=True)]) == []
    return [None if pd.isna(it) else it for it in found["x"].tolist()]


@pytest.mark.parametrize(("kind", "given", "said"), GOOD)
def test_a_value_keeps_what_it_says(kind: str, given: Any, said: list[Any]) -> None:
    assert read(kind, given) == said


@pytest.mark.parametrize(("kind", "given", "words"), BAD)
def test_a_value_of_another_kind_is_counted_and_not_cast(kind: str, given: Any, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(kind, given)
    said = str(caught.value).splitlines()
    assert said[0].startswith("source.py: columns that are not what schema.py says: 1; ")
    assert said[1].startswith("  column 'x': ") and words in said[1]
    assert not [it for it in ("far", "1,5", "yes", "01/02", "1700") if it in said[1].split(";")[0]]


def test_a_boolean_that_may_be_missing_stays_so_through_the_file_and_to_the_model(
    tmp_path: Path,
) -> None:
    column = Column("x", "boolean", nullable=True)
    found = frames.typed(pd.DataFrame({"x": [True, None, False]}), [column])
    parquet.write(found, tmp_path / "rows.parquet")
    again = parquet.read(tmp_path / "rows.parquet")
    assert validation.violations(again, [column]) == []
    encoder = features.fit_encoder(again, ["x"], [], None, [])
    np.testing.assert_array_equal(encoder.encode(again)[:, 0], [1, np.nan, 0])


def test_all_columns_that_are_wrong_are_told_at_once() -> None:
    given = pd.DataFrame([[1, 2, "no"]], columns=["twice", "twice", "scheduld"])
    columns = [Column("twice", "number"), Column("scheduled", "boolean"), Column("no", "time")]
    with pytest.raises(UsageError) as caught:
        frames.typed(given, columns)
    assert str(caught.value).splitlines()[1:] == [
        "  column 'twice': it stands twice; keep one",
        "  column 'scheduled': it is missing (did you mean 'scheduld'?); add or rename it",
        "  column 'no': it is missing; add or rename it",
    ]


PENGUINS = "zone,sex,adelie\n1,male,True\n,female,\n3,,False\n"
COLUMNS = [
    Column("zone", "category", nullable=True),
    Column("sex", "category", nullable=True),
    Column("adelie", "boolean", leaks="it is the answer itself"),
]


def test_labels_that_are_missing_in_a_csv_file_are_not_made_up() -> None:
    given = pd.read_csv(io.StringIO(PENGUINS))
    with pytest.raises(UsageError, match="column 'adelie': a value is missing in 1 row"):
        frames.typed(given, COLUMNS)
    found = frames.typed(given.dropna(subset="adelie"), COLUMNS)
    assert found["adelie"].tolist() == [True, False]
    # What the cast would have said of the empty cell.
    assert given["adelie"].astype("bool").tolist() == [True, True, False]


def test_whole_numbers_with_blanks_are_the_categories_that_their_file_says() -> None:
    given = pd.read_csv(io.StringIO(PENGUINS)).assign(adelie=True)
    assert frames.typed(given, COLUMNS)["zone"].dropna().tolist() == ["1", "3"]
    assert given["zone"].astype("str").dropna().tolist() == ["1.0", "3.0"]


def test_no_source_gets_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = rows.flights().assign(late="yes")
    monkeypatch.setattr(source, "rows", lambda track: given)
    with pytest.raises(UsageError, match="column 'late': boolean: must be a valid boolean, in 3,0"):
        ingest.ingest(Stage(Settings(tmp_path), rows.parameters()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["True", None, "False"], "a value is missing in 1 row"),
        ([True, None, False], "a value is missing in 1 row"),
        ([1.0, float("nan")], "a value is missing in 1 row"),
        (["True", "False"], "holds text"),
        (["yes", "no"], "holds text"),
    ],
)
@pytest.mark.parametrize("dtype", ["bool", bool, np.bool_])
def test_a_source_that_casts_to_booleans_makes_none_up(
    given: list[Any], told: str, dtype: Any
) -> None:
    column = pd.Series(given, name="late")
    with frames.no_booleans_made_up():
        with pytest.raises(UsageError, match=f"'late': {told}"):
            column.astype(dtype)
        with pytest.raises(UsageError, match=f"'late': {told}"):
            column.to_frame().astype({"late": dtype})
        assert pd.Series([1, 0], name="late").astype(dtype).tolist() == [True, False]
    assert len(column.astype(dtype)) == len(given)


def test_a_source_is_read_where_none_is_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def casting(track: object) -> pd.DataFrame:
        return pd.DataFrame({"late": pd.Series(["True", None]).astype("bool")})

    monkeypatch.setattr(source, "rows", casting)
    with pytest.raises(UsageError, match="a value is missing in 1 row"):
        ingest.ingest(Stage(Settings(tmp_path), rows.parameters()))


def test_a_column_may_have_any_name() -> None:
    given = pd.DataFrame({"self": [1, 2], "other": [3, 4]})
    found = frames.having(given, {"self": [5, 6], "columns": 7})
    assert found.to_dict("list") == {"self": [5, 6], "other": [3, 4], "columns": [7, 7]}
    assert given["self"].tolist() == [1, 2]


def test_no_frame_takes_names_of_columns_as_keywords() -> None:
    """A table with a column `self` ends there in a traceback."""
    source = Path(frames.__file__).parents[1]
    texts = {it.name: it.read_text("utf-8") for it in source.rglob("*.py")}
    assert [it for it, text in texts.items() if ".assign(**" in text] == []
