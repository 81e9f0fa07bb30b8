"""Hostile tables: a seeded generator of CSV files as programs, people and accidents write them."""

import random
from collections.abc import Callable
from datetime import date, timedelta

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "cp1250", "ascii")
SEPARATORS = (",", ";", "\t", "|", ",", ", ", ":")
NAMES = (
    "a", "a", "", "class", "import", "1st", "two words", "dots.in.it", 'quo"te', "it's", "naïve",
    "größe", "📈", "price", "id", "date", "y", "weight", " padded ", "a,b", "new\nline", "None",
    "__init__", "x" * 300, "=1+1", "é", "unnamed_2", "a_2", "target", "nan",
)  # fmt: skip
WEIRD = (
    "inf", "-Infinity", "NaN", "nan", "NA", "NULL", "", "?", "-", "1e308", "1e400",
    "9007199254740993", "99999999999999999999999", "0x1F", "1_000", "007", "+5", "1,5", "1.234,5",
    "1 234", "12%", "$5",
    "true", "FALSE", "yes", "ja", '{"a": 1}', "[1, 2]", "<b>", "2020-01-01", "31.12.2020",
    "12/31/20",
    "2020-02-30", "00:00", "2020-01-01T00:00:00Z", "été", "日本", "\x00", "\x1a",
    "a" * 5000, "'", "\\", "\\n", " ", "\u00a0", "\u2028", "=SUM(A1)", "None", "0", "-0", "1", "2",
)  # fmt: skip

Cells = Callable[[random.Random, int], str]


def columns(rng: random.Random) -> list[Cells]:
    """Return writers of cells: each column is mostly of one kind."""
    words = [rng.choice(("red", "blue", "grün", "x y")) + str(i) for i in range(rng.randint(1, 30))]
    start, form = date(2020, 1, 1), rng.choice(("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y"))
    mark = rng.choice((".", ".", ","))
    return [
        lambda r, i: str(r.randint(-5, 100)),
        lambda r, i: f"{r.gauss(0, 1):.4f}".replace(".", mark),
        lambda r, i: r.choice(words),
        lambda r, i: (start + timedelta(days=i)).strftime(form),
        lambda r, i: r.choice(("yes", "no")),
        lambda r, i: r.choice(("True", "False")),
        lambda r, i: str(i),
        lambda r, i: f"{i:05}",
        lambda r, i: " ".join(r.choice(words) for _ in range(12)),
        lambda r, i: r.choice(WEIRD),
        lambda r, i: f"{r.randint(1000, 9999999):,}",
        lambda r, i: f"id-{i}",
        lambda r, i: r.choice(("", "same")),
        lambda r, i: r.choice(("", "", r.choice(words))),
    ]


def quoted(cell: str, separator: str, rng: random.Random) -> str:
    """Return a cell as a program writes it, and now and then as one must not."""
    if rng.random() < 0.002:
        return cell
    if any(it in cell for it in ('"', "\n", "\r", separator[0])) or rng.random() < 0.05:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def table(seed: int) -> bytes:
    """Return a file: most can be read, many are cut, broken or no table at all."""
    rng = random.Random(seed)
    separator, end = rng.choice(SEPARATORS), rng.choice(("\n", "\r\n", "\n", "\r"))
    made = [rng.choice(columns(rng)) for _ in range(rng.choice((1, 2, 3, 3, 4, 5, 6, 8)))]
    named = [rng.choice(NAMES) for _ in made]
    rows = rng.choice((0, 2, 20, 60, 60, 100, 100, 150))
    dirt = rng.choice((0.0, 0.0, 0.0, 0.001, 0.05))
    lines = [named] if rng.random() > 0.03 else []
    for i in range(rows):
        cells = [rng.choice(WEIRD) if rng.random() < dirt else it(rng, i) for it in made]
        if rng.random() < dirt / 4:
            cells = cells[: rng.randint(0, len(cells))] + ["more"] * rng.randint(0, 2)
        lines.append(cells)
    text = end.join(separator.join(quoted(it, separator, rng) for it in row) for row in lines)
    data = (text + end).encode(rng.choice(ENCODINGS), errors="replace")
    return spoilt(data, rng)


def spoilt(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes of a file as a disk, a download or an editor leaves them."""
    chance = rng.random()
    if chance < 0.08:
        return data[: rng.randint(0, len(data))]
    if chance < 0.12 and data:
        place = rng.randrange(len(data))
        return data[:place] + bytes(rng.choices(range(256), k=3)) + data[place:]
    if chance < 0.14:
        return (
            rng.choice((b"<html>", b"PK\x03\x04", b"\x1f\x8b\x08", b"%PDF-1.7", b"sep=;\n", b""))
            + data
        )
    if chance < 0.16:
        return data + b'"unclosed,1\n2,3\n'
    return data
