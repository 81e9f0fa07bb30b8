"""What a text says of itself: its encoding and what separates its cells."""

import tracemalloc
from random import Random

import pytest

from mlrails.adopt import moments, sniff, table
from mlrails.core.errors import UsageError
from mlrails.data.reading import decoded


def text(*words: str, rows: int = 200) -> str:
    chance = Random(2)
    return "y,town\n" + "".join(
        f"{it},{chance.choice((*words, 'Bonn', 'Ulm'))}\n" for it in range(rows)
    )


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1252", ["Köln"]),
        ("cp1252", ["Köln", "München", "Zürich"]),
        ("cp1252", ["Malmö", "Århus"]),
        ("cp1252", ["São Paulo", "Bogotá"]),
        ("cp1252", ["Genève", "Besançon"]),
        ("cp1252", ["10 €", "£5", "20 m²", "it’s"]),
        ("cp1250", ["Łódź", "Kraków", "Gdańsk", "Wrocław"]),
        ("cp850", ["Köln", "Zürich"]),
        ("cp1251", ["Москва", "Санкт-Петербург", "Казань", "Новосибирск"]),
        ("cp932", ["東京", "大阪", "名古屋"]),
        ("big5", ["臺北", "高雄", "臺中"]),
    ],
)
def test_letters_are_read_as_they_were_written(encoding: str, words: list[str]) -> None:
    data = text(*words).encode(encoding)
    assert data.decode(sniff.encoding(data, "f.csv")) == text(*words)


def test_one_umlaut_makes_no_chinese() -> None:
    data = (text() + "1,Köln\n").encode("cp1252")
    assert sniff.encoding(data, "f.csv") == "cp1252"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SQLite format 3\0" + bytes(200), "name it as sqlite:///PATH"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n", "`git lfs pull`"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "it is a picture"),
        (b"<?xml version='1.0'?><rows/>", "it is XML"),
        (b"\x80\x04\x95aaa\n1,2\n", "no text, but a file of some program"),
        (b'"y","x"\n"1",5,2\n"2",6,3\n', "row 1 has 3 cells.* name the first column too"),
        (b"y,x\n1,2\n3,4,5\n", "row 2 has 3 cells, and the line of names 2; mend it"),
        (
            b"Sales of May\n\ny,x\n1,2\n3,4\n5,6\n",
            "first line has one cell, and line 3 has 2; take",
        ),
        (
            "y,x\n1,ü\n2,ü\n3,ü\n4,ä\n".encode().replace("ä".encode(), b"\xe4"),
            "line 5 is not UTF-8, and 3 of 4 lines with such letters are; save",
        ),
        (b"x" * 500 + b"\n1\n", f"only one column, '{'x' * 60}'"),
    ],
)
def test_what_is_no_table_is_said(data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        table.of_bytes(data, "f.csv")


def test_blanks_separate_cells_where_nothing_else_does() -> None:
    assert sniff.separator(b'"y" "x"\n1 2.5\n3 4.5\n', "utf-8") == " "
    assert sniff.separator(b"first name,last name\na b,c d\na b,c d\n", "utf-8") == ","


@pytest.mark.parametrize(
    "cell",
    [
        *("31.12.2019 08:05", "2019-12-31T08:05:01+02:00", "12/31/19, 5:30 PM", "3 May 2019"),
        *("2019.5", "2019-Q4", "Q4 2019", "2019-W07", "20191231 08:05", "20191231T080501"),
    ],
)
def test_every_way_in_which_a_cell_is_a_time_is_found_by_its_marks(cell: str) -> None:
    assert moments.forms(cell) == [it for it in moments.every() if moments.fits(cell, it)]


@pytest.mark.parametrize("word", ["k. A.", "n.a.", "unbekannt", "\u2013"])
def test_a_word_for_nothing_among_numbers_is_a_missing_value(word: str) -> None:
    rows = "".join(f"{place},{word if place % 5 == 0 else place}.5\n" for place in range(1, 60))
    found = table.of_bytes(f"a,y\n{rows}".replace(f"{word}.5", word).encode(), "f.csv")
    assert (found.how.nulls, found.rows["y"].null_count) == ((word,), 11)
    towns = "".join(f"{place},{word if place % 5 == 0 else 'Ulm'}\n" for place in range(1, 60))
    assert table.of_bytes(f"a,y\n{towns}".encode(), "f.csv").how.nulls == ()


@pytest.mark.parametrize("marks", [1, 3])
def test_marks_of_an_encoding_are_no_part_of_a_name(marks: int) -> None:
    found = table.of_bytes(b"\xef\xbb\xbf" * marks + b"y,x\n1,2\n", "f.csv")
    assert found.rows.column_names == ["y", "x"]


def test_a_text_of_ascii_is_not_copied_to_know_its_encoding() -> None:
    text = b"a,b\n" + b"1,2\n" * 250_000
    tracemalloc.start()
    try:
        read = decoded(text, sniff.encoding(text, "t.csv"), "t.csv")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read is text
    assert most < len(text) / 10
