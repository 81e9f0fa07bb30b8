"""The next month's file, written as the one that the project was made of."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrails.core.errors import UsageError
from mlrails.data.reading import Reading
from mlrails.data.schema import Column
from mlrails.monitoring.watch import given

SHOP = (
    Column("day", "time"),
    Column("paid", "number"),
    Column("shop", "category"),
    Column("back", "boolean"),
)
HOW = Reading(
    separator=";", decimal=",", thousands=".", nulls=("-",), dates={"day": "%d.%m.%Y"},
    positive={"back": "ja"}, needed=("back",), units={"paid": "€"},
)  # fmt: skip
OWN = (
    "day;paid;shop;back\n24.12.2030;1.234,5 €;-;ja\n25.12.2030;6 €;north;nein\n26.12.2030;7 €;x;\n"
)
PLAIN = (
    "day,paid,shop,back\n2030-12-24T00:00:00,1234.5,,true\n2030-12-25T00:00:00,6,north,false\n"
    "2030-12-26T00:00:00,7,x,\n"
)


def read(folder: Path, text: str, how: Reading | None = HOW) -> dict[str, list[Any]]:
    (folder / "new.csv").write_text(text, "utf-8")
    found = given.read("new.csv", SHOP, ["day"], how, folder)
    return {str(name): found[name].astype(object).where(found[name].notna(), None).tolist()
            for name in found}  # fmt: skip


def test_a_file_is_read_by_the_words_of_the_source(tmp_path: Path) -> None:
    found = read(tmp_path, OWN)
    assert found["back"] == [True, False, None]  # What has not come yet is no row to leave out.
    assert found["paid"] == ["1234.5", "6", "7"] and found["shop"] == [None, "north", "x"]
    assert found["day"][0] == pd.Timestamp("2030-12-24")


def test_a_plain_file_is_read_as_it_stands(tmp_path: Path) -> None:
    found = read(tmp_path, PLAIN)
    assert found["back"] == ["true", "false", None] and found["paid"] == ["1234.5", "6", "7"]
    assert found["day"][0] == "2030-12-24T00:00:00"
    assert read(tmp_path, PLAIN, None) == found


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["ja", "ja"], [True, True]),
        (["nein", "nein"], [False, False]),  # None of a small file came back.
        (["ja", "true"], [True, False]),
        (["True", "False"], ["True", "False"]),
        (["nein", "no"], ["nein", "no"]),  # A language that nobody told of: it is a fault.
        (["ja", "nein", "?"], ["ja", "nein", "?"]),
    ],
)
def test_an_event_is_told_by_its_word_where_that_fits(
    tmp_path: Path, cells: list[str], said: list[object]
) -> None:
    lines = "\n".join(f"24.12.2030;1 €;a;{it}" for it in cells)
    assert read(tmp_path, f"day;paid;shop;back\n{lines}\n")["back"] == said


def test_a_file_of_another_kind_is_told_of_as_the_source_is_written(tmp_path: Path) -> None:
    assert "day" not in read(tmp_path, OWN.replace("day", "date"))  # The caller says so.
    with pytest.raises(UsageError, match="row 2 has 6 cells"):
        read(tmp_path, OWN.replace("north", "north;south;east"))


def test_parquet_with_numbers_for_the_event_is_read_too(tmp_path: Path) -> None:
    for values, word in (([1, 0], "1"), ([True, False], "1"), ([1, 0], "0")):
        pd.DataFrame({"back": values}).to_parquet(tmp_path / "new.parquet")
        how = Reading(positive={"back": word})
        found = given.read("new.parquet", SHOP, ["back"], how, tmp_path)["back"].tolist()
        assert found == ([False, True] if word == "0" else [True, False])
