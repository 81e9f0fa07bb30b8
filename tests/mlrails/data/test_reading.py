"""A table of text by the words of its reading: cells as they are, or one sentence."""

import datetime

import pytest

from mlrails.core.errors import UsageError
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
