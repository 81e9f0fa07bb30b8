"""Tables of one's own: what they say is read as it was said to be written, or refused."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrails.core import hashing, layout
from mlrails.core.errors import UsageError
from mlrails.data import frames
from mlrails.data.schema import Column
from mlrails.sources import provenance, read

COLUMNS = [
    Column("day", "time"),
    Column("town", "category"),
    Column("price", "number", nullable=True),
    Column("sold", "boolean"),
]
GERMAN = {
    "separator": ";",
    "encoding": "cp1252",
    "decimal": ",",
    "thousands": ".",
    "nulls": ["k.A."],
    "dates": {"day": "%d.%m.%Y"},
    "positive": {"sold": "ja"},
}
ROWS = '''day;town;price;sold;left out
01.02.2030;Köln;1.234.567,5;ja;1
28.12.2030;"Bad; ""Ems""";k.A.;nein;2
03.03.2030; Ulm ;-7;ja;3
'''


def given(root: Path, text: str, name: str = "x.csv", encoding: str = "cp1252") -> Path:
    (root / name).write_bytes(text.encode(encoding))
    return root


def words(message: str, root: Path, source: str = "x.csv", **how: Any) -> None:
    with pytest.raises(UsageError, match=message):
        read(source, COLUMNS, root=root, **{**GERMAN, **how})


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_table_is_read_as_it_was_said_to_be_written(tmp_path: Path, encoding: str) -> None:
    given(tmp_path, ROWS, encoding=encoding)
    found = read("x.csv", COLUMNS, root=tmp_path, **{**GERMAN, "encoding": encoding})
    made = frames.typed(found, COLUMNS)
    assert made["day"].tolist() == [
        pd.Timestamp(f"2030-{it}") for it in ("02-01", "12-28", "03-03")
    ]
    assert made["town"].tolist() == ["Köln", 'Bad; "Ems"', " Ulm "]
    assert made["price"].fillna(0).tolist() == [1234567.5, 0, -7]
    assert made["sold"].tolist() == [True, False, True]


def test_without_columns_all_are_text(tmp_path: Path) -> None:
    given(tmp_path, ROWS)
    found = read("x.csv", separator=";", encoding="latin-1", root=tmp_path)
    assert [*found.columns] == ["day", "town", "price", "sold", "left out"]
    assert found.iloc[0].tolist() == ["01.02.2030", "Köln", "1.234.567,5", "ja", "1"]


def test_a_folder_and_a_glob_are_read_in_order_whatever_one_file_is_called(tmp_path: Path) -> None:
    (tmp_path / "rows" / "year=2030").mkdir(parents=True)
    given(tmp_path, "a\n1\n", "rows/year=2030/b.csv")
    given(tmp_path, "a\n2\n", "rows/c.csv")
    given(tmp_path, "a\n3\n", "rows/_books.csv")
    given(tmp_path, "a\n4\n", "rows/d.txt")
    assert read("rows", [Column("a", "number")], root=tmp_path)["a"].tolist() == ["2", "1"]
    assert read("rows/*.csv", root=tmp_path)["a"].tolist() == ["2"]
    assert read("rows/d.txt", root=tmp_path)["a"].tolist() == ["4"]
    whole = read(
        "rows/year=2030/*", [Column("year", "number"), Column("a", "number")], root=tmp_path
    )
    assert whole.to_dict("list") == {"year": ["2030"], "a": ["1"]}


def test_parquet_is_known_by_its_beginning(tmp_path: Path) -> None:
    pd.DataFrame({"a": [2**53 + 1, None], "b": ["x", "-"]}, dtype=object).to_parquet(
        tmp_path / "rows.data"
    )
    found = read("rows.data", nulls=["-"], root=tmp_path)
    assert found["a"].tolist() == [2**53 + 1, None] and found["b"].isna().tolist() == [False, True]


def test_progress_is_shown_where_somebody_looks(tmp_path: Path) -> None:
    given(tmp_path, ROWS)
    seen: list[Any] = []

    def track(items: Any, description: str, total: int) -> Any:
        seen.append((description, total))
        return items

    read("x.csv", COLUMNS, root=tmp_path, track=track, **GERMAN)
    assert seen == [("reading x.csv", 1)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-7", "1.5", "'price': row 3 is no number"),
        ("03.03.2030", "31.02.2030", "'day': row 3 is no time"),
        (" Ulm ", "x;y", "x.csv: row 3 has 6 cells"),
        (";nein", ";vielleicht", "'sold': .* 3 values"),
        ("town", "towm", r"the column 'town' is missing \(did you mean 'towm'\?\)"),
    ],
)
def test_what_is_not_written_as_was_said_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    rows = ROWS + "04.03.2030;Ulm;1;nein;4\n"
    words(message, given(tmp_path, rows.replace(old, new, 1)))


@pytest.mark.parametrize("word", ["dates", "positive"])
def test_a_word_of_a_column_that_is_not_read_is_refused(tmp_path: Path, word: str) -> None:
    there = given(tmp_path, ROWS)
    message = rf"{word} names the column 'dya', .* \(did you mean 'day'\?\)"
    words(message, there, **{word: {"dya": "%Y"}})


def test_the_formats_of_a_folder_are_not_mixed(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(given(tmp_path, "a\n1\n") / "x.parquet")
    with pytest.raises(UsageError, match="holds both CSV and Parquet"):
        read("*", root=tmp_path)


def test_a_column_of_a_file_is_none_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a=1").mkdir()
    with pytest.raises(UsageError, match="'a' stands in the file and in the name of a folder"):
        read("a=1/x.csv", root=given(tmp_path, "a\n1\n", "a=1/x.csv"))


def test_what_is_no_csv_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(UsageError, match=r"x.csv: it is a workbook of Excel"):
        read("x.csv", root=tmp_path)


def test_days_and_fixed_digits_of_parquet_lose_nothing(tmp_path: Path) -> None:
    days, prices = [date(2030, 1, 7), None], [Decimal("12.34"), None]
    pd.DataFrame({"day": days, "price": prices}).to_parquet(tmp_path / "x.parquet")
    columns = [Column("day", "time", nullable=True), Column("price", "number", nullable=True)]
    made = frames.typed(read("x.parquet", columns, root=tmp_path), columns)
    assert made["day"].tolist() == [pd.Timestamp("2030-01-07"), pd.NaT]
    assert made["price"].tolist()[0] == 12.34


def test_what_was_read_is_told_by_its_digest_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given(tmp_path, ROWS)
    with provenance.noted() as found:
        read("x.csv", COLUMNS, root=tmp_path, **GERMAN)
        read("x.csv", COLUMNS, root=tmp_path, **GERMAN)
    digest = hashing.of_file(tmp_path / "x.csv")
    provenance.write(found, tmp_path)
    assert capsys.readouterr().out == f"ingest: x.csv is sha256 {digest}\n"
    kept = json.loads((tmp_path / layout.SOURCES).read_text("utf-8"))
    assert kept == [{"name": "x.csv", "digest": digest}]


def test_a_folder_is_told_by_the_names_and_bytes_of_its_files(tmp_path: Path) -> None:
    digests = []
    for name, text in (("a", "n\n1\n"), ("b", "n\n1\n"), ("b", "n\n2\n"), ("b", "n\n2\n")):
        given(tmp_path, "n\n0\n", "x.csv")
        given(tmp_path, text, f"{name}.csv")
        with provenance.noted() as found:
            read("*.csv", root=tmp_path)
        digests.append(found[0].digest)
        (tmp_path / f"{name}.csv").unlink()
    assert len({*digests}) == 3 and digests[2] == digests[3]


def test_who_does_not_ask_is_told_nothing(tmp_path: Path) -> None:
    given(tmp_path, ROWS)
    read("x.csv", COLUMNS, root=tmp_path, **GERMAN)
    with provenance.noted() as found:
        pass
    provenance.write(found, tmp_path)
    assert not (tmp_path / layout.SOURCES).exists()
