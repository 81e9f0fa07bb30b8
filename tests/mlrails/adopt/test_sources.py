"""Tables from folders, globs, addresses and databases: planned, written, and read so again."""

import sqlite3
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from random import Random

import pandas as pd
import pytest
import sample
from loopback import running
from plans import FILE, SCHEMA, SOURCE, columns, params

from mlrails.adopt import sniff, table
from mlrails.adopt.plan import Plan
from mlrails.adopt.proposal import of_table
from mlrails.adopt.roles import Wishes
from mlrails.adopt.writing import files, places, python_source, run
from mlrails.adopt.writing.run import Order, Person
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.data import frames, validation
from mlrails.sources import read

ROWS = 120
QUERY = "select area, town, rent from flats where area > 20"


def flats(seed: int, separator: str = ",", mark: str = ".") -> str:
    chance, lines = Random(seed), [separator.join(("area", "town", "rent"))]
    for _ in range(ROWS):
        area = chance.randrange(20, 200)
        rent = f"{area * chance.uniform(5, 25):.2f}".replace(".", mark)
        lines.append(separator.join((str(area), chance.choice(("Ulm", "Köln")), rent)))
    return "\n".join(lines) + "\n"


def planned(source: str, root: Path, query: str | None = None) -> Plan:
    return of_table(table.of_source(source, root, query), source, Wishes("rent"))


def again(found: Plan, root: Path) -> pd.DataFrame:
    """Return the rows that `ingest` is going to have; they are as was planned."""
    said = [it.column for it in found.columns]
    rows = frames.typed(read(found.source, said, root=root, **found.reading), said)
    validation.check(rows, said, found.source, with_rows=True)
    assert len(rows) == found.rows
    return rows


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Serve a folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with running(partial(Quiet, directory=str(tmp_path))) as address:
        yield address


@pytest.mark.parametrize("source", ["data/flats", "data/flats/*/rows.csv"])
def test_many_files_are_one_table_with_what_their_folders_say(source: str, tmp_path: Path) -> None:
    for year in (2023, 2024):
        folder = tmp_path / f"data/flats/year={year}"
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text(flats(year, ";", ","), "cp1252")
    found = planned(source, tmp_path)
    assert found.rows == 2 * ROWS
    assert (found.reading["separator"], found.reading["decimal"]) == (";", ",")
    assert found.reading["encoding"] == "cp1252"
    assert "sha256" not in found.reading
    rows = again(found, tmp_path)
    assert {*rows["town"]} == {"Ulm", "Köln"}
    assert {*rows["year"]} == {2023, 2024}


def test_parquet_of_a_folder_keeps_its_types(tmp_path: Path) -> None:
    for part in (1, 2):
        rows = pd.DataFrame({"area": range(60), "rent": [it * 7.5 + it % 7 for it in range(60)]})
        rows["day"] = pd.date_range("2024-01-01", periods=60)
        (tmp_path / "flats").mkdir(exist_ok=True)
        rows.to_parquet(tmp_path / f"flats/{part}.parquet")
    found = planned("flats", tmp_path)
    assert (found.rows, found.by) == (120, "time")
    assert len(again(found, tmp_path)) == 120


def test_an_address_is_pinned_and_another_file_of_its_name_is_noticed(
    web: str, tmp_path: Path
) -> None:
    (tmp_path / "flats.csv").write_text(flats(1))
    found = planned(f"{web}/flats.csv", tmp_path)
    assert found.reading["sha256"] == found.digest
    assert len(again(found, tmp_path)) == ROWS
    (tmp_path / "flats.csv").write_text(flats(2))
    with pytest.raises(WorldError, match="has changed"):
        again(found, tmp_path)


def test_what_is_wrong_with_an_address_is_said_without_a_folder_or_a_secret(
    web: str, tmp_path: Path
) -> None:
    (tmp_path / "flats.csv").write_text("area,rent\n1\n")
    with pytest.raises(UsageError) as told:
        planned(f"{web}/flats.csv", tmp_path)
    assert str(told.value).startswith(f"{web}/flats.csv: row 1 has 1 cell")
    assert "source-" not in str(told.value)
    with pytest.raises(UsageError, match="holds a secret"):
        planned("https://host/rows.csv?token=abc", tmp_path)
    with pytest.raises(UsageError, match=r"there is no such file; mend the address"):
        planned(f"{web}/none.csv", tmp_path)


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """Return a folder with a database of flats."""
    with sqlite3.connect(tmp_path / "bank.db") as there:
        there.execute("create table flats (area integer, town text, rent real)")
        lines = [it.split(",") for it in flats(4).splitlines()[1:]]
        there.executemany("insert into flats values (?, ?, ?)", lines)
    there.close()
    return tmp_path


def test_a_query_is_planned_and_written_with_what_it_gave(bank: Path) -> None:
    found = planned("sqlite:///bank.db", bank, QUERY)
    assert found.reading["query"] == QUERY
    assert found.reading["sha256"] == found.digest
    assert len(again(found, bank)) == found.rows
    told = python_source.source(found.source, found.reading)
    assert f'query="{QUERY}"' in told
    assert found.digest in told


@pytest.mark.parametrize(
    ("source", "query", "words"),
    [
        ("sqlite:///bank.db", None, "--query 'select …'"),
        ("sqlite:///none.db", QUERY, "there is no such file"),
        ("sqlite:///bank.db", "select rent from flat", "refuses the query"),
        ("flats.csv", QUERY, "--query asks a database, and this is none"),
        ("none.csv", None, "there is no such file; name a table in CSV or Parquet"),
        ("none/*.csv", None, "no .parquet or .csv file there"),
        ("empty", None, "no .parquet or .csv file there"),
        ("ftp://host/rows.csv", "select 1", "no address of a file or a database"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(
    bank: Path, source: str, query: str | None, words: str
) -> None:
    (bank / "empty").mkdir()
    with pytest.raises(UsageError) as told:
        planned(source, bank, query)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@pytest.fixture
def root(bank: Path) -> Path:
    """Return a project, committed, with what adoption may change, and a database."""
    for name in (*files.paths(sample.PACKAGE), ".gitignore", ".dvc/.gitignore", ".dvc/config"):
        if (sample.ROOT / name).is_file():
            (bank / name).parent.mkdir(parents=True, exist_ok=True)
            (bank / name).write_bytes((sample.ROOT / name).read_bytes())
    person = ("-c", "user.name=A user", "-c", "user.email=user@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*person, "commit", "-qm", "Begin")):
        subprocess.run(["git", "-C", str(bank), *words], check=True)
    return bank


def adopt(root: Path, source: str, start: Path, query: str | None = None) -> None:
    order = Order(source, "rent", yes=True, query=query)
    text = (root / SCHEMA).read_text("utf-8")
    run.adopt(Settings(root, package=sample.PACKAGE), order, Person(start=start), columns(text))


def test_a_folder_below_the_project_stays_and_dvc_keeps_it(root: Path) -> None:
    for part in "ab":
        (root / "data/flats").mkdir(parents=True, exist_ok=True)
        (root / f"data/flats/{part}.csv").write_text(flats(ord(part)))
    adopt(root, "flats/*.csv", root / "data")
    assert '"data/flats/*.csv"' in (root / SOURCE).read_text("utf-8")
    assert "      - data/flats\n" in (root / "dvc.yaml").read_text("utf-8")
    assert (root / "data/flats.dvc").is_file()
    assert (root / "data/flats/a.csv").is_file()


def test_a_database_becomes_the_source_with_its_query(root: Path) -> None:
    adopt(root, "sqlite:///bank.db", root, QUERY)
    assert f'query="{QUERY}"' in (root / SOURCE).read_text("utf-8")
    assert params((root / FILE).read_text("utf-8")).data.target == "rent"
    assert "bank.db" not in (root / "dvc.yaml").read_text("utf-8")


@pytest.mark.parametrize("source", ["../other", "../other/*.csv", "*.csv", "models"])
def test_several_files_that_are_no_part_of_the_project_are_refused(root: Path, source: str) -> None:
    (root / "models").mkdir(exist_ok=True)
    (root.parent / "other").mkdir(exist_ok=True)
    with pytest.raises(UsageError, match="several files are read where they lie"):
        places.of(root, source, root)


@pytest.mark.parametrize(
    ("cell", "reading"),
    [
        ("${:,}", {"units": {"price": "$"}, "thousands": ","}),
        ("{} %", {"units": {"price": "%"}}),
        ("-€ {}", {"units": {"price": "€"}}),
    ],
)
def test_a_sign_beside_numbers_is_no_part_of_them(
    cell: str, reading: dict[str, object], tmp_path: Path
) -> None:
    chance = Random(5)
    rows = [(chance.randrange(1000, 99999), chance.random()) for _ in range(ROWS)]
    lines = [f'"{cell.format(price)}",{rent:.3f}' for price, rent in rows]
    lines[7] = "NA,0.5"
    (tmp_path / "f.csv").write_text("price,rent\n" + "\n".join(lines) + "\n", "utf-8")
    found = planned("f.csv", tmp_path)
    assert {it: found.reading.get(it) for it in reading} == reading
    assert found.named("number") == ("price",)
    read_again = again(found, tmp_path)["price"].abs()
    assert read_again.isna().sum() == 1
    assert read_again[0] == rows[0][0]
    (tmp_path / "f.csv").write_text("price,rent\n5 apples,1\n", "utf-8")
    with pytest.raises(UsageError, match="column 'price': row 1 is no number"):
        again(found, tmp_path)


@pytest.mark.parametrize("cells", [["$1", "€2"], ["1", "$2"], ["%"], ["$$1"], ["a%"], []])
def test_other_signs_stay_what_they_are(cells: list[str]) -> None:
    assert sniff.unit(cells) is None
