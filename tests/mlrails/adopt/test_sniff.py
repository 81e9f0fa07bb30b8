"""What a text says of itself: its encoding and what separates its cells."""

from random import Random

import pytest

from mlrails.adopt import sniff


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
