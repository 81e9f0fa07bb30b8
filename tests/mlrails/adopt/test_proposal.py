"""From a table to a plan: what each column is for, how rows divide, and what is refused."""

import random
from pathlib import Path

import pytest

from mlrails.adopt import table
from mlrails.adopt.plan import Plan
from mlrails.adopt.proposal import of_table, plan
from mlrails.adopt.roles import Wishes
from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.data import frames, validation
from mlrails.sources import source

ROWS = 400


def made(text: str | bytes, target: str, **said: object) -> Plan:
    data = text if isinstance(text, bytes) else text.encode()
    return of_table(table.of_bytes(data, "f.csv"), "f.csv", Wishes(target, **said))  # type: ignore[arg-type]


def bank(rows: int = ROWS) -> str:
    """Return a bank's table: semicolons, decimal commas, one writing of dates, yes and no."""
    rng = random.Random(1)
    lines = [
        f"{1000 + i};{i % 28 + 1:02}.{i % 12 + 1:02}.{2019 + i % 3};"
        + f"{rng.gauss(2000, 500):.2f};".replace(".", ",")
        + f"{rng.choice(['clerk', 'nurse', 'cook'])};{i % 7};{rng.choice(['yes', 'no', 'no'])}\n"
        for i in range(rows)
    ]
    return "client no;opened;income;job;cards;churned\n" + "".join(lines)


def test_a_banks_table_is_read_and_divided_by_time() -> None:
    found = made(bank(), "churned")
    assert found.reading == {
        "separator": ";",
        "decimal": ",",
        "dates": {"opened": "%d.%m.%Y"},
        "positive": {"churned": "yes"},
    }
    assert (found.task, found.by, found.named("time")) == (
        Task.CLASSIFICATION,
        "time",
        ("opened",),
    )
    assert found.named("left out") == ("client no",)
    assert found.named("category") == ("job",)
    assert found.named("number") == ("income", "cards")
    kinds = {it.column.name: it.column.kind for it in found.columns}
    assert kinds["churned"] == "boolean"
    assert kinds["client no"] == "category"


def test_a_file_below_the_project_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bank.csv").write_text(bank())
    found = plan("data/bank.csv", target="income", root=tmp_path)
    assert (found.task, found.rows, len(found.digest)) == (Task.REGRESSION, ROWS, 64)
    assert found.spread is not None
    assert 300 < found.spread < 700


@pytest.mark.parametrize(
    ("text", "said", "sentence"),
    [
        ("a,b\n1,2\n", {}, "f.csv: there is no column 'y', which --target names"),
        ("a,y\n1,2\n3,2\n", {}, "column 'y': the target has the same value in every row"),
        ("a,y\n1,x\n3,z\n4,z\n", {}, "'y': a class of the target has a single row, row 1"),
        ("a,y\n1,2020-01-01\n3,2020-02-01\n", {}, "'y': the target is a date"),
        ("a,y\n", {}, "it has a line of names and no row"),
        ("", {}, "it is empty"),
        ("<!DOCTYPE html><p>", {}, "it is a page"),
        ("PK\x03\x04", {}, "a workbook of Excel, or a zip archive"),
        ("a,y\n1,2\n3,4\n5,6\n", {"time": "a"}, "'a': --time names it, and its values are no"),
        ("a,y\n1,2\n3,4\n", {"drop": ("y",)}, "'y' is named by --target and by --drop"),
    ],
)
def test_what_no_project_can_be_made_of_is_one_sentence(
    text: str, said: dict, sentence: str
) -> None:
    with pytest.raises(UsageError) as told:
        made(text, "y", **said)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


def test_ingest_reads_the_same_rows_by_the_words_of_the_plan(tmp_path: Path) -> None:
    """A target that is missing, 007, thousands and words for nothing: all as adoption saw them."""
    names, *lines = bank().replace("churned", "code;churned").splitlines()
    cut = [it.rpartition(";") for it in lines]
    told = [f"{row};{place:04};{answer}" for place, (row, _, answer) in enumerate(cut)]
    told[3] = told[3].rpartition(";")[0] + ";NULL"
    (tmp_path / "bank.csv").write_text("\n".join([names, *told]) + "\n")
    found = plan("bank.csv", target="churned", root=tmp_path)
    assert found.reading["needed"] == ["churned"]
    columns = [it.column for it in found.columns]
    rows = frames.typed(source.read("bank.csv", columns, root=tmp_path, **found.reading), columns)
    assert (len(rows), found.rows) == (ROWS - 1, ROWS - 1)
    assert rows["code"].tolist()[:4] == ["0000", "0001", "0002", "0004"]
    seen = {it.column.name: it.seen for it in found.columns if it.seen}
    assert seen == {it: (rows[it].min(), rows[it].max()) for it in seen}
    assert {*rows["churned"]} == {True, False}
    validation.check(rows, columns, "bank.csv", with_rows=True)
