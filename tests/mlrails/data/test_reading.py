"""A table of text by the words of its reading: cells as they are, or one sentence."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from mlrails.core.errors import UsageError
from mlrails.data import columnar, reading
from mlrails.data.reading import Reading, plain, table


def read(data: bytes, **words: object) -> dict[str, list[object]]:
    return table(data, Reading(**words), "f.csv").to_pydict()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "words", "rows"),
    [
        (b"a,b\n007,2\n", {}, {"a": ["007"], "b": ["2"]}),
        (b"\xef\xbb\xbfa,b\r\n1,\r\n", {}, {"a": ["1"], "b": [None]}),
        (b"a;b\n1;2,5\n", {"separator": ";"}, {"a": ["1"], "b": ["2,5"]}),
        ("a,ä\n1,é\n".encode("cp1252"), {"encoding": "cp1252"}, {"a": ["1"], "ä": ["é"]}),
        (
            "a\tb\n1\tß\n".encode("utf-16"),
            {"separator": "\t", "encoding": "utf-16"},
            {"a": ["1"], "b": ["ß"]},
        ),
        (b'a,b\n"1\n2","x, y"\n', {}, {"a": ["1\n2"], "b": ["x, y"]}),
        (b'a,b\n5" pipe,2\n', {}, {"a": ['5" pipe'], "b": ["2"]}),
        (b"a,b\n?,NA\n", {"nulls": ("?",)}, {"a": [None], "b": ["NA"]}),
        (
            b"a, b\n1, x\n2, ?\n",
            {"nulls": ("?",), "trim": True},
            {"a": ["1", "2"], "b": ["x", None]},
        ),
        (b"sep=;\na;b\n1;2\n", {"separator": ";"}, {"a": ["1"], "b": ["2"]}),
        (b"a,b\r1,2\r", {}, {"a": ["1"], "b": ["2"]}),
        (b"a,b\n\n", {}, {"a": [], "b": []}),
        (b" a,a,a ,b\n1,2,3,4\n", {}, {"a_2": ["1"], "a": ["2"], "a_3": ["3"], "b": ["4"]}),
        (b"a,a,,a_2\n1,2,3,4\n", {}, {"a": ["1"], "a_3": ["2"], "unnamed_3": ["3"], "a_2": ["4"]}),
    ],
)
def test_cells_are_what_the_file_says(data: bytes, words: dict, rows: dict) -> None:
    assert read(data, **words) == rows


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it is empty"),
        (b"a,b\n1,2\n3\n", "row 2 has 1 cell, and the line of names 2"),
        (b'a,b\n"1,2\n3,4\n', "row 1 is no row of CSV"),
        (b'a,b\n1,2\n"3,4\n5,6\n7,"8\n', "row 2 is no row of CSV"),
        (b"a,b\n1,2\n3,\xe9\n", "line 3 is not utf-8"),
    ],
)
def test_what_is_no_table_is_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read(data)


def test_numbers_times_and_events_come_out_in_one_writing() -> None:
    how = Reading(";", decimal=",", thousands=".", dates={"d": "%d.%m.%Y"}, positive={"y": "yes"})
    rows = table(b"a;b;d;y\n-1.234,5;7,5;31.12.2020;yes\n;x;;\n7;;01.02.2021;no\n", how, "f.csv")
    made = plain(rows, ["a"], how, "f.csv").to_pydict()
    assert made["a"] == ["-1234.5", None, "7"]
    assert made["b"] == ["7,5", "x", None]
    assert made["d"] == [datetime.datetime(2020, 12, 31), None, datetime.datetime(2021, 2, 1)]
    assert made["y"] == [True, None, False]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("1.5", {"decimal": ","}),
        ("1.23,4", {"decimal": ",", "thousands": "."}),
        ("x", {"thousands": "'"}),
    ],
)
def test_a_number_written_otherwise_is_refused_and_not_read_as_another(
    cell: str, words: dict
) -> None:
    how = Reading(";", **words)
    rows = table(f"a;b\n7;1\n{cell};1\n".encode(), how, "f.csv")
    with pytest.raises(UsageError, match=r"f.csv: column 'a': row 2 is no number"):
        plain(rows, ["a"], how, "f.csv")


def test_only_what_is_not_plain_is_written_down() -> None:
    assert Reading().words() == {}
    assert Reading(";", nulls=("?",), dates={"d": "%Y"}).words() == {
        "separator": ";",
        "nulls": ["?"],
        "dates": {"d": "%Y"},
    }


def test_a_row_without_what_it_needs_is_left_out() -> None:
    how = Reading(needed=("y",))
    rows = plain(table(b"a,y\n1,2\n3,\n,4\n", how, "f.csv"), (), how, "f.csv")
    assert rows.to_pydict() == {"a": ["1", None], "y": ["2", "4"]}


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        *(("%Y-%m-%d", it) for it in ("2024-02-29", "2000-02-29", "1677-09-20", "2262-04-12")),
        ("%d.%m.%Y %H:%M", "31.12.1999 23:59"),
        ("%m/%d/%Y, %H:%M:%S", "02/28/2100, 00:00:59"),
        ("%Y-%m-%dT%H:%M:%S%z", "2013-01-01T10:00:00Z"),
        ("%Y/%m/%d:%H:%M:%S", "1000/01/01:01:02:03"),
        ("%Y%m%d %H%M%S", "99991231 235959"),
    ],
)
def test_times_whose_digits_are_all_there_are_those_of_pandas(form: str, cell: str) -> None:
    column = pa.chunked_array([[None, cell], [cell, None]], pa.string()).slice(1)
    found = columnar.in_digits(column, form)
    made, wrong = columnar.moments(column.to_pandas(), form)
    assert found.equals(pa.array(made.astype("datetime64[us]"), from_pandas=True))
    assert not wrong.any()
    assert found.null_count == 1
    assert columnar.in_digits(column.combine_chunks(), form).equals(found)  # As `predict` has it.


@pytest.mark.parametrize(
    ("form", "cells", "first"),
    [
        ("Q%q/%Y", ["Q3/2029", "Q5/2029", "2029-07", None], "2029-07-01"),
        ("%G-W%V", ["2029-W01", "2029-W54", "2029", None], "2029-01-01"),
        ("%Y%m%d", [20290701.0, 20291301.0, 20290701.5, float("nan")], "2029-07-01"),
        ("%Y", [2029, 12, 20290, None], "2029-01-01"),
    ],
)
def test_quarters_weeks_and_numbers_say_times_or_are_told(
    form: str, cells: list[object], first: str
) -> None:
    made, wrong = columnar.times(pa.array(cells, from_pandas=True), form)
    assert made.to_pylist() == [datetime.datetime.fromisoformat(first), None, None, None]
    assert wrong.tolist() == [False, True, True, False]


def test_every_day_of_leap_years_and_others_is_that_of_the_calendar() -> None:
    days = np.arange("1895-12-30", "1904-03-02", dtype="datetime64[D]")
    found = columnar.in_digits(pa.chunked_array([days.astype(str).tolist()]), "%Y-%m-%d")
    assert (found.to_numpy() == days).all()


@pytest.mark.parametrize(
    "cell",
    [
        *("29.02.2023 01:00", "31.04.2024 01:00", "00.01.2024 01:00", "01.13.2024 01:00"),
        *("01.01.2024 24:00", "01.01.2024 01:60", "1.01.2024  01:00", "01-01-2024 01:00"),
        *("01.01.0000 01:00", "0a.01.2024 01:00", "01.01.2024 01:0:", "01.01.2024 1:00"),
        *("01.01.2024 01:00 ", "", "heute", "29.02.1900 01:00", "\u0661.01.2024 01:00"),
        *("\uff11.01.2024 1:00", "01.01.0999 01:00"),
    ],
)
def test_what_is_no_such_time_is_left_to_pandas_which_says_where(cell: str) -> None:
    form = "%d.%m.%Y %H:%M"
    column = pa.chunked_array([["31.12.2024 23:59", cell]], pa.string())
    assert columnar.in_digits(column, form) is None
    made, wrong = columnar.moments(column.to_pandas(), form)
    assert columnar.times(column, form)[1].tolist() == wrong.tolist()
    assert wrong[1] == bool(made.isna()[1])


@pytest.mark.parametrize(
    "form", ["%d %b %Y", "%H:%M", "%Y-%m", "seconds since 1970-01-01", "%d%d%Y%m"]
)
def test_forms_without_known_places_are_left_to_pandas(form: str) -> None:
    assert columnar.in_digits(pa.chunked_array([["01012024"]], pa.string()), form) is None


def test_a_fault_of_a_large_file_is_told_with_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BLOCK", 2**10)
    lines = [f"{it},{it}" for it in range(2000)]
    assert table("\n".join(["a,b", *lines]).encode(), Reading(), "f.csv").num_rows == 2000
    lines[1500] += ",more"
    with pytest.raises(UsageError, match="row 1,501 has 3 cells, and the line of names 2"):
        table("\n".join(["a,b", *lines]).encode(), Reading(), "f.csv")


def test_words_for_nothing_are_taken_out_only_where_they_are() -> None:
    column = pa.chunked_array([["a", "NA", None]], pa.string())
    assert columnar.without(column, ["NA"]).to_pylist() == ["a", None, None]
    assert columnar.without(column, ["?"]) is column
